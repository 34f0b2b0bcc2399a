package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/halon-extras/kafka/internal/killpoint"
)

// child is a host as this process sees it.
type child struct {
	process *exec.Cmd
	stdin   io.Closer
	errors  bytes.Buffer // what it logged, for the message of a failure
	lines   chan line    // closed when the pipe is empty and nobody writes to it
}

type line struct {
	kind byte
	text string
}

// startChild starts a host. at is a point of the spool and a count, or empty.
func startChild(l life, at string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	c := &child{process: exec.Command(program), lines: make(chan line, 1024)}
	c.process.Env = append(os.Environ(), lifeVariable+"="+string(text), killpoint.Variable+"="+at)
	c.process.Stderr = &c.errors
	// Its input ends when this process does, in whatever way, and then so does the child.
	if c.stdin, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	go c.read(out)
	return c, nil
}

func (c *child) read(out io.Reader) {
	defer close(c.lines)
	in := bufio.NewReaderSize(out, 1<<16)
	for {
		text, err := in.ReadString('\n')
		if err != nil {
			return // a line that the kill has cut was not said
		}
		if text = strings.TrimSuffix(text, "\n"); len(text) >= 2 {
			c.lines <- line{text[0], text[2:]}
		}
	}
}

// kill ends it after d at the latest; with a point it may be faster. It calls each with the lines
// that the host said, to the last one, and reports whether it was this process that killed it.
func (c *child) kill(d time.Duration, each func(line)) (late bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case l, ok := <-c.lines:
			if ok {
				each(l)
				continue
			}
			if err := c.process.Wait(); !killed(err) {
				return late, fmt.Errorf("the host ended by itself: %w\n%s", errOr(err), &c.errors)
			}
			return late, nil
		case <-timer.C:
			late = true
			_ = c.process.Process.Kill()
		}
	}
}

// end shuts it down normally.
func (c *child) end(each func(line)) error {
	_ = c.stdin.Close()
	for l := range c.lines {
		each(l)
	}
	if err := c.process.Wait(); err != nil {
		return fmt.Errorf("the host did not shut down normally: %w\n%s", err, &c.errors)
	}
	return nil
}

func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func errOr(err error) error {
	if err == nil {
		return errors.New("status 0")
	}
	return err
}

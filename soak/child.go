package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// patience bounds a normal shutdown: the drain of a queue takes 60 s at most.
const patience = 90 * time.Second

// child is a host as this process sees it.
type child struct {
	life    life
	process *exec.Cmd
	stdin   io.WriteCloser
	out     *bufio.Reader
	log     bytes.Buffer // complete when the process is over
	faults  []string
	over    bool
	reloads int // that were asked for
}

func startChild(l life) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	c := &child{life: l, process: exec.Command(program)}
	c.process.Env = append(os.Environ(), hostVariable+"="+string(text))
	c.process.Stderr = &c.log
	if c.stdin, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, c.process.Start()
}

var (
	// critical are the lines of the log that a run must not have.
	critical = regexp.MustCompile(`(?m)^<[0-2]> .*$|^.*smtpd-app\.yaml is refused.*$`)
	// reloaded is the line of a reload that has changed the queue, and added the guest's or removed it.
	reloaded = regexp.MustCompile(`(?m)^.*the running configuration is loaded: queues (added 1, changed 1, removed 0|added 0, changed 1, removed 1), unchanged 0$`)
)

// wait collects what the process has left behind.
func (c *child) wait() error {
	err := c.process.Wait()
	c.over = true
	for _, line := range critical.FindAll(c.log.Bytes(), -1) {
		c.faults = append(c.faults, string(line))
	}
	if done := len(reloaded.FindAll(c.log.Bytes(), -1)); done != c.reloads {
		c.faults = append(c.faults, fmt.Sprintf("%d reloads of %d", done, c.reloads))
	}
	return err
}

// kill ends it with SIGKILL.
func (c *child) kill() error {
	if err := c.process.Process.Kill(); err != nil {
		return err
	}
	err := c.wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return nil
	}
	return fmt.Errorf("killed, it ended otherwise: %w\n%s", err, &c.log)
}

// end shuts it down normally.
func (c *child) end() error {
	if err := c.stdin.Close(); err != nil {
		return err
	}
	late := time.AfterFunc(patience, func() { _ = c.process.Process.Kill() })
	defer late.Stop()
	if err := c.wait(); err != nil {
		return fmt.Errorf("no normal shutdown: %w\n%s", err, &c.log)
	}
	return nil
}

// abandon ends what is still there after a failure.
func (c *child) abandon() {
	if !c.over {
		_ = c.process.Process.Kill()
		_ = c.wait()
	}
}

// sample is one look at a host.
type sample struct {
	at     time.Duration
	host   int
	queued int64
	series [seriesCount]float64
}

func (c *child) sample() (s sample, err error) {
	if _, err := io.WriteString(c.stdin, "sample\n"); err != nil {
		return s, c.died(err)
	}
	var goroutines int64
	line, err := c.out.ReadString('\n')
	if err != nil {
		return s, c.died(err)
	}
	if _, err := fmt.Sscan(line, &goroutines, &s.queued); err != nil {
		return s, err
	}
	place := filepath.Join("/proc", strconv.Itoa(c.process.Process.Pid))
	status, err := os.ReadFile(filepath.Join(place, "status"))
	if err != nil {
		return s, err
	}
	descriptors, err := os.ReadDir(filepath.Join(place, "fd"))
	if err != nil {
		return s, err
	}
	disk, err := allocated(c.life.Spool)
	if c.life.Kind != kinds[durable] {
		disk = 0
	}
	s.series = [...]float64{
		resident: statusField(status, "VmRSS") * 1024, threadCount: statusField(status, "Threads"), descriptorCount: float64(len(descriptors)),
		goroutineCount: float64(goroutines), diskBytes: disk,
	}
	return s, err
}

// died explains a process that does not answer.
func (c *child) died(err error) error {
	_ = c.process.Process.Kill()
	return fmt.Errorf("it is gone: %w, %w\n%s", err, c.wait(), &c.log)
}

func statusField(status []byte, name string) float64 {
	m := regexp.MustCompile(`(?m)^` + name + `:\s+(\d+)`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	v, _ := strconv.ParseFloat(string(m[1]), 64) // only digits
	return v
}

// allocated returns the bytes on disk of the files in a folder. Files come and go meanwhile.
func allocated(folder string) (bytes float64, err error) {
	err = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				bytes += 512 * float64(info.Sys().(*syscall.Stat_t).Blocks)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return bytes, err
}

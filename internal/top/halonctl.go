package top

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// Halonctl asks by the command of that name.
type Halonctl struct {
	Path   string // of the program
	Plugin string // its id in the configuration
	Time   time.Duration
}

const (
	largestAnswer = 32 << 20
	// endTime is how long a child that was killed may keep its output open, as by a child of its own.
	endTime = time.Second
)

// Name implements [Source].
func (h *Halonctl) Name() string { return "halonctl plugin command " + h.Plugin }

// Read implements [Source].
func (h *Halonctl) Read(ctx context.Context, detail string) (*Sample, error) {
	s := &Sample{Time: time.Now(), Detail: detail}
	text, err := h.run(ctx, "status")
	if err != nil {
		return nil, err
	}
	if err := readStatus(text, s); err != nil {
		return nil, fmt.Errorf("the answer of %s status is not the one of this version: %w: the plugin is older than this program, or another one", h.Name(), err)
	}
	if detail == "" {
		return s, nil
	}
	text, err = h.run(ctx, "stats", detail)
	if err == nil {
		var stats report.Statistics
		if err = json.Unmarshal(text, &stats); err == nil && stats.Brokers == nil {
			err = errors.New(`it has no "brokers"`)
		}
		if err == nil {
			s.Stats = &stats
			return s, nil
		}
		err = fmt.Errorf("the answer of %s stats cannot be read: %w", h.Name(), err)
	}
	s.Why = err.Error()
	return s, nil
}

// run runs a command of the plugin. The child has a session of its own: whatever it is, it cannot write on our screen or read our keys.
func (h *Halonctl) run(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Time)
	defer cancel()
	c := exec.CommandContext(ctx, h.Path, append(append([]string{"plugin", "command", h.Plugin}, args...), "--json")...)
	out, diagnostics := &bounded{}, &bounded{}
	c.Stdout, c.Stderr, c.WaitDelay = out, diagnostics, endTime
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	err := c.Run()
	name := h.Name() + " " + strings.Join(args, " ")
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%s has not answered within %v", report.Printable(name), h.Time)
	case out.cut:
		return nil, fmt.Errorf("the answer of %s is longer than %d MiB", report.Printable(name), largestAnswer>>20)
	case errors.As(err, &exit):
		return nil, h.refused(report.Printable(name), out.buffer.Bytes(), diagnostics.buffer.Bytes(), exit)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be run: %w: --halonctl has its path", report.Printable(h.Path), cmp.Or(errors.Unwrap(err), err))
	}
	return out.buffer.Bytes(), nil
}

// refused is the sentence for a command that failed.
func (h *Halonctl) refused(name string, out, diagnostics []byte, exit *exec.ExitError) error {
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(out, &answer) == nil && answer.Error != "" {
		first, _, _ := strings.Cut(answer.Error, "\n")
		return fmt.Errorf("%s: %s", name, report.Printable(first))
	}
	said := firstLine(append(out[:len(out):len(out)], diagnostics...))
	if strings.HasPrefix(said, "dump <") || strings.Contains(said, "no command") {
		return fmt.Errorf("%s: the plugin does not know this command: it is older than this program, or another one (it says: %s)", name, said)
	}
	return fmt.Errorf("%s failed (%w): %s", name, exit, said)
}

// bounded is a buffer that takes so much and no more. It is no bytes.Buffer by embedding, whose ReadFrom would pass by the limit.
type bounded struct {
	buffer bytes.Buffer
	cut    bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.buffer.Len()+len(p) > largestAnswer {
		b.cut = true
		return 0, errors.New("the answer is too long")
	}
	return b.buffer.Write(p)
}

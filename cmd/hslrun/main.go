// Command hslrun runs an HSL script against a native plugin of the Halon mail server where there is no Halon:
// it reads smtpd.yaml, loads the plugin into the stand-in host, runs the script in an interpreter of its
// own, lets the plugin drain, and shows what reached Kafka.
//
// It is for trying and testing, never for production: the plugin under it must be built on this project's
// own header, and the interpreter knows only the part of HSL that logging scripts use.
//
// The files follow a run: flags.go, setup.go (configuration, plugin, broker), run.go (scripts and
// commands), values.go (between the interpreter and the host), consume.go and record.go (what reached Kafka).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/halon-extras/kafka/internal/hsl"
)

// The exit statuses. They are part of the interface.
const (
	exitDone    = 0
	exitFailed  = 1 // an exception was not caught, a command failed, or the records could not be read
	exitUsage   = 2 // flags, script or configuration, or a file that is not there
	exitRefused = 3 // the plugin does not start, or its file cannot be loaded
	exitLost    = 4 // all was well, but the plugin could not send all that it had accepted
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	o, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return exitDone
	}
	if errors.Is(err, errVersion) {
		fmt.Printf("hslrun %s\n%s\n", release, runtime.Version())
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "hslrun: %v\nhslrun --help shows the usage\n", err)
		return exitUsage
	}
	t := newTerminal(os.Stdout, os.Stderr)
	ctx, stop := interruptions(t)
	defer stop()
	err = session(ctx, o, t)
	if err == nil {
		return exitDone
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{exitFailed, err}
	}
	if e.err != nil {
		fmt.Fprintln(os.Stderr, e.err)
	}
	return e.status
}

// interruptions is a context that a signal ends: the scripts stop, and the plugin still sends what is queued. A signal
// while it does so ends hslrun, with a line that says what that costs.
func interruptions(t *terminal) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		if !t.stops() {
			t.logf("hslrun: interrupted: the scripts end, and the plugin sends what is queued; a second interrupt ends that too")
			cancel()
			<-signals
		}
		t.logf("hslrun: interrupted while the plugin was sending what is queued: what it had in memory is lost")
		os.Exit(exitLost)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// exitError is an error with an exit status. A nil err was reported already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return "failed"
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// release is set by the linker.
var release = "development"

// session is everything between the flags and the exit status.
func session(ctx context.Context, o *options, t *terminal) (err error) {
	script, err := readScript(o.script, os.Stdin)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	s, err := setUp(o, t)
	if err != nil {
		return err
	}
	defer s.close()
	program, err := s.parse(script)
	var unknown *hsl.UnknownFunction
	if errors.As(err, &unknown) {
		err = fmt.Errorf("%w\nknown here are: %s", err, strings.Join(unknown.Known, ", "))
	}
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if !s.host.Init() {
		return &exitError{exitRefused, fmt.Errorf("hslrun: the plugin %s refused to start", o.plugin)}
	}
	s.host.Ready()
	var asked *control
	if o.control != "" {
		if asked, err = s.listen(o.control); err != nil {
			s.host.Cleanup()
			return &exitError{exitUsage, fmt.Errorf("hslrun: --control: %w", err)}
		}
	}
	failed := s.runScripts(ctx, program)
	for _, config := range s.reloads {
		if ctx.Err() != nil {
			break
		}
		if err := s.host.Reload(config); err != nil {
			return &exitError{exitUsage, fmt.Errorf("hslrun: %w", err)}
		}
		failed = s.runScripts(ctx, program) || failed
	}
	failed = !s.runCommands(o.commands) || failed
	asked.close()
	t.stopping()
	patience := time.AfterFunc(2*time.Second, func() {
		t.logf("hslrun: the script is over, and the plugin still sends what is queued; an interrupt ends that")
	})
	s.host.Cleanup()
	patience.Stop()
	lost := t.lostAny()
	failed = !s.checkRules(ctx) || failed
	for _, topic := range o.topics {
		if err := s.consume(topic); err != nil {
			t.logf("hslrun: %v", err)
			failed = true
		}
	}
	switch {
	case failed:
		return &exitError{status: exitFailed}
	case lost:
		return &exitError{exitLost, errors.New("hslrun: messages were lost at the end: see the plugin's log above")}
	}
	return nil
}

// source is a script and the name it has in messages.
type source struct {
	name string
	text []byte
}

func readScript(path string, stdin io.Reader) (source, error) {
	name, read := path, func() ([]byte, error) { return os.ReadFile(path) }
	if path == "-" {
		name, read = "stdin", func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	text, err := read()
	if err != nil {
		return source{}, fmt.Errorf("hslrun: the script cannot be read: %w", err)
	}
	return source{name, text}, nil
}

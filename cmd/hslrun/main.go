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
	"syscall"
)

// The exit statuses. They are part of the interface.
const (
	exitDone    = 0
	exitFailed  = 1 // an exception was not caught, a command failed, or the records could not be read
	exitUsage   = 2 // flags, script or configuration, or a file that is not there
	exitRefused = 3 // the plugin does not start, or its file cannot be loaded
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	o, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "hslrun: %v\nhslrun --help shows the usage\n", err)
		return exitUsage
	}
	// The first signal ends the scripts, and the plugin still drains; the second one ends hslrun.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	err = session(ctx, o, newTerminal(os.Stdout, os.Stderr))
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
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if !s.host.Init() {
		return &exitError{exitRefused, fmt.Errorf("hslrun: the plugin %s refused to start", o.plugin)}
	}
	s.host.Ready()
	failed := s.runScripts(ctx, program)
	failed = !s.runCommands(o.commands) || failed
	s.host.Cleanup()
	failed = !s.checkRules(ctx) || failed
	for _, topic := range o.topics {
		if err := s.consume(topic); err != nil {
			t.logf("hslrun: %v", err)
			failed = true
		}
	}
	if failed {
		return &exitError{status: exitFailed}
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

package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v2"
	"golang.org/x/term"

	"github.com/halon-extras/kafka/internal/top"
)

const topHelp = `usage: halon-kafka top [--halonctl PATH] [--plugin ID] [--every TIME]
       halon-kafka top --listen ADDRESS [--every TIME]

A live view of the queues of the running plugin, in a terminal of 80 x 24 or more: state, rates, what waits and for how
long, bytes on disk, errors; of one queue its problems, the last error, its brokers, topics and partitions. While a backlog
is sent, a bar shows how much is done and how long the rest will take. It changes nothing. When the plugin cannot be
reached, the screen says why, and it is asked again.

  --halonctl PATH   the program that is asked: "halonctl plugin command kafka status --json". Without, it is found in PATH,
                    or in /opt/halon/bin. A script will do, such as one that calls halonctl in a container
  --plugin ID       the id of the plugin in smtpd.yaml: kafka
  --listen ADDRESS  asks the metrics of the plugin instead, at the address of metrics: listen:, such as 127.0.0.1:9184. They
                    have no last error, no partitions, and no number of batches sent again
  --every TIME      how often it is asked: 2s; between 100ms and 1h

` + top.Keys + `
Exit status: 0, or 2 without a terminal.
`

const (
	questionTime  = 10 * time.Second
	leastInterval = 100 * time.Millisecond
	mostInterval  = time.Hour
)

func showTop(ctx context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	path := fs.String("halonctl", "", "")
	plugin := fs.String("plugin", "kafka", "")
	listen := fs.String("listen", "", "")
	every := fs.Duration("every", 2*time.Second, "")
	rest, status, ok := parse(fs, args, t)
	switch {
	case !ok:
		return status
	case len(rest) > 0:
		return usage(t, fs.Name(), "it takes no argument, and %q was given", rest[0])
	case *listen != "" && *path != "":
		return usage(t, fs.Name(), "--listen and --halonctl are two ways to ask: give one")
	case *every < leastInterval || *every > mostInterval:
		return usage(t, fs.Name(), "--every %v is not between %v and %v", *every, leastInterval, mostInterval)
	}
	var source top.Source = &top.Halonctl{Path: halonctl(*path), Plugin: *plugin, Time: questionTime}
	if *listen != "" {
		l, err := top.NewListener(*listen, questionTime)
		if err != nil {
			return usage(t, fs.Name(), "--listen: %v", err)
		}
		source = l
	}
	if err := watch(ctx, source, *every, t); err != nil {
		fmt.Fprintf(t.Err, "halon-kafka top: %v\n", err)
		return exitUsage
	}
	return exitFine
}

// halonctl is where the program is, if nothing else is said.
func halonctl(path string) string {
	if path != "" {
		return path
	}
	if found, err := exec.LookPath("halonctl"); err == nil {
		return found
	}
	const installed = "/opt/halon/bin/halonctl"
	if info, err := os.Stat(installed); err == nil && info.Mode().IsRegular() {
		return installed
	}
	return "halonctl"
}

// watch shows the view until the operator leaves, or the process is to end: then the terminal is as it was.
func watch(ctx context.Context, source top.Source, every time.Duration, t Terminal) error {
	const instead = `use "halonctl plugin command kafka status", with --json for programs`
	name := os.Getenv("TERM")
	switch {
	case !isTerminal(t.In) || !isTerminal(t.Out):
		return errors.New("it needs a terminal as its input and output: " + instead)
	case name == "" || name == "dumb":
		return fmt.Errorf("the terminal cannot place text, by its name TERM=%q: set TERM, such as to xterm, or %s", name, instead)
	}
	screen, err := tcell.NewTerminfoScreen()
	if err != nil {
		return fmt.Errorf("the terminal TERM=%q is not known here (%w): set TERM, such as to xterm, or %s", name, err, instead)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	defer stop()
	return top.Run(ctx, screen, top.Options{Source: source, Every: every, Suspend: suspend})
}

// suspend stops this process, until the shell lets it go on.
func suspend() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) } // it can be: it is this one

// isTerminal reports whether what a command reads or writes is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

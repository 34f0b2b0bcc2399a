package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/halon-extras/kafka/internal/nearest"
)

// The exit statuses. They are part of the interface.
const (
	exitFine  = 0
	exitWrong = 1 // what was looked at has problems
	exitUsage = 2 // arguments, or a file that cannot be read: nothing was looked at
)

// Terminal is what a command reads and writes. Results go to Out, also those that are problems; Err gets what
// kept the command from looking.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
}

// command is a row of the table. A name may be of several words.
type command struct {
	name  string
	short string                                                                     // one line for the list
	help  string                                                                     // the whole text behind the command's name
	run   func(ctx context.Context, fs *flag.FlagSet, args []string, t Terminal) int // fs has the command's name, and no flags yet
}

// commands is the table: running, listing and helping read it.
func commands() []command {
	return []command{
		{"check", "check a configuration, and the way to the cluster", checkHelp, check},
		{"properties", "what a property means here", propertiesHelp, properties},
		{"top", "a live view of the running plugin's queues in the terminal", topHelp, showTop},
		{"spool status", "what a queue's spool holds, and who uses it", spoolStatusHelp, spoolStatus},
		{"spool check", "read all of a spool and say what is wrong", spoolCheckHelp, spoolCheck},
		{"spool export", "print the records of a spool, or its dead letters", spoolExportHelp, spoolExport},
		{"spool requeue", "move dead letters back into the spool", spoolRequeueHelp, spoolRequeue},
		{"spool repair", "plan repairs of a spool, or do them", spoolRepairHelp, spoolRepair},
		{"version", "the version of this program", versionHelp, version},
		{"completion", "the completion of this program for bash", completionHelp, completion},
		{"manpage", "the manual page of this program", manpageHelp, manpage},
	}
}

// Run runs the command that args name and returns the exit status of the process. It blocks until the command
// is done; ctx ends what waits for the network.
func Run(ctx context.Context, args []string, t Terminal) int {
	if len(args) == 0 {
		fmt.Fprint(t.Err, overview())
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return help(args[1:], t)
	case "-version", "--version":
		args = []string{"version"}
	}
	c, rest := findCommand(args)
	if c == nil {
		return unknownCommand(args, t)
	}
	return c.run(ctx, flag.NewFlagSet(c.name, flag.ContinueOnError), rest, t)
}

// findCommand returns the command whose name the arguments begin with, and what follows it.
func findCommand(args []string) (c *command, rest []string) {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return &c, args[len(words):]
		}
	}
	return nil, args
}

// unknownCommand reports a name that is none, with those that begin with the same word.
func unknownCommand(args []string, t Terminal) int {
	var like, names []string
	for _, c := range commands() {
		names = append(names, c.name)
		if first, rest, ok := strings.Cut(c.name, " "); ok && first == args[0] {
			like = append(like, rest)
		}
	}
	if len(like) > 0 {
		return usage(t, "", "%s is one of: %s", args[0], strings.Join(like, ", "))
	}
	return usage(t, "", "there is no command %q%s", args[0], nearest.Meant(args[0], names))
}

// overview is the list of the commands.
func overview() string {
	var b strings.Builder
	b.WriteString("usage: halon-kafka COMMAND ...\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-14s %s\n", c.name, c.short)
	}
	b.WriteString("\nSee halon-kafka help COMMAND. Exit status: 0 fine, 1 problems were found, 2 usage or an unreadable file.\n")
	return b.String()
}

func help(args []string, t Terminal) int {
	if len(args) == 0 {
		fmt.Fprint(t.Out, overview())
		return exitFine
	}
	c, rest := findCommand(args)
	if c == nil || len(rest) > 0 {
		return unknownCommand(args, t)
	}
	fmt.Fprint(t.Out, c.help)
	return exitFine
}

// usage reports arguments that cannot be followed.
func usage(t Terminal, name, format string, args ...any) int {
	if name != "" {
		name = " " + name
	}
	fmt.Fprintf(t.Err, "halon-kafka%s: %s\nhalon-kafka help%s shows the usage\n", name, fmt.Sprintf(format, args...), name)
	return exitUsage
}

// flagText says what is wrong with a flag, and which one is perhaps meant.
func flagText(fs *flag.FlagSet, err error) string {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err.Error()
	}
	var known []string
	fs.VisitAll(func(f *flag.Flag) { known = append(known, "--"+f.Name) })
	return fmt.Sprintf("there is no flag --%s%s", name, nearest.Meant("--"+name, known))
}

// parse reads flags and arguments in any order. ok is false when the command is over, with that status.
func parse(fs *flag.FlagSet, args []string, t Terminal) (positional []string, status int, ok bool) {
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	for {
		err := fs.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil, help(strings.Fields(fs.Name()), t), false
		case err != nil:
			return nil, usage(t, fs.Name(), "%s", flagText(fs, err)), false
		case fs.NArg() == 0:
			return positional, exitFine, true
		}
		positional = append(positional, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

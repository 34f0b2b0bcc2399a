// Package admin is what an operator can ask: `halonctl plugin command kafka ...`, one table of
// commands, one file a command.
//
// It promises to change nothing that a command does not say it changes, and to answer while Kafka
// is away. It knows a queue only by the interface Queue, and may be called from any thread.
package admin

import (
	"strings"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/report"
)

// Queue is what the commands need of a queue.
type Queue interface {
	ID() string
	Settings() *conf.Settings
	Snapshot() report.Snapshot
	Parked() int
	Topics() []report.Topic
	Spool() *report.Spool // nil without
}

// A Find looks a queue up by name.
type Find func(id string) (Queue, bool)

// A command is one row of the table.
type command struct {
	name  string
	usage string
	args  int // how many it needs; the original ignores what comes after
	run   func(find Find, args []string) (text string, ok bool)
}

func commands() []command {
	return []command{
		{name: "dump", usage: "dump <id>", args: 1, run: dump},
	}
}

// noSuchID is the original's answer, to the letter.
const noSuchID = "No such id"

// Run runs one command and returns its text and whether it succeeded. What is no command gets the
// usage, and fails.
func Run(find Find, args []string) (text string, ok bool) {
	var usage []string
	for _, c := range commands() {
		if len(args) > c.args && args[0] == c.name {
			return c.run(find, args[1:])
		}
		usage = append(usage, c.usage)
	}
	return strings.Join(usage, "\n"), false
}

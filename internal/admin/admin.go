// Package admin is what an operator can ask: `halonctl plugin command kafka ...`, one table of commands, one file a command;
// and the metrics, for that command and for the listener.
//
// It promises to change nothing that a command does not say it changes, to answer while Kafka is away and within a time that a command
// says, and to show no secret. What it
// prints is fit for a terminal: names of topics and words of brokers are escaped. It knows a queue only by the interface Queue,
// and may be called from any thread.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/nearest"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
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
	Bytes() int64         // of the values in memory
	Health() *report.Health
	Brokers() []report.BrokerStatistics
	Times() *report.Times
	Statistics(ctx context.Context) (report.Statistics, error) // without partitions on an error
	Describe(ctx context.Context, topics []string) (report.Cluster, error)
	Head(ctx context.Context) (record.Record, bool, error)
	Letters(most int) ([]report.Letter, int64, error)

	Pause() (news bool)
	Resume(ctx context.Context) (paused time.Duration, err error)
	Flush(ctx context.Context) (done bool)
	Purge(ctx context.Context) (int64, error)
	Requeue(ctx context.Context, topic string) (report.Requeue, error)
}

// Deps are what the commands are given by the plugin.
type Deps struct {
	Queues func() []Queue                     // those that run, in the order of the configuration
	Spool  func(id string) *queueconf.Spool   // how the spool of a queue is configured; nil without
	Recent func(queue string) []logsink.Entry // the last warnings and errors; of all queues for ""
	Level  *slog.LevelVar                     // from which level on lines are logged
	Scrape *report.Histogram                  // how long it takes to write the metrics, in seconds
	Calls  func() []report.CallTimes          // how long calls of scripts take; nil is unknown
	Start  time.Time                          // when the queues were started
	Now    func() time.Time                   // nil is time.Now
}

func (d Deps) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// A command is one row of the table. Running, helping and what is said about a mistyped name all read it.
type command struct {
	name, args string // args as the usage shows them: <must>, [may]
	also       string // another name for it: http-bulk's
	short      string // one line for the list
	long       string // what help COMMAND adds; "" is nothing
	least      int    // how many arguments it needs
	most       int    // and takes; the rest of dump is left out, as the original does
	flags      []string
	run        func(*call) (answer, error)
}

// An answer is what a command says: text for people, and a value that becomes JSON.
type answer struct {
	text string
	json any
}

// A refusal is an answer that makes the command fail.
type refusal answer

func (r *refusal) Error() string { return r.text }

// unless returns a as the answer, or as a refusal where something has failed.
func (a answer) unless(failed bool) (answer, error) {
	if failed {
		return answer{}, (*refusal)(&a)
	}
	return a, nil
}

// A call is one command with its arguments.
type call struct {
	Deps
	args []string
	flag map[string]bool
}

func commands() []command {
	return []command{
		{name: "dump", args: "<id>", least: 1, most: 1 << 10, short: "the state of one queue: counters, failures, spool, topics", run: dump},
		{
			name: "status", args: "[id]", most: 1, short: "ok, degraded or failed: why, since when, how much is queued, rates, the last error",
			long: "ok: what is accepted is delivered. degraded: it is accepted, and some of it cannot be delivered now. failed: calls are refused.\n" +
				"Of one queue, or of all. Rates are those of the last ten seconds.",
			run: status,
		},
		{
			name: "stats", args: "[id]", most: 1, short: "the numbers of brokers, topics and partitions",
			long: "With --json in the form of librdkafka's statistics; without a queue they are those of all, in a list.",
			run:  stats,
		},
		{name: "list", short: "the queues, with how much is in each", run: list},
		{name: "count", args: "[id]", most: 1, short: "how many messages are queued, in memory and on disk", run: countQueued},
		{
			name: "head", args: "<id>", least: 1, most: 1, short: "the oldest message that no broker has acknowledged",
			long: "Prints it as a line of JSON; nothing where the queue is empty.", run: head,
		},
		{
			name: "metadata", args: "[id] [topic]", most: 2, short: "what the cluster says of its brokers, and of the queue's topics or of one",
			long: "Waits for the cluster for up to 10 seconds. It makes no topic. Of one queue, or of all.", run: metadata,
		},
		{
			name: "check", args: "[id]", most: 1, short: "asks the cluster of each queue, and says what is wrong with it, its brokers and topics",
			long: "Waits for the clusters for up to 10 seconds, and fails where one does not answer. halon-kafka check judges a configuration before a start.", run: check,
		},
		{
			name: "flush", args: "[id] [seconds]", most: 2, short: "sends what is queued without linger, and waits for that, 5 seconds if not told otherwise",
			long: "At most 60 seconds. Fails where something is still queued then: it goes on being sent.", run: flush,
		},
		{
			name: "pause", also: "stop", args: "[id]", most: 1, short: "sends nothing until resume; calls are accepted while there is room",
			long: "What is on its way to a broker is still answered. The time of a pause does not count for message.timeout.ms of a queue in memory, but for\n" +
				"max_age of a spool. A pause ends with the plugin, which then sends what only memory has.",
			run: pause,
		},
		{name: "resume", also: "start", args: "[id]", most: 1, short: "ends a pause", run: resume},
		{
			name: "purge", also: "clear", args: "<id> <id>", least: 1, most: 2, short: "gives up all messages that are queued; the queue's name twice",
			long: "In memory and on disk, but for what is on its way to a broker. They are counted as dropped. Dead letters stay: see dead.", run: purge,
		},
		{
			name: "dead", args: "list|requeue <id> [number|topic]", least: 2, most: 3, short: "lists dead letters, or puts them back into the queue while messages flow",
			long: "list prints the oldest 20, or as many as the number says. requeue puts all back that there are, or those of a topic, behind what is queued, and goes on\n" +
				"alone when that takes longer than 5 seconds. A letter that the queue does not take stays.",
			run: dead,
		},
		{
			name: "config", args: "[id] [--all]", most: 1, flags: []string{"--all"}, short: "what counts for each property of a queue, and where it comes from",
			long: "Values that are not librdkafka's defaults, of one queue or of all; with --all the defaults too. config: written in the queue's config;\n" +
				"secrets: read from the file or the variable that is named; derived: follows from other properties. Secrets are never shown.",
			run: showConfig,
		},
		{
			name: "last-errors", also: "last-error", args: "[id]", most: 1, short: "the last warnings and errors, of one queue or of all",
			long: "At most a hundred different ones since the start, the latest first, each with how often it came, also those that the log held back.",
			run:  lastErrors,
		},
		{name: "metrics", short: "the metrics, in the text format of Prometheus", run: metricsCommand},
		{
			name: "log", args: "[level]", most: 1, short: "from which level on lines are logged; with a level, sets it",
			long: "Levels: crit, err, warning, notice, info, debug. It counts until the next start. What a queue's own log_level and debug leave out\n" +
				"is not logged at any level.",
			run: logLevel,
		},
		{name: "version", short: "the version of the plugin, of the Kafka protocol in it, and of Go", run: version},
		{name: "help", args: "[command]", most: 1, short: "this list, or more about one command", run: help},
	}
}

// Run runs one command and returns its text and whether it succeeded. --json anywhere asks for JSON. What is no command gets the
// usage, and fails.
func Run(d Deps, args []string) (text string, ok bool) {
	asJSON := slices.Contains(args, "--json")
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--json" })
	answer, err := find(d, args)
	var refused *refusal
	switch {
	case errors.As(err, &refused) && asJSON:
		return toJSON(refused.json), false
	case err != nil && asJSON:
		return toJSON(map[string]string{"error": err.Error()}), false
	case err != nil:
		return err.Error(), false
	case asJSON:
		return toJSON(answer.json), true
	}
	return answer.text, true
}

func toJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "{}\n" // not reached: nothing in it can fail
	}
	return b.String()
}

func find(d Deps, args []string) (answer, error) {
	if len(args) == 0 {
		return answer{}, fmt.Errorf("%s", Overview())
	}
	c, err := named(args[0])
	if err != nil {
		return answer{}, err
	}
	return c.call(d, args[1:])
}

// named returns the command of that name.
func named(name string) (*command, error) {
	for _, c := range commands() {
		if c.name == name || c.also != "" && c.also == name {
			return &c, nil
		}
	}
	return nil, fmt.Errorf("there is no command %q%s\n%s", name, nearest.Meant(name, names()), Overview())
}

func (c *command) call(d Deps, args []string) (answer, error) {
	one := &call{Deps: d, flag: map[string]bool{}}
	for _, arg := range args {
		switch {
		case slices.Contains(c.flags, arg):
			one.flag[arg] = true
		case strings.HasPrefix(arg, "--") && c.name != "dump":
			return answer{}, fmt.Errorf("%s knows no %q\nusage: %s", c.name, arg, c.usage())
		default:
			one.args = append(one.args, arg)
		}
	}
	if n := len(one.args); n < c.least || n > c.most {
		return answer{}, fmt.Errorf("usage: %s", c.usage())
	}
	return c.run(one)
}

func names() []string {
	var all []string
	for _, c := range commands() {
		all = append(all, c.name)
		if c.also != "" {
			all = append(all, c.also)
		}
	}
	return all
}

func (c *command) usage() string { return strings.TrimSpace(c.name + " " + c.args) }

// Overview returns the list of the commands.
func Overview() string {
	var b strings.Builder
	for _, c := range commands() {
		also := ""
		if c.also != "" {
			also = " (also " + c.also + ")"
		}
		fmt.Fprintf(&b, "%-22s %s%s\n", c.usage(), c.short, also)
	}
	b.WriteString("--json asks for JSON.\n")
	return b.String()
}

// noSuchID is the original's answer, to the letter.
//
// Compat: a line follows it, with the nearest name and those that exist, as behind the usage for a command that is none.
const noSuchID = "No such id"

// queue finds the queue that is named.
func (c *call) queue(id string) (Queue, error) {
	var ids []string
	for _, q := range c.Queues() {
		if q.ID() == id {
			return q, nil
		}
		ids = append(ids, q.ID())
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s\nthere are no queues", noSuchID)
	}
	return nil, fmt.Errorf("%s\nthere is no queue %q%s, the queues are: %s", noSuchID, id, nearest.Meant(id, ids), report.Printable(strings.Join(ids, ", ")))
}

// each runs one for the queue that the call names, or for all, and returns what it has written and its values, which are no null in JSON.
func each[T any](c *call, one func(b *strings.Builder, q Queue) (T, error)) (text string, all []T, err error) {
	queues, err := c.queues()
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	all = []T{}
	for _, q := range queues {
		value, err := one(&b, q)
		if err != nil {
			return b.String(), nil, err
		}
		all = append(all, value)
	}
	return b.String(), all, nil
}

// nextBlock puts an empty line between what is written of two queues.
func nextBlock(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
}

// noQueues is the text where there are none.
const noQueues = "there are no queues\n"

// inQueues is the JSON of a list with an element for each queue.
func inQueues[T any](all []T) map[string][]T { return map[string][]T{"queues": all} }

// queues returns the queue that is named, or all where none is.
func (c *call) queues() ([]Queue, error) {
	if len(c.args) == 0 {
		return c.Queues(), nil
	}
	q, err := c.queue(c.args[0])
	return []Queue{q}, err
}

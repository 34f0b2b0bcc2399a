package main

import (
	"os"
	"strconv"
	"strings"
)

// cell is one situation: the arguments of the driver, and which figures are taken from its runs.
type cell struct {
	name, about string
	args        string // of the driver, the same for both plugins; "": no plugin of ours runs
	partitions  int    // of each topic; 0 is 1, which suits the baseline best
	broker      string // further arguments of the broker
	hang        bool   // the broker never answers a produce request
	own         string // arguments of the driver for a run with the plugin that does nothing; "" if the cell needs none
	wire        string // arguments of wire for the limit of the machine with such messages; "" if there is none
	folder      bool   // the queue has a spool, in a folder of each run's own
	before      string // arguments of the driver for what fills that spool; "": it is empty
	alone       bool   // the baseline has nothing like it
	beside      *cell  // the cell whose run with kafka.so is the baseline; nil: there is none
	logger      string // arguments of the driver for the logger that is the baseline; "": there is none
	figures     []figure
}

// figure is one number of a run.
type figure struct {
	suffix, unit string
	of           func(run) float64
	own          func(result) float64 // the driver's part, which is subtracted; nil: nothing is
	limit        bool                 // it can be compared with wire
}

// The figures of every cell that produces.
var produced = []figure{
	{suffix: ".msgs", unit: "messages/s", of: func(r run) float64 { return r.PerSecond }, limit: true},
	{suffix: ".cpu", unit: "us/message", of: func(r run) float64 { return r.CPU }, own: func(r result) float64 { return r.CPU }},
	{suffix: ".p50", unit: "ns", of: func(r run) float64 { return r.Latency.P50 }},
	{suffix: ".p99", unit: "ns", of: func(r run) float64 { return r.Latency.P99 }},
	{suffix: ".p999", unit: "ns", of: func(r run) float64 { return r.Latency.P999 }},
}

const mib = 1 << 20

// full is a cell at full speed: three seconds of calls, after a warm-up of 100,000 messages or the share of it that `warm`
// says.
func full(name, about, shape, more string, warm int) cell {
	return cell{
		name: name, about: about,
		args: "--seconds 3 --warmup " + strconv.Itoa(warm) + " " + shape + " " + more,
		own:  "--messages 2000000 " + shape + " " + more,
		wire: wireArgs(shape), figures: produced,
	}
}

// steady is a paced cell, two headers, as a mail server that logs each of its messages.
func steady(name string, rate, seconds int) cell {
	shape := "--headers 2 --rate " + strconv.Itoa(rate) + " --seconds " + strconv.Itoa(seconds)
	return cell{
		name: name, about: strconv.Itoa(rate) + " messages a second, two headers",
		args: shape + " --warmup 1000", own: shape, figures: produced,
	}
}

// codec sets the compression, and a pool of values that is larger than a batch: a codec would find the values of a small
// one again and again, which makes it look faster than it is on real text.
func codec(name string) string {
	return "--pool-kib 16384 --conf compression.codec=" + name
}

// wireArgs keeps of the driver's arguments those that wire has as well.
func wireArgs(shape string) string {
	var args []string
	fields := strings.Fields(shape)
	for i := 0; i+1 < len(fields); i++ {
		switch fields[i] {
		case "--value-bytes", "--key-bytes", "--headers":
			args = append(args, fields[i], fields[i+1])
		}
	}
	return strings.Join(append(args, "-for", "1s"), " ")
}

// cells is the bench. A message has a 200-byte value, a key of 12 bytes and no headers where nothing else is said.
var cells = []cell{
	full("sat", "full speed, one thread", "", "", 100000),
	full("sat-h2", "two headers", "--headers 2", "", 100000),
	full("sat-8t", "8 threads, two headers", "--headers 2 --threads 8", "", 100000),
	full("sat-20b", "20-byte values", "--value-bytes 20", "", 100000),
	full("sat-2k", "2,000-byte values", "--value-bytes 2000", "", 50000),
	full("sat-10k", "10,000-byte values", "--value-bytes 10000", "", 10000),
	full("lz4", "compressed", "", codec("lz4"), 100000),
	full("zstd", "compressed", "", codec("zstd"), 100000),
	full("gzip", "compressed", "", codec("gzip"), 100000),
	topics(full("topics-100", "100 topics of 10 partitions, in turns", "--topics 100", "", 100000)),
	over(full("partitions-1000", "a topic of 1,000 partitions", "", "", 100000), 1000),
	{
		name: "full-1000-partitions", about: "how many of 100,000 messages a queue of that size takes for 1,000 partitions, the broker hangs",
		args: "--mode rss --messages 100000", hang: true, partitions: 1000,
		figures: []figure{{unit: "messages", of: func(r run) float64 { return float64(r.Accepted) }}},
	},
	full("queues-50", "50 queues, in turns", "--queues 50", "", 100000),
	nodes(over(full("sat-3b", "three brokers, twelve partitions", "", "", 100000), 12), 3),
	secure(full("sat-tls", "TLS", "", encrypted, 100000)),
	secure(steady("steady-2k-tls", 2000, 6)),
	steady("steady-2k", 2000, 6),
	steady("steady-20k", 20000, 4),
	steady("steady-100k", 100000, 4),
	{
		name: "rss-100k", about: "resident memory, 100,000 x 500 bytes queued, the broker hangs",
		args: "--mode rss --messages 100000 --value-bytes 500", hang: true,
		figures: []figure{{unit: "MiB", of: func(r run) float64 { return r.RSS / mib }}},
	},
	{
		name: "init", about: "start: Halon_init, and before it the loading of the library",
		args: "--mode init",
		figures: []figure{
			{unit: "ms", of: func(r run) float64 { return r.Init }},
			{suffix: ".load", unit: "ms", of: func(r run) float64 { return r.Load }},
		},
	},
	{
		name: "outage", about: "CPU while the broker is gone and 100,000 messages are queued",
		args:    "--mode outage --messages 100000 --warmup 1000 --seconds 10",
		figures: []figure{{unit: "% of a core", of: func(r run) float64 { return 100 * r.Cores }}},
	},
	{
		name: "load", about: "size of the library; threads, memory and CPU of an idle process",
		args: "--mode idle --warmup 1 --seconds 3",
		figures: []figure{
			{suffix: ".size", unit: "MiB", of: func(r run) float64 { return fileSize(r.Plugin) / mib }},
			{suffix: ".threads", unit: "threads", of: func(r run) float64 { return r.Threads }},
			{suffix: ".rss", unit: "MiB", of: func(r run) float64 { return r.RSS / mib }},
			{suffix: ".cpu", unit: "% of a core", of: func(r run) float64 { return 100 * r.Cores }},
		},
	},
	durable(1), durable(8), durable(64), durable(512), replay, fsyncLogger,
	once(durable(64)), once(durable(512)), once(replay),
	{name: wireCell, about: "batches that were encoded ahead, no plugin: what the machine carries", wire: "-for 2s"},
}

// wireCell is the one cell that runs no plugin: its figures are neither ours nor the baseline's.
const wireCell = "wire"

func topics(c cell) cell { return over(c, 10) }

func over(c cell, partitions int) cell {
	c.partitions = partitions
	return c
}

func nodes(c cell, n int) cell {
	c.broker = "-nodes " + strconv.Itoa(n)
	return c
}

// encrypted is without a look at the certificate, which costs once a connection.
const encrypted = "--conf security.protocol=ssl --conf enable.ssl.certificate.verification=false"

func secure(c cell) cell {
	c.broker = "-tls"
	if !strings.Contains(c.args, encrypted) {
		c.args += " " + encrypted
	}
	return c
}

func fileSize(name string) float64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// goal is a ratio to the baseline that the project has promised.
type goal struct {
	atLeast bool
	ratio   float64
}

var goals = map[string]goal{
	"sat.msgs": {true, 3.5}, "sat.cpu": {false, 0.3}, "sat.p50": {false, 0.25},
	"sat-h2.msgs": {true, 6}, "sat-h2.cpu": {false, 0.25}, "sat-h2.p50": {false, 0.25},
	"sat-8t.msgs": {true, 6}, "sat-8t.cpu": {false, 0.25}, "sat-8t.p50": {false, 0.25},
	"sat-20b.msgs": {true, 5}, "sat-20b.cpu": {false, 0.3}, "sat-20b.p50": {false, 0.25},
	"sat-2k.msgs": {true, 1.5}, "sat-2k.cpu": {false, 0.6}, "sat-2k.p50": {false, 0.3}, "sat-2k.p99": {false, 0.5},
	"sat-10k.msgs": {true, 1.1}, "sat-10k.cpu": {false, 0.9}, "sat-10k.p50": {false, 1}, "sat-10k.p99": {false, 1},
	"lz4.msgs": {true, 1.4}, "lz4.cpu": {false, 0.7}, "lz4.p99": {false, 0.5},
	"zstd.msgs": {true, 1.2}, "zstd.cpu": {false, 0.9}, "zstd.p99": {false, 0.5},
	"gzip.msgs": {true, 5}, "gzip.cpu": {false, 0.25}, "gzip.p99": {false, 0.5},
	"topics-100.msgs": {true, 3}, "partitions-1000.msgs": {true, 5}, "full-1000-partitions": {true, 0.99},
	"queues-50.msgs": {true, 2}, "queues-50.cpu": {false, 0.6},
	"sat-3b.msgs": {true, 3}, "sat-3b.cpu": {false, 0.35},
	"sat-tls.msgs": {true, 1.5}, "sat-tls.cpu": {false, 0.7}, "steady-2k-tls.cpu": {false, 0.8},
	"steady-2k.cpu": {false, 0.6}, "steady-20k.cpu": {false, 0.4}, "steady-100k.cpu": {false, 0.35},
	"rss-100k": {false, 0.8}, "durable-64.msgs": {true, 3},
	"durable-64-once.msgs": {true, 0.9}, "durable-512-once.msgs": {true, 0.9}, "replay-once.msgs": {true, 0.9},
}

// goalOf is the goal of a figure: its own, or that of all latencies.
func goalOf(name string) (goal, bool) {
	if g, ok := goals[name]; ok {
		return g, true
	}
	switch {
	case strings.HasSuffix(name, ".p50"), strings.HasSuffix(name, ".p99"):
		return goal{false, 0.4}, true
	case strings.HasSuffix(name, ".p999"):
		return goal{false, 0.8}, true
	}
	return goal{}, false
}

func (g goal) met(ratio float64) bool {
	if g.atLeast {
		return ratio >= g.ratio
	}
	return ratio <= g.ratio
}

package parity

import (
	"strings"

	"github.com/halon-extras/kafka/parity/play"
)

// queueScenarios: what a call is answered when the queue has no room, and what becomes of messages at the stop.
func queueScenarios() []scenario {
	hanging := script{topics: topic(1, "t"), produce: always(verdict{hang: true})}
	good := script{topics: topic(1, "t")}
	return []scenario{
		{
			name:   "queue full by messages, while the broker hangs",
			config: []string{"queue.buffering.max.messages=10"},
			script: hanging,
			steps: []play.Step{
				call("12 calls", numbered("t", 12)...),
				call("one more", message("t", "13")),
				call("a partition that does not exist, with the queue full", placed("t", 99)),
				call("another topic, with the queue full", message("u", "v")),
				call("a message too large, with the queue full", sized("t", 1000000)),
			},
			anywhere: true,
		},
		{
			name:   "room again after the delivery",
			config: []string{"queue.buffering.max.messages=3", "linger.ms=300"},
			script: good,
			steps: []play.Step{
				call("5 calls", numbered("t", 5)...), reports("first reports"),
				call("5 calls again", numbered("t", 5)...), reports("second reports"),
			},
		},
		{
			name:   "queue full by bytes of values",
			config: []string{"queue.buffering.max.kbytes=1"},
			script: hanging,
			steps: []play.Step{
				call("1000 bytes", sized("t", 1000)),
				call("25 bytes", sized("t", 25)),
				call("24 bytes", sized("t", 24)),
				call("one byte", sized("t", 1)),
				call("no bytes, a long key", keyed("t", strings.Repeat("k", 5000), "")),
			},
			anywhere: true,
		},
		{
			name:   "a value larger than the whole limit",
			config: []string{"queue.buffering.max.kbytes=1"},
			script: good,
			steps:  twice(sized("t", 1025)),
		},
		{
			name:   "a value as large as the whole limit",
			config: []string{"queue.buffering.max.kbytes=1"},
			script: good,
			steps:  twice(sized("t", 1024)),
		},
		{
			name:   "no limit on messages",
			config: []string{"queue.buffering.max.messages=0"},
			script: good,
			steps:  []play.Step{call("500 calls", numbered("t", 500)...), reports("report")},
		},
		{
			name:   "stop while messages linger",
			config: []string{"linger.ms=20000", "message.timeout.ms=30000"},
			script: good,
			steps:  []play.Step{call("3 calls", numbered("t", 3)...), stop("stop")},
		},
		{
			name:   "stop with messages that cannot be delivered",
			script: hanging,
			steps:  []play.Step{call("7 calls", numbered("t", 7)...), stop("stop")},
			plain:  true, // a minute of waiting proves nothing more with headers
			slow:   true,
		},
		{
			name:   "the command dump",
			config: []string{"linger.ms=0"},
			script: good,
			steps: []play.Step{
				command("an unknown queue", "dump", "nobody"),
				command("an empty name", "dump", ""),
			},
			plain: true,
		},
	}
}

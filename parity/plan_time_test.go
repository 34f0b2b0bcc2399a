package parity

import (
	"fmt"
	"time"

	"github.com/halon-extras/kafka/parity/play"
)

// aboutThen is within a second of due, which is what message.timeout.ms promises, and half a second more for a machine that is busy.
func aboutThen(due time.Duration) span { return span{due - time.Second, due + 1500*time.Millisecond} }

// timeScenarios: brokers that do not answer, and how long a message is kept for them.
func timeScenarios() []scenario {
	var list []scenario
	for _, broker := range []struct {
		name   string
		script script
	}{
		{"a broker that takes messages and never answers", script{topics: topic(1, "t"), produce: always(verdict{hang: true})}},
		{"a broker that answers nothing", script{silent: true}},
		{"no broker", script{absent: true}},
		{"a broker that breaks the connection", script{topics: topic(1, "t"), produce: always(verdict{cut: true})}},
	} {
		for _, limit := range []int{700, 1500} {
			due := time.Duration(limit) * time.Millisecond
			within := aboutThen(due)
			list = append(list, scenario{
				name:   fmt.Sprintf("%s, message.timeout.ms=%d", broker.name, limit),
				config: []string{fmt.Sprintf("message.timeout.ms=%d", limit), "retry.backoff.ms=50"},
				script: broker.script,
				steps:  twice(message("t", "v")),
				within: map[string]span{"first report": within, "second report": within},
				// How much of what was cut off had been read is a matter of chance.
				anywhere: true,
				brief:    true,
				away:     broker.script.absent,
			})
		}
	}
	return append(list,
		scenario{
			name:   "messages of two ages, each with its own time",
			config: []string{"message.timeout.ms=3000"},
			script: script{topics: topic(1, "t"), produce: always(verdict{hang: true})},
			steps: []play.Step{
				call("first calls", numbered("t", 2)...), pause(1500),
				call("later calls", numbered("t", 3)...), reports("reports"),
			},
			within: map[string]span{"reports": aboutThen(3 * time.Second)},
		},
		scenario{
			name:   "the connection breaks once, and nothing is tried again",
			config: []string{"retries=0", "message.timeout.ms=8000"},
			script: script{topics: topic(1, "t"), produce: once(verdict{cut: true})},
			steps:  twice(message("t", "v")),
		},
		scenario{
			name:   "the connection breaks each time, and one retry",
			config: []string{"retries=1", "retry.backoff.ms=20", "message.timeout.ms=8000"},
			script: script{topics: topic(1, "t"), produce: always(verdict{cut: true})},
			steps:  twice(message("t", "v")),
		},
		scenario{
			name:     "the connection breaks once",
			config:   []string{"retry.backoff.ms=20", "message.timeout.ms=8000"},
			script:   script{topics: topic(1, "t"), produce: once(verdict{cut: true})},
			steps:    twice(message("t", "v")),
			requests: true,
		},
		scenario{
			name:     "the connection breaks once, idempotent",
			config:   []string{"enable.idempotence=true", "retry.backoff.ms=20", "message.timeout.ms=8000"},
			script:   script{topics: topic(1, "t"), produce: once(verdict{cut: true})},
			steps:    twice(message("t", "v")),
			requests: true,
		},
		scenario{
			name:   "the broker goes away",
			config: []string{"message.timeout.ms=1500", "retry.backoff.ms=50"},
			script: script{topics: topic(1, "t"), asks: map[string]func(*cluster) error{
				"the broker ends": func(c *cluster) error {
					c.kafka.Close()
					return nil
				},
			}},
			steps: []play.Step{
				call("first call", message("t", "1")), reports("first report"), broker("the broker ends"),
				call("second call", message("t", "2")), reports("second report"),
				call("third call", message("t", "3")), reports("third report"),
			},
			gone:  true,
			plain: true,
		},
	)
}

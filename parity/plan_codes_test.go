package parity

import (
	"fmt"

	"github.com/halon-extras/kafka/parity/play"
)

// lastCode is the highest code that a broker of today has; one more is in the tests for those of tomorrow.
const lastCode = 133

// codeScenarios: every code that a broker can answer a produce request with, once and each time. A code has a topic of its own, and
// one message after another is sent, so that each report belongs to its code.
func codeScenarios() []scenario {
	list := []scenario{
		codesOnce("each code once"),
		codesOnce("each code once, and nothing is tried again", "retries=0"),
	}
	for _, code := range []int16{2, 3, 5, 6, 7, 8, 9, 19, 20, 56, 13, 14, 72, 89} {
		list = append(list,
			scenario{
				name:   fmt.Sprintf("code %d each time, and two retries", code),
				config: []string{"retries=2", "retry.backoff.ms=10", "retry.backoff.max.ms=20", "message.timeout.ms=5000"},
				script: script{topics: topic(1, "t"), produce: always(verdict{code: code})},
				steps:  twice(message("t", "v")),
			},
			scenario{
				name:   fmt.Sprintf("code %d each time", code),
				config: []string{"retry.backoff.ms=50", "message.timeout.ms=1500"},
				script: script{topics: topic(1, "t"), produce: always(verdict{code: code})},
				steps:  twice(message("t", "v")),
			},
		)
	}
	// 46 is not among them: it says that the records are there already, which a broker that has refused them can't say.
	for _, code := range []int16{2, 3, 6, 7, 10, 19, 20, 29, 31, 45, 47, 48, 59, 74, 87, 90} {
		steps := twice(keyed("t", "k", "v"))
		if code == 29 {
			// Until the next metadata says otherwise, librdkafka refuses calls for such a topic: a race.
			steps = steps[:2]
		}
		list = append(list, scenario{
			name:   fmt.Sprintf("code %d once, idempotent", code),
			config: []string{"enable.idempotence=true", "retry.backoff.ms=10", "message.timeout.ms=3000"},
			script: script{topics: topic(1, "t"), produce: once(verdict{code: code})},
			steps:  steps,
		})
	}
	return append(list,
		scenario{
			name:     "bad records in a batch",
			config:   []string{"linger.ms=100"},
			script:   script{topics: topic(1, "t"), produce: afterFirst(verdict{code: 87, bad: []int32{1}})},
			steps:    append(warm("t"), call("4 calls", numbered("t", 4)...), reports("reports")),
			requests: true,
		},
		scenario{
			name:     "a bad record that is alone in its batch",
			script:   script{topics: topic(1, "t"), produce: once(verdict{code: 2, bad: []int32{0}})},
			steps:    twice(message("t", "v")),
			requests: true,
		},
		scenario{
			name:   "a code for a batch of several messages",
			config: []string{"linger.ms=100"},
			script: script{topics: topic(1, "t"), produce: afterFirst(verdict{code: 10})},
			steps: append(warm("t"),
				call("3 calls", numbered("t", 3)...), reports("first reports"),
				call("3 calls again", numbered("t", 3)...), reports("second reports"),
			),
			requests: true,
		},
	)
}

// codesOnce sends one message to a topic for each code, which the broker refuses once with that code.
func codesOnce(name string, config ...string) scenario {
	s := scenario{
		name:   name,
		config: append([]string{"linger.ms=0", "retry.backoff.ms=10", "retry.backoff.max.ms=20"}, config...),
		script: script{topics: make(map[string]int32)},
		brief:  true,
	}
	codes := make(map[string]int16)
	for code := int16(-1); code <= lastCode+1; code++ {
		if code == 0 {
			continue
		}
		name := fmt.Sprintf("code%d", code)
		codes[name] = code
		s.script.topics[name] = 1
		s.steps = append(s.steps, call(fmt.Sprintf("call, code %d", code), message(name, "v")),
			reports(fmt.Sprintf("report, code %d", code)))
	}
	s.script.produce = func(topic string, nth int) verdict {
		if nth == 1 {
			return verdict{code: codes[topic]}
		}
		return verdict{}
	}
	return s
}

// wireScenarios: what reaches the broker by the settings of a producer.
func wireScenarios() []scenario {
	var list []scenario
	steps := []play.Step{
		call("calls", sized("t", 4000), sized("t", 5000), sized("t", 6000)), reports("report"),
	}
	for _, config := range [][]string{
		nil,
		{"acks=0"},
		{"acks=1"},
		{"acks=2"},
		{"acks=1000"},
		{"acks=-1"},
		{"acks=all"},
		{"enable.idempotence=true"},
		{"compression.codec=none"},
		{"compression.codec=gzip"},
		{"compression.codec=snappy"},
		{"compression.codec=lz4"},
		{"compression.codec=zstd"},
		{"compression.codec=gzip", "compression.level=9"},
		{"compression.codec=zstd", "compression.level=12"},
		{"topic.compression.codec=gzip"},
		{"compression.type=lz4", "topic.compression.codec=inherit"},
		{"max.in.flight=1"},
		{"batch.num.messages=1"},
		{"batch.size=1"},
		{"linger.ms=0"},
		{"message.timeout.ms=0"},
		{"queuing.strategy=lifo"},
		{"client.id=parity"},
		{"topic.acks=1", "topic.partitioner=consistent"},
	} {
		name := "left alone"
		if config != nil {
			name = fmt.Sprint(config)[1 : len(fmt.Sprint(config))-1]
		}
		list = append(list, scenario{
			name:   "sent with " + name,
			config: append([]string{"linger.ms=100"}, config...),
			script: script{topics: topic(1, "t")},
			steps:  steps,
		})
	}
	return append(list, scenario{
		name:   "three messages within linger.ms, the first ones of the queue",
		config: []string{"linger.ms=1000"},
		script: script{topics: topic(1, "t")},
		steps: []play.Step{
			call("first call", message("t", "1")), pause(150), call("second call", message("t", "2")),
			{Name: "another pause", Pause: 150},
			call("third call", message("t", "3")), reports("report"),
		},
		requests: true,
	}, scenario{
		name:   "three messages within linger.ms, after a time without any",
		config: []string{"linger.ms=100"},
		script: script{topics: topic(1, "t")},
		steps:  append(warm("t"), call("3 calls", numbered("t", 3)...), reports("report")),

		requests: true,
	}, scenario{
		name:   "what does not get smaller is sent as it is",
		config: []string{"compression.codec=gzip", "linger.ms=0"},
		script: script{topics: topic(1, "t")},
		steps:  []play.Step{call("a call", message("t", "ab")), reports("report")},
		plain:  true,
	})
}

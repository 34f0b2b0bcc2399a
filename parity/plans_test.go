package parity

import (
	"bytes"
	"fmt"

	"github.com/halon-extras/kafka/parity/play"
)

// scenarios are all that is compared, chapter by chapter.
func scenarios() []scenario {
	var all []scenario
	for _, chapter := range [][]scenario{
		queueScenarios(), topicScenarios(), partitionScenarios(), sizeScenarios(), timeScenarios(),
		codeScenarios(), wireScenarios(), settingScenarios(),
	} {
		all = append(all, chapter...)
	}
	return all
}

// The words in which the plans are written.

func message(topic, value string) play.Record {
	b := []byte(value)
	return play.Record{Topic: topic, Value: &b, Partition: -1}
}

func keyed(topic, key, value string) play.Record {
	r := message(topic, value)
	b := []byte(key)
	r.Key = &b
	return r
}

func placed(topic string, partition int) play.Record {
	r := message(topic, "v")
	r.Partition = partition
	return r
}

// sized is a message whose value has n bytes.
func sized(topic string, n int) play.Record {
	b := bytes.Repeat([]byte("v"), n)
	return play.Record{Topic: topic, Value: &b, Partition: -1}
}

// numbered are n messages with the values 1 to n.
func numbered(topic string, n int) []play.Record {
	list := make([]play.Record, n)
	for i := range list {
		list[i] = message(topic, fmt.Sprint(i+1))
	}
	return list
}

func call(name string, records ...play.Record) play.Step {
	return play.Step{Name: name, Calls: records}
}

func until(name string, record play.Record) play.Step { return play.Step{Name: name, Until: &record} }

func reports(name string) play.Step { return play.Step{Name: name, Settle: true} }

func pause(millis int) play.Step   { return play.Step{Name: "pause", Pause: millis} }
func broker(what string) play.Step { return play.Step{Name: what, Ask: what} }
func stop(name string) play.Step   { return play.Step{Name: name, Stop: true} }

func command(name string, args ...string) play.Step {
	return play.Step{Name: name, Command: args}
}

// warmValue is the value of the message that lets a plugin find out all about a topic.
const warmValue = "warm"

// warm lets the plugin find out all about topic, and then be idle for ten times the linger that the scenarios use.
func warm(topic string) []play.Step {
	return []play.Step{call("warm-up", message(topic, warmValue)), reports("report of the warm-up"), pause(1000)}
}

// afterFirst gives the second request of a topic a verdict, and takes all others.
func afterFirst(v verdict) func(string, int) verdict {
	return func(_ string, nth int) verdict {
		if nth == 2 {
			return v
		}
		return verdict{}
	}
}

// twice is the plan of most scenarios: a first call, its report, and a second call when the plugin knows more.
func twice(record play.Record) []play.Step {
	return []play.Step{
		call("first call", record), reports("first report"),
		call("second call", record), reports("second report"),
	}
}

func topic(partitions int32, names ...string) map[string]int32 {
	topics := make(map[string]int32)
	for _, name := range names {
		topics[name] = partitions
	}
	return topics
}

// always gives every request the same verdict.
func always(v verdict) func(string, int) verdict {
	return func(string, int) verdict { return v }
}

// once gives the first request of each topic a verdict and takes all others.
func once(v verdict) func(string, int) verdict {
	return func(_ string, nth int) verdict {
		if nth == 1 {
			return v
		}
		return verdict{}
	}
}

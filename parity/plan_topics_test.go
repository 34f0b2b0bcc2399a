package parity

import (
	"strings"

	"github.com/halon-extras/kafka/parity/play"
)

// quickly lets an unknown topic be given up after a second and a half, and metadata be asked for often.
var quickly = []string{
	"allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=1500", "retry.backoff.ms=50",
}

// topicScenarios: topics that the cluster does not have, refuses, or has in a state in which nothing can be sent.
func topicScenarios() []scenario {
	says := func(code int16) func(string) (int16, bool) {
		return func(string) (int16, bool) { return code, true }
	}
	list := []scenario{
		{
			name:   "an unknown topic",
			config: quickly,
			steps:  twice(message("nowhere", "v")),
		},
		{
			name:   "an unknown topic, at once",
			config: []string{"allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=0"},
			steps:  twice(message("nowhere", "v")),
		},
		{
			name:   "an unknown topic, and messages that live shorter than it is waited for",
			config: []string{"allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=20000", "message.timeout.ms=1200"},
			steps:  twice(message("nowhere", "v")),
		},
		{
			name:   "an unknown topic that appears while it is waited for",
			config: []string{"allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=20000", "retry.backoff.ms=50"},
			script: script{asks: map[string]func(*cluster) error{"create the topic": create("late")}},
			steps: []play.Step{
				call("first call", message("late", "1")), broker("create the topic"), reports("first report"),
				call("second call", message("late", "2")), reports("second report"),
			},
		},
		{
			name:   "an unknown topic that appears after it was given up",
			config: quickly,
			script: script{asks: map[string]func(*cluster) error{"create the topic": create("late")}},
			steps: []play.Step{
				call("first call", message("late", "1")), reports("first report"),
				call("second call", message("late", "2")), broker("create the topic"),
				until("calls until one is accepted", message("late", "3")), reports("second report"),
			},
		},
		{
			name:   "an unknown topic that the broker creates",
			script: script{auto: true},
			steps:  twice(message("new", "v")),
		},
		{
			name:   "an unknown topic beside a known one",
			config: quickly,
			script: script{topics: topic(1, "here")},
			steps: []play.Step{
				call("both topics", message("nowhere", "v"), message("here", "v")), reports("first reports"),
				call("both topics again", message("nowhere", "v"), message("here", "v")), reports("second reports"),
			},
		},
		{
			name:   "a topic that was deleted and recreated",
			config: []string{"retry.backoff.ms=50", "message.timeout.ms=20000", "topic.metadata.propagation.max.ms=20000"},
			script: script{topics: topic(1, "t"), asks: map[string]func(*cluster) error{
				"recreate the topic": func(c *cluster) error {
					if err := c.kafka.DeleteTopic("t"); err != nil {
						return err
					}
					return create("t")(c)
				},
			}},
			steps: []play.Step{
				call("first call", message("t", "1")), reports("first report"),
				broker("recreate the topic"),
				call("second call", message("t", "2")), reports("second report"),
			},
			anywhere: true,
		},
		{
			name:   "not authorised for the topic",
			config: []string{"retry.backoff.ms=50"},
			script: script{metadata: says(29)},
			steps:  twice(message("secret", "v")),
		},
		{
			name:   "a name that the broker calls invalid",
			config: []string{"retry.backoff.ms=50"},
			script: script{metadata: says(17)},
			steps:  twice(message("no name", "v")),
		},
	}
	for _, c := range []struct {
		name string
		code int16
	}{
		{"a topic without a leader", 5},
		{"a topic whose metadata is on its way", 6},
		{"a topic that the cluster has trouble with", -1},
		{"a topic with a replica missing", 9},
		{"a cluster that denies access", 31},
		{"a topic of an unknown kind of trouble", 76},
	} {
		list = append(list, scenario{
			name:   c.name,
			config: []string{"retry.backoff.ms=50", "message.timeout.ms=3000", "topic.metadata.propagation.max.ms=300"},
			script: script{metadata: says(c.code)},
			steps:  twice(message("t", "v")),
		})
	}
	return append(list, nameScenarios()...)
}

func create(name string) func(*cluster) error {
	return func(c *cluster) error { return c.kafka.CreateTopic(name, 1, nil) }
}

// nameScenarios: names as a script can make them up. The broker answers for illegal ones as Apache Kafka does.
func nameScenarios() []scenario {
	legal := func(name string) bool {
		return name != "" && name != "." && name != ".." && len(name) <= 249 &&
			strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
	}
	verdict := func(name string) (int16, bool) { return 17, !legal(name) }
	var list []scenario
	for _, c := range []struct{ what, name string }{
		{"an empty name", ""},
		{"a name of 249 bytes", strings.Repeat("n", 249)},
		{"a name of 250 bytes", strings.Repeat("n", 250)},
		{"a name of 512 bytes", strings.Repeat("n", 512)},
		{"a name of 513 bytes", strings.Repeat("n", 513)},
		{"a name with a blank", "a b"},
		{"a name with a letter that is not ASCII", "größe"},
		{"a name that is no UTF-8", "gr\xf6\xdfe"},
		{"the name of one dot", "."},
		{"a name with a NUL", "t\x00x"},
	} {
		list = append(list, scenario{
			name:   "topic: " + c.what,
			config: []string{"retry.backoff.ms=50", "message.timeout.ms=5000"},
			script: script{topics: topic(1, "t", strings.Repeat("n", 249)), metadata: verdict},
			steps:  twice(message(c.name, "v")),
		})
	}
	return list
}

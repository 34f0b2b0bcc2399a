package operator

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/reason"
)

// cluster is what a queue found behind its bootstrap.servers. A nil cluster was not asked. Its JSON is part of
// the interface.
type cluster struct {
	ID       exact    `json:"id"`
	Brokers  []broker `json:"brokers"`
	Topics   []topic  `json:"topics"`
	Problems []exact  `json:"problems"` // those that belong to no broker or topic
	Warnings []exact  `json:"warnings"`
}

// broker is one that the cluster names.
type broker struct {
	ID      int32  `json:"id"`
	Address exact  `json:"address"`
	Rack    exact  `json:"rack,omitempty"`
	Version string `json:"version,omitempty"` // a guess from the requests that it knows
	Problem exact  `json:"problem,omitempty"`
}

// topic is one that was asked for.
type topic struct {
	Name       exact `json:"name"`
	Partitions int   `json:"partitions"`
	Problem    exact `json:"problem,omitempty"`
}

func (c *cluster) problem(format string, args ...any) {
	c.Problems = append(c.Problems, exact(fmt.Sprintf(format, args...)))
}

func (c *cluster) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, exact(fmt.Sprintf(format, args...)))
}

// count returns how many problems and warnings it has. It may be called on a nil cluster.
func (c *cluster) count() (problems, warnings int) {
	if c == nil {
		return 0, 0
	}
	problems = len(c.Problems)
	for _, b := range c.Brokers {
		if b.Problem != "" {
			problems++
		}
	}
	for _, t := range c.Topics {
		if t.Problem != "" {
			problems++
		}
	}
	return problems, len(c.Warnings)
}

// write prints a line for each thing that was found, each beginning with prefix.
func (c *cluster) write(w io.Writer, prefix string) {
	if c == nil {
		return
	}
	line := func(format string, args ...any) {
		fmt.Fprintf(w, "%s%s\n", oneLine(prefix), oneLine(fmt.Sprintf(format, args...)))
	}
	for _, problem := range c.Problems {
		line("%s", problem)
	}
	for _, warning := range c.Warnings {
		line("warning: %s", warning)
	}
	if len(c.Brokers) > 0 {
		line("cluster %s with %s", c.ID, plural(len(c.Brokers), "broker"))
	}
	for _, b := range c.Brokers {
		text := fmt.Sprintf("broker %d at %s", b.ID, b.Address)
		if b.Rack != "" {
			text += fmt.Sprintf(" in rack %s", b.Rack)
		}
		if b.Version != "" {
			text += ": Kafka " + b.Version
		}
		if b.Problem != "" {
			text += fmt.Sprintf(": %s", b.Problem)
		}
		line("%s", text)
	}
	for _, t := range c.Topics {
		if t.Problem != "" {
			line("topic %s: %s", t.Name, t.Problem)
			continue
		}
		line("topic %s: %s", t.Name, plural(t.Partitions, "partition"))
	}
}

// mayWrite is the bit of the operation WRITE in a topic's authorized operations. Part of Kafka's protocol.
const mayWrite = 1 << 4

// lookAt says what a producer meets at a topic.
func lookAt(set *conf.Settings, name string, answer *kmsg.MetadataResponse) topic {
	t := topic{Name: exact(name)}
	if set.Blacklisted(name) {
		t.Problem = "topic.blacklist hides it: messages fail as for an unknown topic"
		return t
	}
	var found *kmsg.MetadataResponseTopic
	for i := range answer.Topics {
		if one := &answer.Topics[i]; one.Topic != nil && *one.Topic == name {
			found = one
		}
	}
	if found == nil {
		t.Problem = "the cluster did not answer for it"
		return t
	}
	t.Partitions = len(found.Partitions)
	switch err := kerr.TypedErrorForCode(found.ErrorCode); err {
	case nil:
	case kerr.UnknownTopicOrPartition:
		t.Problem = "it does not exist"
		if set.AllowAutoCreate {
			t.Problem += "; the first message asks the cluster to create it"
		}
		return t
	case kerr.TopicAuthorizationFailed:
		t.Problem = exact("it is not authorised: " + reason.User(set) + " may not see it")
		return t
	case kerr.InvalidTopicException:
		t.Problem = "its name is not valid in Kafka"
		return t
	default:
		t.Problem = exact(fmt.Sprintf("the cluster answers %s: %s", err.Message, err.Description))
		return t
	}
	leaderless := []string{}
	for _, p := range found.Partitions {
		if p.Leader < 0 || p.ErrorCode != 0 {
			leaderless = append(leaderless, fmt.Sprint(p.Partition))
		}
	}
	switch {
	case found.AuthorizedOperations != math.MinInt32 && found.AuthorizedOperations&mayWrite == 0:
		t.Problem = exact("it is not authorised: " + reason.User(set) + " may see it, and not write to it")
	case len(leaderless) > 0:
		t.Problem = exact(fmt.Sprintf("%d of %s have no leader: %s", len(leaderless), plural(t.Partitions, "partition"), strings.Join(leaderless, ", ")))
	}
	return t
}

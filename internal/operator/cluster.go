package operator

import (
	"fmt"
	"io"
	"math"
	"slices"
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
	i := slices.IndexFunc(answer.Topics, func(one kmsg.MetadataResponseTopic) bool { return one.Topic != nil && *one.Topic == name })
	switch {
	case set.Blacklisted(name):
		t.Problem = "topic.blacklist hides it: messages fail as for an unknown topic"
	case i < 0:
		t.Problem = "the cluster did not answer for it"
	default:
		t.Partitions = len(answer.Topics[i].Partitions)
		t.Problem = exact(problemAt(set, &answer.Topics[i]))
	}
	return t
}

// problemAt says why a producer cannot write to a topic, or to all of it; "" where it can.
func problemAt(set *conf.Settings, found *kmsg.MetadataResponseTopic) string {
	switch err := kerr.TypedErrorForCode(found.ErrorCode); err {
	case nil:
	case kerr.UnknownTopicOrPartition:
		if set.AllowAutoCreate {
			return "it does not exist; the first message asks the cluster to create it"
		}
		return "it does not exist"
	case kerr.TopicAuthorizationFailed:
		return "it is not authorised: " + reason.User(set) + " may not see it"
	case kerr.InvalidTopicException:
		return "its name is not valid in Kafka"
	default:
		return fmt.Sprintf("the cluster answers %s: %s", err.Message, err.Description)
	}
	var leaderless []string
	for _, p := range found.Partitions {
		if p.Leader < 0 || p.ErrorCode != 0 {
			leaderless = append(leaderless, fmt.Sprint(p.Partition))
		}
	}
	switch {
	case found.AuthorizedOperations != math.MinInt32 && found.AuthorizedOperations&mayWrite == 0:
		return "it is not authorised: " + reason.User(set) + " may see it, and not write to it"
	case len(leaderless) > 0:
		return fmt.Sprintf("%d of %s have no leader: %s", len(leaderless), plural(len(found.Partitions), "partition"), strings.Join(leaderless, ", "))
	}
	return ""
}

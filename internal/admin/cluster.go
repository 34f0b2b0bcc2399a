package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/nearest"
	"github.com/halon-extras/kafka/internal/report"
)

// clusterTime bounds how long a command waits for clusters, all of them together.
const clusterTime = 10 * time.Second

// mostAsked bounds the clusters that are asked side by side.
const mostAsked = 16

// A described queue is what its cluster says, or why it says nothing.
type described struct {
	Queue   string          `json:"queue"`
	Error   string          `json:"error,omitempty"`
	Cluster *report.Cluster `json:"cluster"` // null on an error
	q       Queue
}

// describe asks the clusters of queues side by side.
func describe(queues []Queue, topics []string) []described {
	ctx, cancel := context.WithTimeout(context.Background(), clusterTime)
	defer cancel()
	all := make([]described, len(queues))
	room := make(chan struct{}, mostAsked)
	faults := sideBySide(len(queues), func(i int) {
		room <- struct{}{}
		defer func() { <-room }()
		all[i] = described{Queue: queues[i].ID(), q: queues[i]}
		c, err := queues[i].Describe(ctx, topics)
		if err != nil {
			all[i].Error = err.Error()
			return
		}
		all[i].Cluster = &c
	})
	for i, fault := range faults {
		if fault != nil {
			all[i].Error = fault.Error()
		}
	}
	return all
}

// sideBySide runs run for 0 to n-1, each on a goroutine of its own, and returns when all have ended, with what has panicked.
func sideBySide(n int, run func(i int)) []error {
	faults := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			logsink.Guard(func() { run(i) }, func(fault any, _ string) { faults[i] = fmt.Errorf("internal error, please report it: %v", fault) })
		})
	}
	group.Wait()
	return faults
}

// queueAnd returns the queue that the first argument names, or all where it names none, and the arguments behind it.
func (c *call) queueAnd() (queues []Queue, rest []string) {
	if len(c.args) > 0 {
		if q, err := c.queue(c.args[0]); err == nil {
			return []Queue{q}, c.args[1:]
		}
	}
	return c.Queues(), c.args
}

func metadata(c *call) (answer, error) {
	queues, topics := c.queueAnd()
	if len(topics) > 1 {
		_, err := c.queue(c.args[0])
		return answer{}, err
	}
	all := describe(queues, topics)
	var b strings.Builder
	failed := false
	for i, one := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "queue %s:\n", report.Printable(one.Queue))
		if one.Cluster == nil {
			failed = true
			fmt.Fprintf(&b, " %s\n", report.Printable(one.Error))
			continue
		}
		writeCluster(&b, one.Cluster)
	}
	return answer{b.String(), inQueues(all)}.unless(failed)
}

func writeCluster(b *strings.Builder, c *report.Cluster) {
	fmt.Fprintf(b, " cluster %s, controller %d, answered in %.1f ms\n", report.Printable(c.ID), c.Controller, c.Took*1000)
	for _, broker := range c.Brokers {
		fmt.Fprintf(b, " broker %d at %s\n", broker.ID, report.Printable(broker.Address))
	}
	for _, t := range c.Topics {
		if t.Error != "" {
			fmt.Fprintf(b, " topic %s: %s\n", report.Printable(t.Name), t.Error)
			continue
		}
		fmt.Fprintf(b, " topic %s with %d partitions\n", report.Printable(t.Name), len(t.Partitions))
		for _, p := range t.Partitions {
			fmt.Fprintf(b, "  partition %d, leader %d, %d of %d replicas in sync", p.ID, p.Leader, p.InSync, p.Replicas)
			if p.Error != "" {
				fmt.Fprintf(b, ": %s", p.Error)
			}
			b.WriteByte('\n')
		}
	}
}

// checkJSON is the verdict on one queue.
type checkJSON struct {
	Queue    string   `json:"queue"`
	Problems []string `json:"problems"`
}

// check says what is wrong with a queue, as its connections, its cluster and it itself see it.
func check(c *call) (answer, error) {
	queues, err := c.queues()
	if err != nil {
		return answer{}, err
	}
	var b strings.Builder
	all := []checkJSON{}
	wrong := 0
	for _, one := range describe(queues, nil) {
		verdict := checkJSON{one.Queue, []string{}}
		add := func(format string, args ...any) {
			verdict.Problems = append(verdict.Problems, fmt.Sprintf(format, args...))
		}
		for _, p := range one.q.Health().Problems {
			add("%s: %s", p.Kind, p.Text)
		}
		if one.Cluster == nil {
			add("%s", one.Error)
		} else {
			problemsOf(one.Cluster, add)
		}
		wrong += len(verdict.Problems)
		for _, p := range verdict.Problems {
			fmt.Fprintf(&b, "%s: %s\n", report.Printable(one.Queue), report.Printable(p))
		}
		if len(verdict.Problems) == 0 {
			fmt.Fprintf(&b, "%s: no problems: cluster %s with %d brokers answers in %.1f ms, and has the %d topics that the queue uses\n", report.Printable(one.Queue),
				report.Printable(one.Cluster.ID), len(one.Cluster.Brokers), one.Cluster.Took*1000, len(one.Cluster.Topics))
		}
		all = append(all, verdict)
	}
	return answer{b.String(), inQueues(all)}.unless(wrong > 0)
}

// problemsOf adds what a cluster says is wrong.
func problemsOf(c *report.Cluster, add func(format string, args ...any)) {
	for _, t := range c.Topics {
		if t.Error != "" {
			add("topic %s: %s", t.Name, t.Error)
		}
		leaderless, behind := 0, 0
		for _, p := range t.Partitions {
			if p.Leader < 0 {
				leaderless++
			}
			if p.InSync < p.Replicas {
				behind++
			}
		}
		if leaderless > 0 {
			add("topic %s: %d of %d partitions have no leader", t.Name, leaderless, len(t.Partitions))
		}
		if behind > 0 {
			add("topic %s: %d of %d partitions have replicas that are not in sync", t.Name, behind, len(t.Partitions))
		}
	}
}

// unknownQueue is what is said of an argument that should have been a queue.
func (c *call) unknownQueue(id string) error {
	ids := map[string]bool{}
	for _, q := range c.Queues() {
		ids[q.ID()] = true
	}
	names := slices.Sorted(maps.Keys(ids))
	return fmt.Errorf("there is no queue %q%s, the queues are: %s", id, nearest.Meant(id, names), report.Printable(strings.Join(names, ", ")))
}

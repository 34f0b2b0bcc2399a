package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/realkafka"
)

// three are brokers of one Apache Kafka with three replicas of each partition, two of which must be in sync. Leaders move, a broker is killed,
// and all are restarted one after the other, while the hosts live and die.
type three struct {
	brokers []*realkafka.Broker // the first one is the controller too
	client  *kgo.Client
	admin   *kadm.Client
	lives   int
	first   int        // of the replicas: who is to lead
	back    chan error // of a trouble that is under way; nil when there is none
	hit     *tally
}

func startThree(ctx context.Context) (_ *three, err error) {
	b := &three{hit: newTally(brokersKilled, leadersMoved, rollingRestarts)}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.brokers, err = realkafka.StartCluster(ctx, 3, realkafka.Options{}); err != nil {
		return nil, err
	}
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(strings.Split(b.address(), ",")...)); err != nil {
		return nil, err
	}
	b.admin = kadm.NewClient(b.client)
	return b, createTopic(ctx, b.brokers[0].Addr(), 3)
}

func (b *three) address() string {
	var all []string
	for _, broker := range b.brokers {
		all = append(all, broker.Addr())
	}
	return strings.Join(all, ",")
}

func (b *three) hosts() string { return b.address() }

func (b *three) troubles() *tally { return b.hit }

// upset has a trouble in five of eight lives.
func (b *three) upset(ctx context.Context, r *rand.Rand) (time.Duration, error) {
	b.lives++
	var do func(context.Context) error
	var lasts time.Duration
	switch b.lives % 8 {
	case 1, 6:
		do, lasts = b.moveLeaders, 2*time.Second
	case 2, 5:
		victim := b.brokers[1+r.IntN(len(b.brokers)-1)]
		do, lasts = func(ctx context.Context) error { return b.kill(ctx, victim) }, 6*time.Second
	case 3:
		do, lasts = b.roll, 20*time.Second
	default:
		return 0, nil
	}
	wait := time.Duration(r.IntN(300)) * time.Millisecond
	b.back = make(chan error, 1)
	go func() {
		time.Sleep(wait)
		b.back <- do(ctx)
	}()
	return lasts, nil
}

func (b *three) kill(ctx context.Context, victim *realkafka.Broker) error {
	if err := victim.Kill(); err != nil {
		return err
	}
	b.hit.add(brokersKilled)
	return victim.Start(ctx)
}

// roll restarts one broker after the other, each when the one before is in sync again.
func (b *three) roll(ctx context.Context) error {
	for i, broker := range b.brokers {
		if err := broker.Restart(ctx); err != nil {
			return err
		}
		if err := b.until(ctx, fmt.Sprintf("all replicas are in sync after the restart of node %d", i+1), func(p kadm.PartitionDetail) bool {
			return len(p.ISR) == len(b.brokers)
		}); err != nil {
			return err
		}
	}
	b.hit.add(rollingRestarts)
	return nil
}

// moveLeaders lets the next broker lead every partition.
func (b *three) moveLeaders(ctx context.Context) error {
	var req kadm.AlterPartitionAssignmentsReq
	b.first++
	var nodes []int32
	for i := range b.brokers {
		nodes = append(nodes, int32((b.first+i)%len(b.brokers)+1))
	}
	for p := range int32(partitions) {
		req.Assign(topic, p, nodes)
	}
	if _, err := b.admin.AlterPartitionAssignments(ctx, req); err != nil {
		return err
	}
	if err := b.until(ctx, "the replicas are in sync", func(p kadm.PartitionDetail) bool { return len(p.ISR) == len(b.brokers) }); err != nil {
		return err
	}
	if _, err := b.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil); err != nil {
		return err
	}
	err := b.until(ctx, fmt.Sprintf("node %d leads", nodes[0]), func(p kadm.PartitionDetail) bool { return p.Leader == nodes[0] })
	if err == nil {
		b.hit.add(leadersMoved)
	}
	return err
}

// until waits until each partition is as it should be.
func (b *three) until(ctx context.Context, what string, is func(kadm.PartitionDetail) bool) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		topics, err := b.admin.ListTopics(ctx, topic)
		n := 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			if is(p) {
				n++
			}
		})
		if err == nil && n == partitions {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("not within %v: %s", patience, what), err)
		}
	}
}

// busy waits for a trouble that is under way.
func (b *three) busy() (bool, error) {
	if b.back == nil {
		return false, nil
	}
	err := <-b.back
	b.back = nil
	return true, err
}

func (b *three) close() {
	if b.client != nil {
		b.client.Close()
	}
	for _, broker := range b.brokers {
		_ = broker.Close()
	}
}

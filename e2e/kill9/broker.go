package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/realkafka"
)

// broker is the Kafka that survives the hosts.
type broker interface {
	address() string // of one or more, with commas between
	// upset makes trouble during the next life, as it likes, and returns how long a life must last to see all of it, or 0.
	upset(ctx context.Context, r *rand.Rand) (time.Duration, error)
	// busy reports whether it has something in its hands that may yet reach the topic.
	busy() (bool, error)
	close()
}

const partitions = 4

// embedded is franz-go's kfake in this process.
type embedded struct {
	cluster *kfake.Cluster
	slow    atomic.Int64 // milliseconds that a produce request may wait
	waiting atomic.Int64
}

func startEmbedded() (*embedded, error) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic))
	if err != nil {
		return nil, err
	}
	b := &embedded{cluster: cluster}
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if slow := b.slow.Load(); slow > 0 {
			b.waiting.Add(1)
			cluster.SleepControl(func() { time.Sleep(time.Duration(rand.Int64N(slow)) * time.Millisecond) })
			b.waiting.Add(-1)
		}
		return nil, nil, false
	})
	return b, nil
}

func (b *embedded) address() string { return b.cluster.ListenAddrs()[0] }

// upset lets one life in three have a slow broker: then there is a backlog when the kill comes.
func (b *embedded) upset(_ context.Context, r *rand.Rand) (time.Duration, error) {
	b.slow.Store(0)
	if r.IntN(3) == 0 {
		b.slow.Store(1 + r.Int64N(200))
	}
	return 0, nil
}

func (b *embedded) busy() (bool, error) { return b.waiting.Load() > 0, nil }

func (b *embedded) close() { b.cluster.Close() }

// apache is a real Apache Kafka. It is killed and started again while the hosts live and die.
type apache struct {
	broker *realkafka.Broker
	lives  int
	back   chan error // of a restart that is under way; nil when there is none
}

func startApache(ctx context.Context) (*apache, error) {
	b, err := realkafka.Start(ctx, realkafka.Options{})
	if err != nil {
		return nil, err
	}
	if err := createTopic(ctx, b.Addr(), 1); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &apache{broker: b}, nil
}

// createTopic makes the topic with so many replicas.
func createTopic(ctx context.Context, address string, replicas int16) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err == nil {
		defer client.Close()
		var created kadm.CreateTopicResponses
		if created, err = kadm.NewClient(client).CreateTopics(ctx, partitions, replicas, nil, topic); err == nil {
			err = created.Error()
		}
	}
	if err != nil {
		return fmt.Errorf("the topic: %w", err)
	}
	return nil
}

func (b *apache) address() string { return b.broker.Addr() }

// upset kills the broker in every fourth life; it comes back while the host lives or is dead.
func (b *apache) upset(ctx context.Context, r *rand.Rand) (time.Duration, error) {
	if b.lives++; b.lives%4 != 0 {
		return 0, nil
	}
	wait := time.Duration(r.IntN(300)) * time.Millisecond
	b.back = make(chan error, 1)
	go func() {
		time.Sleep(wait)
		if err := b.broker.Kill(); err != nil {
			b.back <- err
			return
		}
		b.back <- b.broker.Start(ctx)
	}()
	return 0, nil
}

// busy waits for a restart that is under way: without the broker nobody can say what is on the topic.
func (b *apache) busy() (bool, error) {
	if b.back == nil {
		return false, nil
	}
	err := <-b.back
	b.back = nil
	return true, err
}

func (b *apache) close() { _ = b.broker.Close() }

package main

import (
	"fmt"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
)

// The hosts, by what their queue is. A topic has the name of its queue, and a partition for each worker.
const (
	memory = iota
	durable
)

var kinds = [...]string{memory: "memory", durable: "durable"}

// broker is the embedded broker. It reads each record that is sent to it, notes it, acknowledges it and keeps nothing.
type broker struct {
	cluster *kfake.Cluster
	address string
	ledgers [2]*ledger // of the cluster's goroutine until close
	offsets map[string]int64

	mu       sync.Mutex
	listener net.Listener // guarded by mu; nil during an outage
	conns    map[net.Conn]struct{}
	opened   chan struct{} // closed when the outage is over, or the broker is closed
	closed   bool
}

func newBroker() (*broker, error) {
	b := &broker{ledgers: [2]*ledger{newLedger(), newLedger()}, offsets: map[string]int64{}, conns: map[net.Conn]struct{}{}, opened: make(chan struct{})}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(workers, kinds[:]...),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			b.address, b.listener = l.Addr().String(), l
			return gate{b, l.Addr()}, nil
		}))
	if err != nil {
		return nil, err
	}
	b.cluster = cluster
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return b.produce(request.(*kmsg.ProduceRequest)), nil, true
	})
	return b, nil
}

func (b *broker) produce(request *kmsg.ProduceRequest) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range request.Topics {
		name := t.Topic
		if name == "" {
			name = b.cluster.TopicIDInfo(t.TopicID).Topic
		}
		answer := kmsg.NewProduceResponseTopic()
		answer.Topic, answer.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			part := kmsg.NewProduceResponseTopicPartition()
			part.Partition = p.Partition
			place := fmt.Sprint(name, p.Partition)
			part.BaseOffset = b.offsets[place]
			l := b.ledgers[durable]
			if name == kinds[memory] {
				l = b.ledgers[memory]
			}
			head, err := recordbatch.Decode(p.Records, func(r *record.Record) { l.arrive(r.Value) })
			if err != nil {
				l.wrong = append(l.wrong, err.Error())
			}
			b.offsets[place] += int64(head.Count)
			answer.Partitions = append(answer.Partitions, part)
		}
		response.Topics = append(response.Topics, answer)
	}
	return response
}

// setDown begins or ends an outage: nobody listens, and every connection is closed.
func (b *broker) setDown(down bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !down {
		l, err := net.Listen("tcp", b.address)
		if err != nil {
			return err
		}
		b.listener = l
		close(b.opened)
		return nil
	}
	b.opened = make(chan struct{})
	_ = b.listener.Close()
	b.listener = nil
	for c := range b.conns {
		_ = c.Close()
	}
	return nil
}

// down says whether there is an outage.
func (b *broker) down() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.listener == nil
}

func (b *broker) close() { b.cluster.Close() }

// gate is the listener that the cluster sees: it outlives the outages.
type gate struct {
	*broker
	addr net.Addr
}

func (g gate) Addr() net.Addr { return g.addr }

func (g gate) Accept() (net.Conn, error) {
	for {
		g.mu.Lock()
		l, opened, closed := g.listener, g.opened, g.closed
		g.mu.Unlock()
		if closed {
			return nil, net.ErrClosed
		}
		if l == nil {
			<-opened
			continue
		}
		c, err := l.Accept()
		if err != nil {
			continue // an outage, or the end
		}
		g.mu.Lock()
		if g.listener != l {
			_ = c.Close() // accepted just before the outage
		}
		kept := &passed{c, g.broker}
		g.conns[kept] = struct{}{}
		g.mu.Unlock()
		return kept, nil
	}
}

func (g gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	if g.listener == nil {
		close(g.opened)
		return nil
	}
	return g.listener.Close()
}

// passed is a connection that forgets itself when it is closed.
type passed struct {
	net.Conn
	broker *broker
}

func (c *passed) Close() error {
	err := c.Conn.Close()
	go func() { // setDown holds the lock while it closes them
		c.broker.mu.Lock()
		defer c.broker.mu.Unlock()
		delete(c.broker.conns, c)
	}()
	return err
}

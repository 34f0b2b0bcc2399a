package producer

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A cutter is a network of real sockets that are closed at random.
type cutter struct {
	mu    sync.Mutex
	conns []net.Conn // guarded by mu
	cuts  int        // guarded by mu
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		c.mu.Lock()
		c.conns = append(c.conns, conn)
		c.mu.Unlock()
	}
	return conn, err
}

// run cuts one connection after another until ctx ends.
func (c *cutter) run(ctx context.Context) {
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c.mu.Lock()
		if n := len(c.conns); n > 0 {
			i := rand.IntN(n)
			c.conns[i].Close()
			c.conns[i] = c.conns[n-1]
			c.conns = c.conns[:n-1]
			c.cuts++
		}
		c.mu.Unlock()
	}
}

// Eight threads write, and the connections are cut at random: what was not refused is on the broker. CUT_RECORDS says how many each thread writes; the gate takes 100,000.
func TestNothingVanishesWhenConnectionsAreCut(t *testing.T) {
	const threads = 8
	each := either(30_000, 6_000)
	if s := os.Getenv("CUT_RECORDS"); s != "" {
		var err error
		if each, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for _, idempotent := range []string{"false", "true"} {
		t.Run("enable.idempotence="+idempotent, func(t *testing.T) {
			fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(4, "mail"))
			if err != nil {
				t.Fatal(err)
			}
			defer fake.Close()
			var cut cutter
			set := settings(t, "bootstrap.servers="+fake.ListenAddrs()[0], "enable.idempotence="+idempotent,
				"reconnect.backoff.ms=10", "reconnect.backoff.max.ms=50", "queue.buffering.max.messages=50000")
			p, err := New("kafka1", set, Deps{Log: new(logged).logger(), Client: conf.Deps{Dialer: cut.dial}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var cutting, writing sync.WaitGroup
			cutting.Go(func() { cut.run(ctx) })
			for thread := range threads {
				writing.Go(func() { write(t, p, thread, each) })
			}
			writing.Wait()
			cancel()
			cutting.Wait()
			lost := stop(t, p, time.Minute)
			s := p.Snapshot()
			if s.In != int64(threads*each) || s.Queued != 0 || lost != 0 {
				t.Errorf("%d accepted, %d queued, %d lost at the end", s.In, s.Queued, lost)
			}
			missing, twice, disorder := audit(t, fake.ListenAddrs(), threads, each)
			if missing > 0 || s.Failed > 0 { // none has reached its message.timeout.ms
				t.Errorf("%d records are not on the broker, and %d were reported", missing, s.Failed)
			}
			if idempotent == "true" && twice+disorder > 0 {
				t.Errorf("%d records are there twice, %d out of order, with an idempotent producer", twice, disorder)
			}
			t.Logf("%d records, %d cuts: %d reported as failed, %d missing, %d twice, %d out of order",
				threads*each, cut.cuts, s.Failed, missing, twice, disorder)
			if cut.cuts == 0 {
				t.Error("no connection was cut: this run shows nothing")
			}
		})
	}
}

func write(t *testing.T, p *Producer, thread, each int) {
	var value, key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(thread))
	for i := range each {
		binary.BigEndian.PutUint64(value[:], uint64(thread*each+i))
		for {
			code := offer(p, &record.Record{Topic: "mail", Partition: -1, Key: key[:], Value: value[:]})
			if code == resperr.NoError {
				break
			}
			if code != resperr.QueueFull {
				t.Errorf("thread %d, record %d: %v", thread, i, code)
				return
			}
			runtime.Gosched()
		}
	}
}

// audit reads the whole topic and counts what is missing, repeated, or behind a later one of its key.
func audit(t *testing.T, brokers []string, threads, each int) (missing, twice, disorder int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics("mail"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, "mail")
	if err != nil {
		t.Fatal(err)
	}
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	seen := make([]bool, threads*each)
	last := make([]int, threads)
	for left > 0 && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			left--
			id := int(binary.BigEndian.Uint64(r.Value))
			thread := id / each
			switch {
			case seen[id]:
				twice++
			case id < last[thread]:
				disorder++
			default:
				last[thread] = id
			}
			seen[id] = true
		})
	}
	for _, s := range seen {
		if !s {
			missing++
		}
	}
	return missing, twice, disorder
}

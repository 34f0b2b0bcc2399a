package client

import (
	"context"
	"hash/crc32"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/conf"
)

// bench is a client with what it has told.
type bench struct {
	t      *testing.T
	c      *Client
	events chan Event
	dial   func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	lines []string // of the log; guarded by mu
}

func settings(t testing.TB, properties ...string) *conf.Settings {
	t.Helper()
	cfg := conf.New()
	for _, p := range properties {
		name, value, _ := strings.Cut(p, "=")
		if err := cfg.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	set, _, err := cfg.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newBench(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error), properties ...string) *bench {
	t.Helper()
	b := &bench{t: t, events: make(chan Event, 10000), dial: dial}
	b.c = New(settings(t, properties...), Deps{Log: b, Events: func(e Event) { b.events <- e }, Dialer: dial})
	t.Cleanup(func() { b.c.Close() })
	return b
}

func (b *bench) log(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
}

func (b *bench) Failed(address string, stage Stage, err error) {
	b.log("failed " + address + " " + [...]string{"connecting", "versions", "login"}[stage] + ": " + err.Error())
}

func (b *bench) Lost(address string, err error) { b.log("lost " + address + ": " + err.Error()) }

func (b *bench) Nonsense(address string, err error) {
	b.log("nonsense " + address + ": " + err.Error())
}
func (b *bench) Warn(_ string, err error) { b.log("warn: " + err.Error()) }
func (b *bench) Throttled(address string, d time.Duration) {
	b.log("throttled " + address + ": " + d.String())
}

func (b *bench) told() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}

// next returns the next event of a kind, and steps over others.
func (b *bench) next(k Kind) Event {
	b.t.Helper()
	limit := time.NewTimer(10 * time.Minute)
	defer limit.Stop()
	for {
		select {
		case e := <-b.events:
			if e.Kind == k {
				return e
			}
		case <-limit.C:
			b.t.Fatalf("no event of kind %d; the log:\n%s\n%+v", k, b.told(), b.c.Brokers())
		}
	}
}

// ask returns the metadata of topics.
func (b *bench) ask(topics ...string) *Metadata {
	b.t.Helper()
	b.c.AskMetadata(topics, true)
	return b.next(MetadataReceived).Metadata
}

// up connects to a broker.
func (b *bench) up(id int32) {
	b.t.Helper()
	b.c.Connect(id)
	for b.next(Up).Broker != id {
	}
}

// batch returns the bytes of a record batch with one record.
func batch(value string) func([]byte, int16) ([]byte, [][]byte) {
	return func(dst []byte, _ int16) ([]byte, [][]byte) {
		r := kmsg.Record{Value: []byte(value)}
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		body := r.AppendTo(nil)
		rb := kmsg.RecordBatch{
			PartitionLeaderEpoch: -1, Magic: 2, FirstTimestamp: 1, MaxTimestamp: 1,
			ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, Records: body,
		}
		raw := rb.AppendTo(nil)
		rb.Length = int32(len(raw) - 12)
		raw = rb.AppendTo(nil)
		rb.CRC = int32(crc(raw[21:]))
		return rb.AppendTo(dst), nil
	}
}

// send sends one batch a partition and returns the request when it is answered.
func (b *bench) send(id int32, r *Produce) (*Produce, error) {
	b.t.Helper()
	done := make(chan error, 1)
	r.Done = func(_ *Produce, err error) { done <- err }
	if r.Deadline == 0 {
		r.Deadline = time.Minute
	}
	if !b.c.Send(id, r) {
		b.t.Fatalf("broker %d takes nothing; the log:\n%s", id, b.told())
	}
	return r, <-done
}

// fleet is a cluster inside the test's bubble.
type fleet struct {
	net   kfake.VirtualNetwork
	fake  *kfake.Cluster
	down  sync.Map // addresses that refuse
	dials atomic.Int64
}

func start(t *testing.T, opts ...kfake.Opt) *fleet {
	t.Helper()
	f := &fleet{}
	opts = append([]kfake.Opt{kfake.ListenFn(f.net.Listen), kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.SeedTopics(3, "mail")}, opts...)
	fake, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	f.fake = fake
	t.Cleanup(fake.Close)
	return f
}

func (f *fleet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	f.dials.Add(1)
	if _, down := f.down.Load(address); down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return f.net.DialContext(ctx, network, address)
}

// values reads what the topic holds.
func (f *fleet) values(t *testing.T, topic string, n int) (values []string) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:9092"), kgo.Dialer(f.net.DialContext), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for len(values) < n && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func TestBatchesArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		b := newBench(t, f.dial, "bootstrap.servers=127.0.0.1:9092")
		m := b.ask("mail")
		for _, p := range m.Topics[0].Partitions {
			b.up(p.Leader)
			r, err := b.send(p.Leader, &Produce{Acks: -1, Timeout: time.Second, Batches: []Batch{
				{Topic: "mail", TopicID: m.Topics[0].ID, Partition: p.ID, Append: batch("one")},
			}})
			if err != nil || r.Batches[0].Answer.Code != 0 || !r.Written {
				t.Fatalf("partition %d: %v, %+v", p.ID, err, r.Batches[0].Answer)
			}
		}
		if got := f.values(t, "mail", 3); len(got) != 3 {
			t.Errorf("the topic holds %q", got)
		}
		b.c.AskProducerID()
		if e := b.next(ProducerID); e.Err != nil || e.ID < 0 {
			t.Errorf("producer id: %+v", e)
		}
		if told := b.told(); told != "" {
			t.Errorf("the log says: %s", told)
		}
	})
}

func crc(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

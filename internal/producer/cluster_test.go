package producer

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A cluster is one broker inside the test's bubble: its clock is virtual and its network has no
// sockets, so five minutes of outage take milliseconds.
type cluster struct {
	t    *testing.T
	net  kfake.VirtualNetwork
	fake *kfake.Cluster

	mu    sync.Mutex
	hang  chan struct{} // open while no request is answered; guarded by mu
	mute  string        // the port of the broker that is silent, "" for all; guarded by mu
	conns []net.Conn    // guarded by mu
	down  atomic.Bool   // dialling fails
	away  sync.Map      // ports to which it fails
	dials atomic.Int64

	woken chan resperr.Code // what calls that were parked in an intake are woken with
}

func newCluster(t *testing.T, opts ...kfake.Opt) *cluster {
	t.Helper()
	c := &cluster{t: t, woken: make(chan resperr.Code, 100)}
	opts = append([]kfake.Opt{kfake.ListenFn(c.net.Listen), kfake.NumBrokers(1), kfake.Ports(9092), kfake.SleepOutOfOrder()}, opts...)
	fake, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	c.fake = fake
	t.Cleanup(func() {
		c.answer()
		fake.Close()
	})
	return c
}

// silence makes the broker take requests and not answer them.
func (c *cluster) silence() { c.silenceOne("") }

// silenceOne does that to the broker at port.
func (c *cluster) silenceOne(port string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute = port
	if c.hang == nil {
		c.hang = make(chan struct{})
	}
}

// answer ends the silence.
func (c *cluster) answer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hang != nil {
		close(c.hang)
		c.hang = nil
	}
}

// A logged line, without its time.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// queue opens a queue with properties "name=value".
func (c *cluster) queue(log *logged, properties ...string) *Producer {
	c.t.Helper()
	set := settings(c.t, append([]string{"bootstrap.servers=127.0.0.1:9092"}, properties...)...)
	p, err := New("kafka1", set, c.packed(set, Deps{Log: log.logger(), Client: conf.Deps{Dialer: c.dial}}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { // a test that has failed must not leave goroutines in its bubble
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Stop(ctx)
		time.Sleep(10 * time.Minute) // of the bubble: a client that could not say farewell gives up by then
	})
	return p
}

var (
	intakes  sync.Map // of names, by intake
	intakeNo atomic.Int64
)

// packing is true with PACKED=1 in the environment: then the tests leave their records in an intake, as calls of a script do, so
// that they are packed; else they are entries. Both ways have to pass every test, but for those of queues with a spool.
func packing() bool { return os.Getenv("PACKED") != "" } // asked when it is needed, so that go test knows that the result depends on it

// unpacked skips a test of a queue with a spool, whose records are never packed, where it has nothing to show.
func unpacked(t testing.TB) {
	if packing() {
		t.Skip("records of a queue with a spool are never packed")
	}
}

// packed gives a queue an intake where records are packed.
func (c *cluster) packed(set *conf.Settings, deps Deps) Deps {
	if packing() {
		deps.Intake = c.newIntake(set)
	}
	return deps
}

// newIntake returns one in which offer leaves the records of a queue.
func (c *cluster) newIntake(set *conf.Settings) *intake.Intake {
	name := fmt.Sprint(c.t.Name(), intakeNo.Add(1))
	in, err := intake.New(name, set.MessageMaxBytes, int(resperr.QueueFull), int(resperr.Destroy))
	if err != nil {
		c.t.Fatal(err)
	}
	intakes.Store(in, name)
	return in
}

// offer is a call with r.
func offer(p *Producer, r *record.Record) resperr.Code {
	name, ok := intakes.Load(p.ingress.Intake)
	if !ok {
		return p.Offer(r)
	}
	c := intake.Call{Queue: name.(string), Topic: r.Topic, Key: r.Key, Value: r.Value, Partition: r.Partition, Milliseconds: r.Timestamp}
	if c.Milliseconds == 0 {
		c.Milliseconds = time.Now().UnixMilli()
	}
	for _, h := range r.Headers {
		c.Headers = append(c.Headers, [2]string{h.Key, string(h.Value)})
	}
	p.Publish()
	switch answer, code := c.Offer(); answer {
	case intake.Ask, intake.Gone:
		return p.Offer(r)
	case intake.Taken:
		p.wake()
		return resperr.NoError
	default:
		return resperr.Code(code)
	}
}

// deny makes the cluster answer every question for a topic with TOPIC_AUTHORIZATION_FAILED, while what it returns is true.
func (c *cluster) deny() *atomic.Bool {
	denied := &atomic.Bool{}
	denied.Store(true)
	c.fake.ControlKey(int16(kmsg.Metadata), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		req := kreq.(*kmsg.MetadataRequest)
		if !denied.Load() || len(req.Topics) == 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{NodeID: 0, Host: "127.0.0.1", Port: 9092})
		for _, topic := range req.Topics {
			resp.Topics = append(resp.Topics, kmsg.MetadataResponseTopic{Topic: topic.Topic, ErrorCode: 29})
		}
		return resp, nil, true
	})
	return denied
}

// A failer is what a test and a property test have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func settings(t failer, properties ...string) *conf.Settings {
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

// records reads what topic holds, in the order of each partition.
func (c *cluster) records(topic string, want int) []*kgo.Record {
	c.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:9092"), kgo.Dialer(c.net.DialContext), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		c.t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var got []*kgo.Record
	for len(got) < want {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			c.t.Fatalf("topic %s holds %d records, want %d", topic, len(got), want)
		}
		got = append(got, fetches.Records()...)
	}
	return got
}

func value(s string) *record.Record {
	return &record.Record{Topic: "mail", Partition: -1, Value: []byte(s)}
}

func (c *cluster) offer(p *Producer, n int) {
	c.t.Helper()
	for i := range n {
		if code := offer(p, value(fmt.Sprintf("v%06d", i))); code != resperr.NoError {
			c.t.Fatalf("record %d is refused: %v", i, code)
		}
	}
}

func stop(t *testing.T, p *Producer, limit time.Duration) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	lost := p.Stop(ctx)
	balanced(t, p)
	return lost
}

// balanced checks that every accepted record is accounted for.
func balanced(t *testing.T, p *Producer) {
	t.Helper()
	s := p.Snapshot()
	if s.In != s.Delivered+s.Failed+s.Queued || s.Queued < 0 {
		t.Errorf("in %d is not delivered %d + failed %d + queued %d", s.In, s.Delivered, s.Failed, s.Queued)
	}
}

// dial connects through the virtual network, unless the cluster is down, and keeps the connection
// to cut.
func (c *cluster) dial(ctx context.Context, network, host string) (net.Conn, error) {
	c.dials.Add(1)
	_, port, _ := net.SplitHostPort(host)
	if _, away := c.away.Load(port); away || c.down.Load() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	inner, err := c.net.DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	conn := &link{Conn: inner, cluster: c, port: port, closed: make(chan struct{})}
	c.mu.Lock()
	c.conns = append(c.conns, conn)
	c.mu.Unlock()
	return conn, nil
}

// A link is a connection whose answers the test can hold back.
type link struct {
	net.Conn
	cluster *cluster
	port    string
	once    sync.Once
	closed  chan struct{}

	mu       sync.Mutex
	deadline time.Time // guarded by mu
}

func (l *link) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	l.cluster.mu.Lock()
	hang := l.cluster.hang
	if l.cluster.mute != "" && l.cluster.mute != l.port {
		hang = nil
	}
	l.cluster.mu.Unlock()
	if hang == nil || err != nil {
		return n, err
	}
	l.mu.Lock()
	limit := time.Hour
	if !l.deadline.IsZero() {
		limit = time.Until(l.deadline)
	}
	l.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-hang:
		return n, nil
	case <-timer.C:
		return 0, os.ErrDeadlineExceeded
	case <-l.closed:
		return 0, net.ErrClosed
	}
}

func (l *link) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	l.deadline = t
	l.mu.Unlock()
	return l.Conn.SetReadDeadline(t)
}

func (l *link) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Conn.Close()
}

// cut closes every connection.
func (c *cluster) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

// create makes a topic, as an administrator does.
func (c *cluster) create(topic string, partitions int32) {
	c.t.Helper()
	c.admin(func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.CreateTopic(ctx, partitions, 1, nil, topic)
		return err
	})
}

// grow gives a topic more partitions.
func (c *cluster) grow(topic string, partitions int) {
	c.t.Helper()
	c.admin(func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.UpdatePartitions(ctx, partitions, topic)
		return err
	})
}

func (c *cluster) remove(topic string) {
	c.t.Helper()
	c.admin(func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.DeleteTopic(ctx, topic)
		return err
	})
}

func (c *cluster) admin(do func(context.Context, *kadm.Client) error) {
	c.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:9092"), kgo.Dialer(c.net.DialContext))
	if err != nil {
		c.t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := do(ctx, kadm.NewClient(cl)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hang != nil
}

// all reads everything that topic holds.
func (c *cluster) all(topic string) []*kgo.Record {
	c.t.Helper()
	n := 0
	c.admin(func(ctx context.Context, adm *kadm.Client) error {
		ends, err := adm.ListEndOffsets(ctx, topic)
		ends.Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
		return err
	})
	if n == 0 {
		return nil
	}
	return c.records(topic, n)
}

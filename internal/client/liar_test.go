package client

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// liar is a broker of one address that answers honestly unless a test lets it lie. It has the topic
// mail with two partitions, and its clock is that of the test's bubble.
type liar struct {
	t *testing.T

	mu     sync.Mutex
	lie    func(c *talk) bool // answers in place of the broker, or returns false; guarded by mu
	brokes []kmsg.MetadataResponseBroker

	window          int // how many requests the kernel takes
	dials, produced atomic.Int64
	open            atomic.Int64
}

// talk is one request on a connection of the liar.
type talk struct {
	net.Conn
	key, version int16
	id           int32
	req          kmsg.Request
	body         []byte // of the request, behind its header
	logins       int    // requests to log in on this connection before
	frames       <-chan []byte
}

func newLiar(t *testing.T) *liar {
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = 1, "one", 9092
	return &liar{t: t, window: 100, brokes: []kmsg.MetadataResponseBroker{b}}
}

func (l *liar) lies(f func(c *talk) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = f
}

func (l *liar) dial(context.Context, string, string) (net.Conn, error) {
	l.dials.Add(1)
	near, far := net.Pipe()
	l.open.Add(1)
	go l.serve(far)
	return near, nil
}

// listen reads requests as a kernel does, whether they are answered or not.
func listen(conn net.Conn, frames chan<- []byte) {
	defer close(frames)
	for {
		var head [4]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		frames <- frame
	}
}

func (l *liar) serve(conn net.Conn) {
	defer l.open.Add(-1)
	defer conn.Close()
	frames := make(chan []byte, l.window)
	go listen(conn, frames)
	logins := 0
	for frame := range frames {
		r := kbin.Reader{Src: frame}
		c := &talk{Conn: conn, key: r.Int16(), version: r.Int16(), id: r.Int32(), logins: logins, frames: frames}
		r.NullableString()
		c.req = kmsg.RequestForKey(c.key)
		c.req.SetVersion(c.version)
		if c.req.IsFlexible() {
			kmsg.SkipTags(&r)
		}
		c.body = r.Src
		if err := c.req.ReadFrom(r.Src); err != nil {
			l.t.Errorf("the client sends what kmsg cannot read: %v", err)
			return
		}
		if c.key == loginKey {
			logins++
		}
		l.mu.Lock()
		lie := l.lie
		l.mu.Unlock()
		if lie != nil && lie(c) {
			continue
		}
		if resp := l.honest(c); resp != nil {
			c.answer(resp.AppendTo(nil))
		}
	}
}

// answer sends the body of an answer.
func (c *talk) answer(body []byte) {
	head := kbin.AppendInt32(nil, c.id)
	if c.req.IsFlexible() && c.key != versionsKey {
		head = append(head, 0)
	}
	c.send(append(head, body...))
}

// send sends a frame.
func (c *talk) send(frame []byte) {
	c.bytes(append(kbin.AppendInt32(nil, int32(len(frame))), frame...))
}

// bytes sends bytes, and reports whether somebody reads them.
func (c *talk) bytes(b []byte) bool {
	_, err := c.Write(b)
	return err == nil
}

// honest returns what a broker answers, and nil for nothing.
func (l *liar) honest(c *talk) kmsg.Response {
	resp := c.req.ResponseKind()
	switch r := resp.(type) {
	case *kmsg.ApiVersionsResponse:
		for key, v := range speaks {
			k := kmsg.NewApiVersionsResponseApiKey()
			k.ApiKey, k.MinVersion, k.MaxVersion = key, 0, v.max+1
			r.ApiKeys = append(r.ApiKeys, k)
		}
	case *kmsg.MetadataResponse:
		r.Brokers = l.brokes
		for _, asked := range c.req.(*kmsg.MetadataRequest).Topics {
			r.Topics = append(r.Topics, mailTopic(*asked.Topic))
		}
	case *kmsg.ProduceResponse:
		l.produced.Add(1)
		req := c.req.(*kmsg.ProduceRequest)
		if req.Acks == 0 {
			return nil
		}
		for _, t := range req.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.BaseOffset = p.Partition, 42
				rt.Partitions = append(rt.Partitions, rp)
			}
			r.Topics = append(r.Topics, rt)
		}
	case *kmsg.InitProducerIDResponse:
		r.ProducerID, r.ProducerEpoch = 7, 0
	case *kmsg.SASLHandshakeResponse:
		r.SupportedMechanisms = []string{"PLAIN"}
	}
	return resp
}

func mailTopic(name string) kmsg.MetadataResponseTopic {
	t := kmsg.NewMetadataResponseTopic()
	t.Topic, t.TopicID = &name, [16]byte{1}
	for i := range int32(2) {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader, p.LeaderEpoch = i, 1, 3
		p.Replicas, p.ISR = []int32{1}, []int32{1}
		t.Partitions = append(t.Partitions, p)
	}
	return t
}

// mail is a request of one batch.
func mail(acks int16) *Produce {
	return &Produce{
		Acks: acks, Timeout: time.Second, Deadline: time.Minute,
		Batches: []Batch{{Topic: "mail", TopicID: [16]byte{1}, Append: batch("one")}},
	}
}

// deliver does what a producer does until a batch is acknowledged, and returns when that was.
func (b *bench) deliver() time.Time {
	b.t.Helper()
	limit := time.NewTimer(30 * time.Minute)
	defer limit.Stop()
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	done := make(chan error, 1)
	known, asked, sent := false, false, false
	for {
		switch {
		case sent:
		case !known && !asked:
			asked = true
			b.c.AskMetadata([]string{"mail"}, false)
		case known && b.c.Ready(1):
			r := mail(-1)
			r.Deadline = b.c.set.SocketTimeout
			r.Done = func(_ *Produce, err error) { done <- err }
			sent = b.c.Send(1, r)
		case known:
			b.c.Connect(1)
		}
		select {
		case e := <-b.events:
			switch e.Kind {
			case MetadataReceived:
				if known, asked = e.Metadata.Topics[0].Code == 0, false; !known {
					<-again.C
				}
			case MetadataFailed:
				known, asked = false, false
				<-again.C
			}
		case err := <-done:
			if sent = false; err == nil {
				return time.Now()
			}
			known = false
		case <-again.C:
		case <-limit.C:
			b.t.Fatalf("nothing was ever delivered; the log:\n%s\n%+v", b.told(), b.c.Brokers())
		}
	}
}

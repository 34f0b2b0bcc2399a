package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/realkafka"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// expiry is after how long the broker of -once forgets a producer: a day unless configured.
const expiry = 5 * time.Second

// troubled is a real Apache Kafka that forgets producers quickly, is killed and restarted, and is reached through a proxy
// that swallows answers.
type troubled struct {
	apache
	proxy *proxy
}

func startTroubled(ctx context.Context) (*troubled, error) {
	p, err := newProxy()
	if err != nil {
		return nil, err
	}
	const listener = "PROXY"
	b, err := realkafka.Start(ctx, realkafka.Options{
		Listeners:  []realkafka.Listener{{Name: listener, Protocol: "PLAINTEXT"}},
		Advertised: map[string]string{listener: p.address()},
		Properties: map[string]string{
			"producer.id.expiration.ms":                strconv.FormatInt(expiry.Milliseconds(), 10),
			"producer.id.expiration.check.interval.ms": "1000",
		},
	})
	if err == nil {
		err = createTopic(ctx, b)
	}
	if err != nil {
		_ = p.listener.Close()
		return nil, err
	}
	p.target = b.Address(listener)
	go p.serve()
	return &troubled{apache: apache{broker: b}, proxy: p}, nil
}

func (b *troubled) hosts() string { return b.proxy.address() }

// upset prepares trouble for the next life: in one of four the broker is killed, in one it is restarted in order, in one of three answers are
// swallowed; before one of ten the broker has forgotten the producer.
func (b *troubled) upset(ctx context.Context, r *rand.Rand) error {
	b.lives++
	if b.lives%10 == 5 {
		time.Sleep(expiry + 1500*time.Millisecond)
	}
	wait := time.Duration(r.IntN(300)) * time.Millisecond
	if b.lives%3 == 0 {
		b.proxy.swallow(wait, time.Duration(r.IntN(200))*time.Millisecond)
	}
	end := b.broker.Kill
	switch b.lives % 4 {
	case 1:
	case 3:
		end = b.broker.Stop
	default:
		return nil
	}
	b.back = make(chan error, 1)
	go func() {
		time.Sleep(wait)
		err := end()
		if err == nil {
			err = b.broker.Start(ctx)
		}
		b.back <- err
	}()
	return nil
}

func (b *troubled) close() {
	_ = b.proxy.listener.Close()
	b.apache.close()
}

// proxy stands before the broker.
type proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	deaf    bool              // answers are swallowed; guarded by mu
	conns   map[net.Conn]bool // of both sides; guarded by mu
	swallow func(after, d time.Duration)
}

func newProxy() (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p := &proxy{listener: l, conns: map[net.Conn]bool{}}
	p.swallow = func(after, d time.Duration) {
		time.AfterFunc(after, func() { p.set(true) })
		time.AfterFunc(after+d, func() { p.set(false) })
	}
	return p, err
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// set begins to swallow answers, or ends it and every connection.
func (p *proxy) set(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf && !deaf {
		for c := range p.conns {
			_ = c.Close()
		}
	}
	p.deaf = deaf
}

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		p.conns[near], p.conns[far] = true, true
		p.mu.Unlock()
		go p.carry(near, far, false)
		go p.carry(far, near, true)
	}
}

// carry copies until one side ends. Bytes of a host that is gone still reach the broker.
func (p *proxy) carry(from, to net.Conn, answers bool) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		deaf := p.deaf
		p.mu.Unlock()
		if n > 0 && (!answers || !deaf) {
			if _, werr := to.Write(b[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			_, _ = from.Close(), to.Close()
			p.mu.Lock()
			delete(p.conns, from)
			p.mu.Unlock()
			return
		}
	}
}

const (
	oldWorker = 99 // whose records are two days old
	oldAge    = 48 * time.Hour
)

// storeOld puts records of two days ago into the spool, as a backlog of that age would be. No host runs. A broker forgets the
// producer of such records at its next look, and at once when it restarts.
func (r *run) storeOld(ctx context.Context) error {
	s, err := spool.Open(spool.Options{Dir: r.Dir, MaxBytes: maxBytes, SegmentBytes: segmentBytes})
	if err != nil {
		return err
	}
	for n := range 20 + r.random.IntN(400) {
		i := id{oldWorker, r.Number, n + 1}
		answer := make(chan error, 1)
		_, err := s.Append(stored.Append(nil, &stored.Record{
			Timestamp: time.Now().Add(-oldAge).UnixMilli(), Partition: -1, Topic: topic, Key: []byte(strconv.Itoa(oldWorker)), Value: i.value(),
		}), func(err error) { answer <- err })
		if err == nil {
			err = <-answer
		}
		if err != nil {
			return errors.Join(err, s.Close(ctx))
		}
		r.journal.answer(i, true)
	}
	return s.Close(ctx)
}

// oncePoints are where the host of -once is killed.
func oncePoints() []string {
	return append(producer.Points(), producer.PointSent, producer.PointAnswered, spool.PointBatchSynced, spool.PointPositionWritten)
}

// runOnce is -once: each message is delivered once, through everything; then the same without idempotence, so that the difference is seen.
func runOnce(ctx context.Context, r *run, place func() (string, error)) (ok bool, err error) {
	start := func(idempotence string, kills int) (*journal, bool, error) {
		one := &run{life: r.life, kills: kills, random: r.random, out: r.out, once: true}
		one.Host, one.Idempotence = "plugin", idempotence
		one.Workers *= 4 // many messages: each of these waits for the disk
		if one.Dir, err = place(); err != nil {
			return nil, false, err
		}
		b, err := startTroubled(ctx)
		if err != nil {
			return nil, false, err
		}
		defer b.close()
		one.broker, one.Servers = b, b.hosts()
		ok, err := one.all(ctx)
		return one.journal, ok, err
	}
	with, ok, err := start("true", r.kills)
	if err != nil {
		return false, err
	}
	without, _, err := start("false", max(r.kills/5, 4))
	if err != nil {
		return false, err
	}
	fmt.Fprintf(r.out, "once: %s\n", with.once())
	fmt.Fprintf(r.out, "once: without enable.idempotence: %s\n", without.once())
	return ok, nil
}

// once is the closing line of -once.
func (j *journal) once() string {
	lost, twice := 0, 0
	for i := range j.answered {
		if j.seen[i] == 0 {
			lost++
		}
	}
	total := 0
	for _, n := range j.seen {
		total++
		twice += n - 1
	}
	order := "order kept"
	if j.disordered > 0 {
		order = fmt.Sprintf("%d out of order", j.disordered)
	}
	return fmt.Sprintf("%d kills, %d messages, %d lost, %d twice, %s, %d called possibly duplicated", j.kills, total, lost, twice, order, j.doubts)
}

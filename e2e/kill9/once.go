package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/realkafka"
	"github.com/halon-extras/kafka/internal/record"
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
	hit   *tally
}

func startTroubled(ctx context.Context) (*troubled, error) {
	hit := newTally(brokersKilled, brokersRestarted, producersForgotten, answersSwallowed)
	p, err := newProxy(hit)
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
		err = createTopic(ctx, b.Addr(), 1)
	}
	if err != nil {
		_ = p.listener.Close()
		if b != nil {
			_ = b.Close()
		}
		return nil, err
	}
	p.target = b.Address(listener)
	go p.serve()
	return &troubled{apache: apache{broker: b}, proxy: p, hit: hit}, nil
}

func (b *troubled) hosts() string { return b.proxy.address() }

func (b *troubled) troubles() *tally { return b.hit }

// upset prepares trouble for the next life: in three of eight the broker is killed, in two it is restarted in order, in one of three answers are
// swallowed; before one of ten the broker has forgotten the producer.
func (b *troubled) upset(ctx context.Context, r *rand.Rand) (time.Duration, error) {
	b.lives++
	if b.lives%10 == 5 {
		if err := b.forget(ctx); err != nil {
			return 0, err
		}
	}
	wait := time.Duration(r.IntN(300)) * time.Millisecond
	if b.lives%3 == 0 {
		b.proxy.swallow(wait, time.Duration(r.IntN(200))*time.Millisecond)
	}
	end, what := b.broker.Kill, brokersKilled
	switch b.lives % 8 { // every second life ends at a point
	case 1, 5, 6:
	case 3, 4:
		end, what = b.broker.Stop, brokersRestarted
	default:
		return 0, nil
	}
	b.back = make(chan error, 1)
	go func() {
		time.Sleep(wait)
		err := end()
		if err == nil {
			b.hit.add(what)
			err = b.broker.Start(ctx)
		}
		b.back <- err
	}()
	return 0, nil
}

// forget waits until the broker has forgotten every producer.
func (b *troubled) forget(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address()))
	if err != nil {
		return err
	}
	defer client.Close()
	known := func() (n int, err error) {
		topics, err := kadm.NewClient(client).DescribeProducers(ctx, kadm.TopicsSet{topic: nil})
		topics.EachPartition(func(p kadm.DescribedProducersPartition) { err = cmp.Or(err, p.Err) })
		topics.EachProducer(func(kadm.DescribedProducer) { n++ })
		return n, err
	}
	const tries = 200 // the broker may just have come back
	for try := 0; ; try++ {
		n, err := known()
		if err == nil && n == 0 {
			b.hit.add(producersForgotten) // earlier lives have written
			return nil
		}
		if err != nil && try == tries {
			return err
		}
		time.Sleep(expiry / 20)
	}
}

func (b *troubled) close() {
	_ = b.proxy.listener.Close()
	b.apache.close()
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
		_, err := s.Append(stored.Append(nil, &record.Record{
			Timestamp: time.Now().Add(-oldAge).UnixMilli(), Partition: -1, Topic: topic, Key: []byte(strconv.Itoa(oldWorker)), Value: i.value(),
		}), func(err error) { answer <- err })
		if errors.Is(err, spool.ErrFull) {
			break
		}
		if err == nil {
			err = <-answer
		}
		if err != nil {
			return errors.Join(err, s.Close(ctx))
		}
		r.journal.answer(i, true)
		r.old++
	}
	return s.Close(ctx)
}

// oncePoints are where the host of -once is killed; the first ones in any case.
func oncePoints() []string {
	return append(producer.Points(), producer.PointSent, producer.PointAnswered, spool.PointBatchSynced, spool.PointPositionWritten)
}

// A trouble is a Kafka that counts what it does to the hosts.
type trouble interface {
	broker
	hosts() string // what they connect to
	troubles() *tally
}

// runOnce is -once: each message is delivered once, through everything; then the same without idempotence, so that the difference is seen.
func runOnce(ctx context.Context, r *run, place func() (string, error)) (ok bool, err error) {
	live := func(b trouble, err error, idempotence string, kills int) (*journal, bool, error) {
		if err != nil {
			return nil, false, err
		}
		defer b.close()
		one := &run{life: r.life, kills: kills, random: r.random, out: r.out, once: true, broker: b}
		one.Host, one.Idempotence, one.Servers = "plugin", idempotence, b.hosts()
		one.Workers *= 4 // many messages: each of these waits for the disk
		if one.Dir, err = place(); err != nil {
			return nil, false, err
		}
		ok, err := one.all(ctx)
		if err == nil {
			fmt.Fprintf(r.out, "once: troubles: %s, %d messages two days old\n", b.troubles(), one.old)
		}
		if never := b.troubles().never(); ok && err == nil && len(never) > 0 && kills >= enough {
			err = fmt.Errorf("these troubles never happened, so nothing is shown: %s", strings.Join(never, ", "))
		}
		return one.journal, ok && err == nil, err
	}
	parts := []struct {
		name, idempotence string
		kills             int
		start             func() (trouble, error)
	}{
		{"one broker", "true", r.kills, func() (trouble, error) { return startTroubled(ctx) }},
		{"three brokers", "true", max(r.kills/5, enough), func() (trouble, error) { return startThree(ctx) }},
		{"without enable.idempotence", "false", max(r.kills/5, 4), func() (trouble, error) { return startTroubled(ctx) }},
	}
	var lines []string
	for _, part := range parts {
		if r.only != "" && r.only != part.name {
			continue
		}
		b, err := part.start()
		journal, ok, err := live(b, err, part.idempotence, part.kills)
		if err != nil || !ok && part.idempotence == "true" {
			return false, err
		}
		lines = append(lines, fmt.Sprintf("once: %s: %s", part.name, journal.once()))
	}
	for _, line := range lines {
		fmt.Fprintln(r.out, line)
	}
	return len(lines) > 0, nil
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

package producer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A modelBroker is one partition as Apache Kafka keeps it: a log, and what it remembers of a producer. See
// facts about idempotence in docs/design.md: a broker without memory takes any sequence, and a restart leaves only the last batch.
type modelBroker struct {
	log    []string
	epoch  int16
	last   []modelBatch // the last five
	known  bool
	frozen map[[2]int32][]string // the records of each range that was ever written, by epoch and sequence
}

type modelBatch struct{ first, last int32 }

func (m *modelBroker) write(t *rapid.T, b *batch) resperr.Code {
	var values []string
	for _, e := range b.entries {
		values = append(values, string(e.value))
	}
	if b.sequence == unnumbered {
		m.log = append(m.log, values...)
		return resperr.NoError
	}
	key := [2]int32{int32(b.epoch), b.sequence}
	if before, ok := m.frozen[key]; ok && !slices.Equal(before, values) && len(before) <= len(values) {
		t.Fatalf("range %v was written as %v and is written as %v", key, before, values)
	}
	m.frozen[key] = values
	first, last := b.sequence, plan.Sequence(b.sequence, int32(len(values)-1))
	switch {
	case m.known && b.epoch < m.epoch:
		return resperr.InvalidProducerEpoch
	case m.known && b.epoch > m.epoch:
		if first != 0 {
			return resperr.OutOfOrderSequenceNumber
		}
		m.last = nil
	case m.known:
		for _, known := range m.last {
			if known.first == first && known.last == last {
				return resperr.NoError // a repeat
			}
		}
		if n := len(m.last); n > 0 && first != plan.Sequence(m.last[n-1].last, 1) {
			return resperr.OutOfOrderSequenceNumber
		}
	}
	m.known, m.epoch = true, b.epoch
	m.last = append(m.last, modelBatch{first, last})
	if len(m.last) > 5 {
		m.last = m.last[1:]
	}
	m.log = append(m.log, values...)
	return resperr.NoError
}

func (m *modelBroker) restart() {
	if len(m.last) > 1 {
		m.last = m.last[len(m.last)-1:]
	}
}

// modelQueue is a queue without its goroutines: the test is the network, the clock and the sender.
type modelQueue struct {
	*Producer
	now     mono
	broker  modelBroker
	flying  []*request // in the order of sending
	offered int
	reports map[string]resperr.Code
	told    chan modelReport
	t       *rapid.T
	doubt   bool // something happened after which a record may be there twice
}

type modelReport struct {
	value string
	code  resperr.Code
}

// listen takes the reports that were made.
func (q *modelQueue) listen() {
	q.resumes.wait()
	for {
		select {
		case r := <-q.told:
			if _, twice := q.reports[r.value]; twice {
				q.t.Fatalf("record %s has two reports", r.value)
			}
			q.reports[r.value] = r.code
		default:
			return
		}
	}
}

func newModelQueue(t *rapid.T, properties ...string) *modelQueue {
	set := settings(t, properties...)
	p := &Producer{
		set: set, log: slog.New(slog.DiscardHandler), topics: map[string]*topic{}, began: time.Now(), stats: new(report.Queue),
		chooser: newChooser(set), limits: limits{records: 3, bytes: 1 << 20}, times: report.NewTimes(),
	}
	p.ledger = new(intake.Ledger)
	p.ledger.Limit(ledgerLimits(set))
	p.released = p.ledger.Released()
	p.resumes.guard = func(_ string, run func()) { run() }
	p.window, p.most = set.InFlight(false)
	p.compressor = p.newCompressor(set)
	p.sender.begin()
	p.clientLog = newClientLog(context.Background(), p.log, set)
	p.client = client.New(set, client.Deps{Log: p.clientLog, Events: func(client.Event) {}})
	q := &modelQueue{Producer: p, now: 1, broker: modelBroker{frozen: map[[2]int32][]string{}}, reports: map[string]resperr.Code{}, told: make(chan modelReport, 1<<16), t: t}
	return q
}

func (q *modelQueue) meta(partitions int, id byte, leader int32) {
	m := client.Topic{Name: "mail", ID: [16]byte{id}}
	for i := range partitions {
		m.Partitions = append(m.Partitions, client.Partition{ID: int32(i), Leader: leader, LeaderEpoch: -1})
	}
	q.hear(&client.Event{Kind: client.MetadataReceived, Metadata: &client.Metadata{Topics: []client.Topic{m}}}, q.now)
}

func (q *modelQueue) offer(n int) {
	buf := newBuffer(n, 100*n)
	q.mu.Lock()
	t := q.topicOfLocked("mail")
	q.mu.Unlock()
	for range n {
		v := fmt.Sprintf("%06d", q.offered)
		e := buf.add(&record.Record{Topic: "mail", Partition: -1, Value: []byte(v)}, t, 1, q.now)
		e.await = &await{waiting: &q.awaited, done: func(d Delivery) { q.told <- modelReport{v, d.Code} }}
		q.offered++
	}
	q.batchUp(buf, q.now)
}

// send lets the broker have what is ready, as one request.
func (q *modelQueue) send() bool {
	q.endPauses(q.now)
	b := q.brokerOf(0)
	if b.requests >= q.most || len(b.ready) == 0 {
		return false
	}
	r := q.compose(b)
	if r == nil {
		return false
	}
	q.stamp(r, q.now)
	r.Written = true
	b.requests++
	q.flying = append(q.flying, r)
	return true
}

// answer lets the broker handle the oldest request, and answers it.
func (q *modelQueue) answer(code resperr.Code) {
	r := q.flying[0]
	q.flying = q.flying[1:]
	for i, b := range r.batches {
		a := &r.Batches[i].Answer
		*a = client.Answer{Code: int16(code), BaseOffset: -1, LogAppendTime: -1, Leader: -1}
		if code == resperr.NoError {
			a.Code = int16(q.broker.write(q.t, b))
			if a.Code == int16(resperr.OutOfOrderSequenceNumber) && q.first(b) {
				q.doubt = true
			}
		}
	}
	q.answered(r, q.now)
}

// cut ends the connection: of what is on its way, the broker has written the first n requests.
func (q *modelQueue) cut(n int, err error) {
	flying := q.flying
	q.flying = nil
	for i, r := range flying {
		if i < n {
			for _, b := range r.batches {
				q.broker.write(q.t, b)
			}
		}
		r.err = err
	}
	for _, r := range flying {
		q.answered(r, q.now)
	}
}

// first says whether no record of the partition that is older than those of b is without its end.
func (q *modelQueue) first(b *batch) bool {
	for _, list := range [][]*batch{b.partition.inFlight, b.partition.waiting} {
		for _, other := range list {
			if other.order() < b.order() {
				return false
			}
		}
	}
	return true
}

// loseOldest ends the connection of the oldest request, while the ones after it are on a new one already.
func (q *modelQueue) loseOldest(fate string) {
	r := q.flying[0]
	q.flying = q.flying[1:]
	r.Written = fate != "not written"
	if fate == "written" {
		for _, b := range r.batches {
			q.broker.write(q.t, b)
		}
	}
	r.err = io.EOF
	q.answered(r, q.now)
}

// deliverAll lets everything end on a healthy broker.
func (q *modelQueue) deliverAll() {
	for range 10_000 {
		q.now = q.now.after(2 * time.Second)
		q.meta(1, 1, 0)
		if q.sender.ids.asking {
			q.hear(&client.Event{Kind: client.ProducerID, ID: 7, Epoch: 0}, q.now)
		}
		q.send()
		if len(q.flying) > 0 {
			q.answer(resperr.NoError)
		}
		q.listen()
		if len(q.reports) == q.offered && len(q.flying) == 0 {
			return
		}
	}
	q.t.Fatalf("%d of %d records have no report on a healthy broker", q.offered-len(q.reports), q.offered)
}

// TestModel tries orders of events on a queue and a model of a broker: each record has one report; what is reported as
// delivered is in the log; a numbered range never changes; with sequences nothing is there twice or out of order, unless a range
// was given up or the broker forgot; and the ledger ends at zero.
func TestModel(t *testing.T) {
	for _, idempotent := range []string{"true", "false"} {
		t.Run("enable.idempotence="+idempotent, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				q := newModelQueue(t, "enable.idempotence="+idempotent, "message.timeout.ms=60000", "bootstrap.servers=h:1")
				t.Repeat(map[string]func(*rapid.T){
					"offer":    func(t *rapid.T) { q.offer(rapid.IntRange(1, 5).Draw(t, "records")) },
					"metadata": func(*rapid.T) { q.meta(1, 1, 0) },
					"id": func(t *rapid.T) {
						if !q.sender.ids.asking {
							t.Skip()
						}
						q.hear(&client.Event{Kind: client.ProducerID, ID: 7, Epoch: 0}, q.now)
					},
					"send": func(*rapid.T) { q.send() },
					"time": func(t *rapid.T) {
						q.now = q.now.after(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond)
						for _, topic := range q.sender.active {
							q.expire(topic, q.now)
						}
					},
					"much time": func(t *rapid.T) {
						q.now = q.now.after(61 * time.Second)
						q.doubt = true
						for _, topic := range q.sender.active {
							q.expire(topic, q.now)
						}
					},
					"answer": func(t *rapid.T) {
						if len(q.flying) == 0 {
							t.Skip()
						}
						codes := []resperr.Code{
							resperr.NoError, resperr.NoError, resperr.NoError, resperr.NotLeaderForPartition, resperr.NotEnoughReplicas,
							resperr.MsgSizeTooLarge, resperr.KafkaStorageError,
						}
						q.answer(rapid.SampledFrom(codes).Draw(t, "code"))
					},
					"cut": func(t *rapid.T) {
						err := rapid.SampledFrom([]error{io.EOF, os.ErrDeadlineExceeded}).Draw(t, "why")
						q.cut(rapid.IntRange(0, len(q.flying)).Draw(t, "written"), err)
					},
					"another connection": func(t *rapid.T) {
						if len(q.flying) == 0 {
							t.Skip()
						}
						q.loseOldest(rapid.SampledFrom([]string{"not written", "written", "lost"}).Draw(t, "fate"))
					},
					"restart": func(t *rapid.T) {
						q.cut(rapid.IntRange(0, len(q.flying)).Draw(t, "written"), io.EOF)
						q.broker.restart()
					},
					"": q.invariants,
				})
				q.deliverAll()
				q.verify(t, idempotent == "true")
			})
		})
	}
}

// invariants hold at every moment.
func (q *modelQueue) invariants(t *rapid.T) {
	q.listen()
	topic := q.topics["mail"]
	if topic == nil {
		return
	}
	for _, part := range topic.send.partitions {
		if len(part.inFlight) > part.window {
			t.Fatalf("%d batches in flight, the window is %d", len(part.inFlight), part.window)
		}
		for i := 1; i < len(part.waiting); i++ {
			if part.waiting[i-1].order() >= part.waiting[i].order() {
				t.Fatalf("waiting batches are out of order: %d before %d", part.waiting[i-1].order(), part.waiting[i].order())
			}
		}
		if !part.idempotent {
			continue
		}
		if !part.epochAccepted && len(part.inFlight) > 1 {
			t.Fatalf("%d batches of an epoch that the broker has not taken are in flight", len(part.inFlight))
		}
	}
	if held := int64(q.offered - len(q.reports)); held != int64(topic.send.records) {
		t.Fatalf("%d records without a report, and the topic counts %d", held, topic.send.records)
	}
}

func (q *modelQueue) verify(t *rapid.T, idempotent bool) {
	count := map[string]int{}
	var first []string
	for _, v := range q.broker.log {
		if count[v]++; count[v] == 1 {
			first = append(first, v)
		}
	}
	for v, code := range q.reports {
		switch {
		case code == resperr.NoError && count[v] == 0:
			t.Fatalf("record %s is reported as delivered and is not in the log", v)
		case code != resperr.NoError && code != resperr.MsgTimedOut && code != resperr.MsgSizeTooLarge:
			t.Fatalf("record %s fails with %v", v, code)
		}
	}
	if idempotent && !q.doubt {
		if len(first) != len(q.broker.log) {
			t.Fatalf("records are there twice: %v", q.broker.log)
		}
		if !slices.IsSorted(first) {
			t.Fatalf("records are out of order: %v", first)
		}
	}
	if n := q.released.Count.Load(); n != int64(q.offered) {
		t.Fatalf("%d records were offered and room for %d was given back", q.offered, n)
	}
}

// A batch whose connection broke before it was written is sent again behind a newer one that went over the next connection: the newer one's
// error of sequence is not its own.
func TestAnErrorOfSequenceBelongsToTheOldestBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { // for its T: there is nothing to draw
		q := newModelQueue(t, "enable.idempotence=true", "bootstrap.servers=h:1")
		q.offer(1)
		q.meta(1, 1, 0)
		q.hear(&client.Event{Kind: client.ProducerID, ID: 7, Epoch: 0}, q.now)
		q.send()
		q.answer(resperr.NoError) // the epoch is accepted
		q.offer(3)
		q.send()
		q.offer(3)
		q.send()
		q.loseOldest("not written")
		q.send()                  // behind the newer one
		q.answer(resperr.NoError) // the newer one: 45
		q.loseOldest("written")
		q.deliverAll()
		q.verify(t, true)
	})
}

// A batch that was written without an answer, went again and was not written then, is given up when its time is over: what comes after it goes.
func TestWhatWasGivenUpHoldsNothingBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { // for its T: there is nothing to draw
		q := newModelQueue(t, "enable.idempotence=true", "message.timeout.ms=60000", "bootstrap.servers=h:1")
		q.offer(1)
		q.meta(1, 1, 0)
		q.hear(&client.Event{Kind: client.ProducerID, ID: 7, Epoch: 0}, q.now)
		q.send()
		q.answer(resperr.NoError)
		q.offer(1)
		q.send()
		q.cut(1, os.ErrDeadlineExceeded)
		q.now = q.now.after(time.Second)
		q.send()
		q.loseOldest("not written")
		q.now = q.now.after(61 * time.Second)
		q.doubt = true
		for _, topic := range q.sender.active {
			q.expire(topic, q.now)
		}
		q.offer(4)
		q.deliverAll()
		q.verify(t, true)
	})
}

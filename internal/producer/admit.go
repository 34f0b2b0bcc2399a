package producer

import (
	"math"
	"strings"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

const (
	// maxTopic is librdkafka's limit on the length of a topic's name.
	maxTopic = 512

	// messageOverhead is what librdkafka adds to a message when it compares it with
	// message.max.bytes. Source: rd_kafka_msg_new0, RD_KAFKAP_MSGSET_V2_OVERHEAD of one record.
	messageOverhead = 36

	// recordCost is the memory of a record besides its bytes, as the process shows it: the entry, its share of buffer and
	// batch, and of what the garbage collector lets the heap grow. headerCost is the same for one header.
	recordCost = intake.RecordCost
	headerCost = intake.HeaderCost

	// costSlack is added to the memory limit, so that a small queue.buffering.max.kbytes means what
	// librdkafka means by it, bytes of values, and a large one still bounds the memory of the
	// process when the messages are tiny.
	costSlack = 64 << 20
)

// ledgerLimits returns what the queue may hold.
//
// Compat: queue.buffering.max.kbytes. librdkafka counts the bytes of values only, so ten million
// messages of ten bytes pass a limit of 100 MB with 2 GB of memory. We refuse at the same number of
// value bytes, and also when the records together hold more memory than the limit, a tenth more and
// costSlack.
func ledgerLimits(set *conf.Settings) (count, bytes, cost int64) {
	count, bytes = int64(set.QueueMaxMessages), set.QueueMaxBytes
	if count == 0 {
		count = math.MaxInt64 / 2 // it is added to
	}
	return count, bytes, bytes + bytes/10 + costSlack
}

// Offer admits r, or says at once why not, and never waits.
//
// The message has r's Timestamp, or the time of the call when that is zero. Offer copies what it needs: Topic, Key, Value and Headers stay the caller's and may be reused as
// soon as Offer returns; the header slice may have its names replaced. It returns
// [resperr.NoError], or [resperr.QueueFull] when a limit of the queue is reached or calls are
// already parked for room, [resperr.MsgSizeTooLarge], [resperr.InvalidArg], [resperr.State],
// [resperr.UnknownTopic], [resperr.UnknownPartition] or the code of the topic as librdkafka's
// rd_kafka_producev does, in its order, and [resperr.Destroy] after Stop.
func (p *Producer) Offer(r *record.Record) resperr.Code {
	n := r.Size()
	code := p.unfit(r, n)
	if code == resperr.NoError {
		if r.Timestamp == 0 {
			r.Timestamp = milliseconds()
		}
		var kick bool
		p.mu.Lock()
		code, kick = p.admitLocked(r, n, false, nil)
		p.mu.Unlock()
		if kick {
			p.wake()
		}
	}
	p.refused(code)
	return code
}

// unfit makes the checks that need no lock.
func (p *Producer) unfit(r *record.Record, n int) resperr.Code {
	switch {
	case p.state.broken.Load():
		return resperr.Fatal
	case p.set.Transactional:
		// Compat: nobody can begin a transaction from a script, so no message has one.
		return resperr.State
	case len(r.Topic) > maxTopic:
		return resperr.InvalidArg
	case p.set.TopicLingerConflict:
		p.topicConflict(r.Topic)
		return resperr.InvalidArg
	case messageOverhead+n+headerBytes(r.Headers) > p.set.MessageMaxBytes:
		return resperr.MsgSizeTooLarge
	}
	return resperr.NoError
}

// headerBytes is what the lengths of headers add to a message by librdkafka's count: two varints
// each. Names and values are counted by recordBytes.
func headerBytes(headers []record.Header) int {
	n := 0
	for i := range headers {
		n += varintLen(len(headers[i].Key)) + varintLen(len(headers[i].Value))
	}
	return n
}

// varintLen is the length of n as a zigzag varint.
func varintLen(n int) int {
	size := 1
	for v := uint64(n) << 1; v >= 0x80; v >>= 7 {
		size++
	}
	return size
}

// admitLocked puts r into the current buffer and says whether the sender must be woken. queued is true for
// a call that waited its turn, a not nil for one that waits for the delivery.
func (p *Producer) admitLocked(r *record.Record, n int, queued bool, a *await) (code resperr.Code, kick bool) {
	if p.state.reached(phaseClosed) && !queued {
		return resperr.Destroy, false
	}
	cost := costOf(r, n)
	if p.ingress.Intake != nil {
		p.takeIntakeLocked()
	}
	if !queued && len(p.waiters) > 0 || !p.ledger.Fits(len(r.Value), cost) {
		return resperr.QueueFull, false
	}
	t := p.topicOfLocked(r.Topic)
	if code := t.refuses(r.Partition); code != resperr.NoError {
		return code, false
	}
	if !p.chargeLocked(len(r.Value), cost) {
		return resperr.QueueFull, false // calls have come in since
	}
	if p.ingress.Intake != nil && !t.introduced {
		p.introduceLocked(t)
	}
	e, kick := p.enterLocked(r, n, t, cost, p.now())
	if a != nil {
		e.await = a
	}
	p.stats.Admit(len(r.Value))
	return resperr.NoError, kick
}

// costOf returns what a record of n bytes holds of the queue's memory.
func costOf(r *record.Record, n int) int64 {
	return int64(n) + recordCost + headerCost*int64(len(r.Headers))
}

// enterLocked puts r into the current buffer. It has been charged.
func (p *Producer) enterLocked(r *record.Record, n int, t *topic, cost int64, born mono) (e *entry, kick bool) {
	t.internLocked(r.Headers)
	buf := p.current
	if buf == nil || !buf.fits(n) {
		if buf != nil && len(buf.entries) > 0 {
			p.full = append(p.full, buf)
			kick = true
		}
		buf = p.pool.get(n)
		p.current = buf
	}
	e = buf.add(r, t, cost, born)
	p.taken++
	if p.store != nil {
		t.holds.Add(1)
		t.holdsBytes.Add(int64(len(r.Value)))
	}
	if p.asleep {
		p.asleep, kick = false, true
	}
	return e, kick
}

// topicOfLocked returns the topic called name, whose bytes are the caller's.
func (p *Producer) topicOfLocked(name string) *topic {
	if t := p.latest; t != nil && t.name == name {
		return t
	}
	t, ok := p.topics[name]
	if !ok {
		t = &topic{name: strings.Clone(name)}
		t.send.choice = intake.NewChoice()
		p.topics[t.name] = t
	}
	p.latest = t
	return t
}

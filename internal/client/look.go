package client

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Place is one partition of a topic.
type Place struct {
	Topic     string
	ID        [16]byte // of the topic; zero if it is not known
	Partition int32
}

// Doubt asks whether batches of a producer are in the log of a partition.
type Doubt struct {
	Place
	Producer    int64
	Epoch       int16
	First, Last int32 // the sequences that are in doubt, of Epoch
	From        int64 // they are not before this offset; -1 is the start of the log
	LeaderEpoch int32 // in which the broker leads; -1 if it is not known
}

// Sighting is what a leader says of a Doubt.
type Sighting struct {
	Asked bool  // the leader has told what it remembers of producers; brokers before Apache Kafka 2.8 cannot
	Known bool  // it remembers the producer: the next two are of the batch that it took last, which may be on no replica yet
	Epoch int16 // of that batch
	Last  int32 // its last sequence

	// Scanned is whether the log was read: from the later of Doubt.From and Start up to End, or to where Doubt.Last was found. It is
	// not read when what the leader remembers shows that nothing in doubt was written.
	Scanned    bool
	Start, End int64  // of the log: what is before Start is gone; what is before End is on every replica in sync
	Gaps       bool   // offsets are missing in what was read: it was compacted
	Seen       []Seen // the batches of the producer and the epoch, in order
}

// Seen is the head of a batch in a log.
type Seen struct {
	First, Count int32 // sequences
	Offset       int64 // of the first record
}

// Find asks the broker that leads a partition about d. A broker that does not lead it, or in another epoch, is an error. done is called
// exactly once, from a goroutine of the client, unless the client is closed; it must not block. The error is of package kerr where the broker has answered with a code. Nothing is tried again.
//
// A question that reads the log needs the right to read the topic, and so does what a broker remembers.
func (c *Client) Find(broker int32, d Doubt, done func(*Sighting, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spawnLocked(func() {
		s, err := c.look(broker, &d)
		if c.ctx.Err() == nil {
			done(s, err)
		}
	})
}

// AskEnd asks the broker that leads a partition where its log ends, as far as every replica in sync has it. done is as that of Find.
func (c *Client) AskEnd(broker int32, p Place, done func(end int64, err error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spawnLocked(func() {
		end, err := c.offset(broker, &p, latestOffset, consumer, -1)
		if c.ctx.Err() == nil {
			done(end, err)
		}
	})
}

// errNotSpoken is a request that the broker does not have.
var errNotSpoken = errors.New("the broker does not speak it")

func (c *Client) look(broker int32, d *Doubt) (*Sighting, error) {
	s := &Sighting{Asked: true}
	// A broker that does not lead says what it remembers, too, and that may be behind: it has to lead before and afterwards, in one epoch.
	leads := func() (start int64, err error) {
		return c.offset(broker, &d.Place, earliestOffset, consumer, d.LeaderEpoch)
	}
	if _, err := leads(); err != nil {
		return nil, err
	}
	p, err := askBroker(c, broker, describeKey, 0, d.describeBody, d.readDescribe)
	switch {
	case errors.Is(err, errNotSpoken):
		s.Asked = false
	case err != nil:
		return nil, err
	}
	s.Known, s.Epoch, s.Last = p.known, p.epoch, p.last
	start, err := leads()
	if err != nil {
		return nil, err
	}
	if s.Known && (s.Epoch < d.Epoch || s.Epoch == d.Epoch && before(s.Last, d.First)) {
		return s, nil
	}
	s.Start, s.Scanned = start, true
	if s.End, err = c.replicatedEnd(broker, &d.Place); err != nil {
		return nil, err
	}
	for at := max(d.From, s.Start); at < s.End; {
		next, err := c.scan(broker, d, at, s)
		if err != nil {
			return nil, err
		}
		if n := len(s.Seen); s.Known && n > 0 && !before(sequenceAt(s.Seen[n-1].First, s.Seen[n-1].Count-1), d.Last) {
			break // where it has forgotten the producer, it may have taken a batch twice
		}
		if next <= at {
			return nil, fmt.Errorf("the log of %s [%d] cannot be read at offset %d", d.Topic, d.Partition, at)
		}
		at = next
	}
	return s, nil
}

const (
	replicaPatience = time.Second
	replicaEvery    = 10 * time.Millisecond // the first pause; each is twice the one before
)

// ErrNotReplicated is a leader that has more than the replicas in sync, for longer than a moment: what that is cannot be read yet.
var ErrNotReplicated = errors.New("the replicas in sync do not have all that the leader has")

// replicatedEnd returns where the log ends when everything that the leader has now is on the replicas in sync. Nobody may read that before, so a
// batch could be in the log and not be found; and where the leader has forgotten its producer, it would take it again.
//
// Where the leader is new, it refuses the question for the end until everything of its predecessor is there.
func (c *Client) replicatedEnd(broker int32, p *Place) (int64, error) {
	has, err := c.offset(broker, p, latestOffset, debugging, -1)
	var refusal *kerr.Error
	if err != nil && (!errors.As(err, &refusal) || refusal.Retriable) { // a broker that does not know the question is only asked the other one
		return 0, err
	}
	for pause, waited := replicaEvery, time.Duration(0); ; pause, waited = 2*pause, waited+pause {
		end, err := c.offset(broker, p, latestOffset, consumer, -1)
		if err != nil || end >= has {
			return end, err
		}
		if waited >= replicaPatience {
			return 0, fmt.Errorf("%w: it has %d, they have %d", ErrNotReplicated, has, end)
		}
		if !c.sleep(pause) {
			return 0, ErrClosed
		}
	}
}

// sequenceAt is the sequence n behind s: behind the largest comes 0.
func sequenceAt(s, n int32) int32 { return int32(uint32(s)+uint32(n)) & math.MaxInt32 }

// before says whether sequence a lies before b.
func before(a, b int32) bool { return (b-a)&math.MaxInt32 != 0 && (b-a)&math.MaxInt32 < 1<<30 }

// askBroker asks one broker, once. most is the highest version that may be used; 0 is any.
func askBroker[T any](c *Client, id int32, key, most int16, body func([]byte, int16) []byte, read func(*cursor, int16) (T, int32, error)) (T, error) {
	var none T
	answer := make(chan result[T], 1)
	r := newRequest(c, key, body, read, answer)
	r.most = most
	c.mu.Lock()
	address, known := c.known[id]
	if !known || c.closed {
		c.mu.Unlock()
		return none, ErrUnknownBroker
	}
	b := c.brokerLocked(address)
	b.queue = append(b.queue, r)
	b.startLocked()
	c.mu.Unlock()
	select {
	case a := <-answer:
		return a.answer, a.err
	case <-c.ctx.Done():
		return none, ErrClosed
	}
}

// producerState is what a broker remembers of a producer.
type producerState struct {
	known bool
	epoch int16
	last  int32
}

func (d *Doubt) describeBody(dst []byte, version int16) []byte {
	r := kmsg.NewDescribeProducersRequest()
	r.Version = version
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = d.Topic, []int32{d.Partition}
	r.Topics = append(r.Topics, t)
	return r.AppendTo(dst)
}

// readDescribe reads an answer to DescribeProducers.
//
//	throttle, [ topic, [ partition, code, text, [ id, epoch, last sequence, last timestamp, coordinator epoch, offset ] ] ]
func (d *Doubt) readDescribe(a *cursor, _ int16) (p producerState, throttle int32, err error) {
	throttle = a.Int32()
	found, code := false, int16(0)
	for range a.count(3) {
		topic := string(a.text())
		for range a.count(9) {
			partition, failed := a.Int32(), a.Int16()
			a.text()
			ours := topic == d.Topic && partition == d.Partition
			if ours {
				found, code = true, failed
			}
			for range a.count(33) {
				id, epoch, last := a.Int64(), a.Int32(), a.Int32()
				a.Int64()
				a.Int32()
				a.Int64()
				a.tags()
				if ours && id == d.Producer {
					p = producerState{true, int16(epoch), last}
				}
			}
			a.tags()
		}
		a.tags()
	}
	a.tags()
	return p, throttle, answeredFor("DescribeProducers", &d.Place, a, found, code)
}

// answeredFor says what is wrong with an answer about one partition.
func answeredFor(what string, p *Place, a *cursor, found bool, code int16) error {
	if err := a.made(what); err != nil {
		return err
	}
	if !found {
		return nonsensef("the answer to %s lacks partition %d of topic %s", what, p.Partition, quoted(p.Topic))
	}
	return kerr.ErrorForCode(code)
}

// The offsets of a log that have a name.
const (
	latestOffset   = -1
	earliestOffset = -2
)

// Who asks for an offset, part of the protocol: to a consumer a log ends where the replicas in sync do, to a debugger where the leader does.
const (
	consumer  = -1
	debugging = -2
)

// offset asks for one of them, of a leader in the epoch, or in any where that is -1.
func (c *Client) offset(broker int32, p *Place, which int64, as, epoch int32) (int64, error) {
	return askBroker(c, broker, listKey, 0, func(dst []byte, version int16) []byte {
		r := kmsg.NewListOffsetsRequest()
		r.Version = version
		t, part := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition, part.Timestamp, part.CurrentLeaderEpoch = p.Partition, which, epoch
		t.Topic, t.Partitions = p.Topic, append(t.Partitions, part)
		r.ReplicaID, r.Topics = as, append(r.Topics, t)
		return r.AppendTo(dst)
	}, p.readOffset)
}

// readOffset reads an answer to ListOffsets.
//
//	throttle (2), [ topic, [ partition, code, timestamp, offset, leader epoch (4) ] ]
func (p *Place) readOffset(a *cursor, version int16) (offset int64, throttle int32, err error) {
	if version >= 2 {
		throttle = a.Int32()
	}
	found, code := false, int16(0)
	for range a.count(3) {
		topic := string(a.text())
		for range a.count(22) {
			partition, failed := a.Int32(), a.Int16()
			a.Int64()
			at := a.Int64()
			if version >= 4 {
				a.Int32()
			}
			a.tags()
			if topic == p.Topic && partition == p.Partition {
				found, code, offset = true, failed, at
			}
		}
		a.tags()
	}
	a.tags()
	err = answeredFor("ListOffsets", p, a, found, code)
	if err == nil && offset < 0 {
		err = nonsensef("the answer to ListOffsets has the offset %d", offset)
	}
	return offset, throttle, err
}

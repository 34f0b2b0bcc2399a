package producer

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
)

// Records that calls have left are packed where their topic is known: they go from the chunk into the batch of their partition in one
// pass in C, and Go sees the batch. What happens to single records, an expiry, a batch that is halved, a partition that is gone, needs
// entries, and unpackBatch makes them.

// partitioners are the values of the property partitioner.
var partitioners = map[string]struct {
	how   intake.Hashing
	which intake.Hashed
}{
	"random":            {intake.CRC32, intake.HashNone},
	"consistent":        {intake.CRC32, intake.HashAll},
	"consistent_random": {intake.CRC32, intake.HashFull},
	"murmur2":           {intake.Murmur2, intake.HashAll},
	"murmur2_random":    {intake.Murmur2, intake.HashGiven},
	"fnv1a":             {intake.FNV1a, intake.HashAll},
	"fnv1a_random":      {intake.FNV1a, intake.HashGiven},
}

func newChooser(set *conf.Settings) *intake.Chooser {
	how := partitioners[set.PartitionerName]
	return intake.NewChooser(how.how, how.which, set.StickyLinger)
}

// route lets the records of t be packed when all is known that it takes, and only then. The sender calls it after every change of that.
func (p *Producer) route(t *topic) {
	if p.packer == nil {
		return
	}
	p.mu.Lock()
	if !t.introduced {
		p.introduceLocked(t)
	}
	index := t.index
	p.mu.Unlock()
	s := &t.send
	switch {
	case index < 0:
	case s.known && len(s.unassigned) == 0:
		p.remember(index, t)
		p.packer.Route(index, len(s.partitions), s.led)
		s.routed = p.packer.Choice(index)
	default:
		p.packer.Unroute(index)
		s.routed = nil
	}
}

// remember notes the topic of records that carry index.
func (p *Producer) remember(index int, t *topic) {
	for index >= len(p.sender.topics) {
		p.sender.topics = append(p.sender.topics, nil)
	}
	p.sender.topics[index] = t
}

// complete waits until the copies of the calls that have left the records of buf are complete, and corrects what was charged for them.
func (p *Producer) complete(buf *recordBuffer) {
	if buf.complete {
		return
	}
	sum, complete := buf.chunk.Sum()
	for !complete {
		time.Sleep(copyTime)
		sum, complete = buf.chunk.Sum()
	}
	p.mu.Lock()
	n := buf.chunk.Count()
	p.countLocked(n, &buf.sum, -1)
	p.countLocked(n, &sum, 1)
	p.ingress.Correct(buf.chunk, sum)
	p.mu.Unlock()
	buf.sum, buf.complete = sum, true
}

// pack packs the records of buf, whose copies are complete, and makes entries of those that cannot be.
func (p *Producer) pack(buf *recordBuffer, now mono) {
	every := func(int) bool { return true }
	if p.packer == nil {
		p.unpack(buf, every, buf.chunk.Count())
		return
	}
	p.watchClock(buf.takenAt)
	skipped := p.packer.Pack(buf.chunk, int64(now))
	p.packer.Touched(func(index, records int) {
		t := p.sender.topics[index]
		if !t.send.active {
			p.activate(t, now)
		}
		t.send.records += records
	})
	p.packer.Begun(func(packed *intake.Batch) {
		part := p.sender.topics[packed.Topic()].send.partitions[packed.Partition()]
		first, _, _ := packed.Timestamps()
		b := &batch{partition: part, packed: packed, id: -1, sequence: unnumbered}
		b.earliest, b.oldest = buf.takenAt.at-mono(buf.takenAt.span), buf.takenAt.born(first)
		part.waiting = append(part.waiting, b)
		p.enlist(part)
	})
	if skipped > 0 {
		p.unpack(buf, p.packer.Skipped, skipped)
	}
}

// trim gives memory back that nobody has needed for a while.
func (p *Producer) trim() {
	p.pool.trim()
	if p.packer != nil {
		p.packer.Trim()
	}
}

// watchClock closes the open batches when the wall clock was set: the age of their records is counted from the first one's.
func (p *Producer) watchClock(d takenAt) {
	const jitter = 100
	offset := d.wall - time.Duration(d.at).Milliseconds()
	moved := offset - p.sender.wall
	if moved >= -jitter && moved <= jitter {
		return
	}
	p.sender.wall = offset
	for _, t := range p.sender.active {
		for _, part := range t.send.partitions {
			if n := len(part.waiting); n > 0 {
				part.waiting[n-1].close()
			}
		}
	}
}

// unpack makes entries of the n records of buf, which are in a chunk, that want wants.
func (p *Producer) unpack(buf *recordBuffer, want func(i int) bool, n int) {
	if buf.sum.Headers > 0 {
		buf.headers = make([]record.Header, buf.sum.Headers)
	}
	headers := buf.headers
	buf.entries = make([]entry, 0, n)
	first := p.number(buf.chunk.Count())
	var f intake.Record
	r := buf.chunk.Reader()
	for i := range buf.chunk.Count() {
		r.Next(&f)
		if !want(i) {
			continue
		}
		if f.Topic >= len(p.sender.topics) || p.sender.topics[f.Topic] == nil {
			p.remember(f.Topic, p.topicAt(f.Topic))
		}
		t := p.sender.topics[f.Topic]
		if len(buf.entries) == 0 {
			buf.topic = t
		} else if buf.topic != t {
			buf.topic = nil
		}
		payload := len(f.Key) + len(f.Value)
		var own []record.Header
		if f.Headers > 0 {
			own = headers[:f.Headers:f.Headers]
			headers = headers[f.Headers:]
			for j := range own {
				own[j].Key, own[j].Value = f.NextHeader()
				payload += len(own[j].Key) + len(own[j].Value)
			}
		}
		buf.entries = append(buf.entries, entry{
			key: f.Key, value: f.Value, headers: own, timestamp: f.Milliseconds, born: buf.takenAt.born(f.Milliseconds),
			topic: t, buffer: buf, cost: int64(recordCost + payload + headerCost*f.Headers), asked: f.Partition, number: first + uint64(i),
		})
	}
}

// number returns the number of the first of the n records that were packed last; without a packer they get theirs now.
func (p *Producer) number(n int) uint64 {
	if p.packer != nil {
		return p.packer.Fed() - uint64(n) + 1
	}
	p.sender.lastNumber += uint64(n)
	return p.sender.lastNumber - uint64(n) + 1
}

// nextNumber returns the number of a record that is in no chunk.
func (p *Producer) nextNumber() uint64 {
	if p.packer != nil {
		return p.packer.Number()
	}
	p.sender.lastNumber++
	return p.sender.lastNumber
}

// unpackBatch makes entries of the records of b, if they are packed. What is written of b meanwhile is its image, which stays.
func (p *Producer) unpackBatch(b *batch) {
	packed := b.packed
	if packed == nil {
		return
	}
	packed.Close()
	pieces := packed.Pieces(nil)
	raw := pieces[0][recordbatch.Overhead:]
	if len(pieces) > 1 {
		raw = bytes.Join(append([][]byte{raw}, pieces[1:]...), nil)
	}
	n := packed.Count()
	buf := &recordBuffer{entries: make([]entry, 0, n), packed: packed, refs: n}
	first, _, _ := packed.Timestamps()
	now := p.now()
	t := b.partition.topic
	b.entries = make([]*entry, 0, n)
	_, err := recordbatch.Records(raw, int32(n), first, func(r *record.Record) {
		i := len(buf.entries)
		born := b.oldest + mono(time.Duration(r.Timestamp-first)*time.Millisecond)
		buf.entries = append(buf.entries, entry{
			key: r.Key, value: r.Value, timestamp: r.Timestamp, born: min(max(born, b.earliest), now), topic: t, buffer: buf,
			asked: anyPartition, number: packed.Number() + uint64(i),
			cost: costOf(r, r.Size()),
		})
		e := &buf.entries[i]
		if len(r.Headers) > 0 {
			e.headers = append([]record.Header(nil), r.Headers...)
		}
		if packed.Named(i) {
			e.asked = packed.Partition()
		}
		b.entries = append(b.entries, e)
	})
	if err != nil {
		// What it would send is not what was accepted.
		p.log.Log(context.Background(), logsink.LevelCrit, "a batch in memory is damaged, the queue takes no more messages until the mail server is restarted",
			"topic", t.name, "partition", packed.Partition(), "error", err)
		p.breakDown()
		return
	}
	b.packed = nil
	b.measure()
}

// unpackOldest makes entries of the oldest batch of each partition of t.
func (p *Producer) unpackOldest(t *topic) {
	for _, part := range t.send.partitions {
		var oldest *batch
		for _, b := range slices.Concat(part.inFlight, part.waiting) {
			if oldest == nil || b.order() < oldest.order() {
				oldest = b
			}
		}
		if oldest != nil {
			p.unpackBatch(oldest)
		}
	}
}

package producer

import (
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/stored"
)

// unnumbered is the sequence of a batch that has none: always without idempotence, and before it is first sent with it.
const unnumbered = -1

// A batch is records of one partition that are sent, answered and sent again together.
//
// From the moment that it has a sequence until the partition begins a new epoch, its records are fixed: the broker knows
// the range and would take another content of the same range for a repeat, and drop it.
type batch struct {
	partition *partition
	packed    *intake.Batch // the records, encoded by the intake's packer and none of them reported; nil: they are entries
	entries   []*entry      // in order; with a sequence they stay even after their report
	size      int           // of entries, encoded and not compressed, at most
	oldest    mono          // when the time of its oldest record began; that of the first one while packed
	earliest  mono          // no packed record is older
	live      int           // entries without a report; see unreported

	id       int64 // of the producer; -1 without a sequence
	epoch    int16
	sequence int32
	tries    int          // attempts that count against retries
	last     resperr.Code // what the last attempt has failed with
	doubtful bool         // it may be in the log: it was written, and its answer is not known

	// Of a queue that delivers once.
	note      noteState // of its plan
	notes     int       // how often it was noted
	topicID   [16]byte  // of the topic that its plan names
	bound     int64     // where the log ended when it got its sequence
	sequences int32     // how many sequences it has where not all of its records are in entries; else 0
	broker    int32     // that it was sent to
	old       bool      // the broker may forget its records at any time
	refused   bool      // the broker did not take its sequence
	loose     bool      // a copy of it may be under way, however long ago it was sent
	looked    uint64    // the connection over which it was last looked for
}

// order is the place of b among the batches of its partition.
func (b *batch) order() uint64 {
	if b.packed != nil {
		return b.packed.Number()
	}
	return b.entries[0].number
}

// newest returns the last sequence on disk of the records of b.
func (b *batch) newest() (seq uint64) {
	for _, e := range b.entries {
		seq = max(seq, e.stored.seq)
	}
	return seq
}

// count returns how many records b has, with those that had their report.
func (b *batch) count() int {
	if b.packed != nil {
		return b.packed.Count()
	}
	return len(b.entries)
}

// unreported returns how many records of b have no report yet: of a packed batch, all.
func (b *batch) unreported() int {
	if b.packed != nil {
		return b.packed.Count()
	}
	return b.live
}

// bytes returns how large b is at most, not compressed.
func (b *batch) bytes() int {
	if b.packed != nil {
		return b.packed.Size()
	}
	return b.size
}

// whole says whether no record of b had its report yet.
func (b *batch) whole() bool { return b.packed != nil || b.live == len(b.entries) }

// recordBound is the most that the framing of a record takes: its length, attributes, timestamp and offset, and the
// lengths of key, value and headers. headerBound is the same for the lengths of one header.
const (
	recordBound = 5 + 1 + 10 + 5 + 5 + 5 + 5
	headerBound = 10
)

func (e *entry) bound() int {
	n := recordBound + len(e.key) + len(e.value)
	for i := range e.headers {
		n += headerBound + len(e.headers[i].Key) + len(e.headers[i].Value)
	}
	return n
}

// newBatch returns a batch of entries, which it keeps. There is at least one.
func newBatch(p *partition, entries []*entry) *batch {
	b := &batch{partition: p, entries: entries, id: -1, sequence: unnumbered}
	b.measure()
	return b
}

func (b *batch) measure() {
	b.size, b.live, b.oldest = recordbatch.Overhead, 0, b.entries[0].born
	for _, e := range b.entries {
		b.size += e.bound()
		b.oldest = min(b.oldest, e.born)
		if !e.reported {
			b.live++
		}
	}
}

// age finds the oldest record again, whose age has changed.
func (b *batch) age() {
	b.oldest = 1<<63 - 1
	for _, e := range b.entries {
		if !e.reported {
			b.oldest = min(b.oldest, e.born)
		}
	}
}

// add puts e behind the others.
func (b *batch) add(e *entry, bound int) {
	b.entries = append(b.entries, e)
	b.size += bound
	b.oldest = min(b.oldest, e.born)
	b.live++
}

// close ends the growth of a packed batch: what comes next is newer than what goes behind it.
func (b *batch) close() {
	if b.packed != nil {
		b.packed.Close()
	}
}

// split returns the two halves of b, which is not packed. Each keeps its part of the sequence: the broker has written nothing of b.
func (b *batch) split() (front, back *batch) {
	middle := len(b.entries) / 2
	front, back = newBatch(b.partition, b.entries[:middle:middle]), newBatch(b.partition, b.entries[middle:])
	for _, half := range []*batch{front, back} {
		half.tries, half.last, half.doubtful = b.tries, b.last, b.doubtful
		half.topicID, half.bound, half.loose = b.topicID, b.bound, b.loose
	}
	if b.sequence != unnumbered {
		front.id, front.epoch, front.sequence = b.id, b.epoch, b.sequence
		back.id, back.epoch, back.sequence = b.id, b.epoch, plan.Sequence(b.sequence, int32(middle))
	}
	return front, back
}

// An image is what a batch is when it is sent. It does not change while the batch is on its way, whatever becomes of the batch.
type image struct {
	head    recordbatch.Head
	packed  *intake.Batch
	entries []*entry

	compressed chan struct{} // closed when buffer is there; nil: it is sent as it is
	buffer     *[]byte       // what is sent; the compressor's, until it is closed
}

func newImage(b *batch) *image {
	m := &image{packed: b.packed, entries: b.entries}
	m.head = recordbatch.Head{Count: int32(b.count()), ProducerID: b.id, Epoch: b.epoch, Sequence: b.sequence}
	if b.sequence == unnumbered {
		m.head.ProducerID, m.head.Epoch = -1, -1
	}
	if b.packed != nil {
		m.head.FirstTimestamp, _, m.head.MaxTimestamp = b.packed.Timestamps()
	}
	return m
}

// encode appends the batch as Kafka stores it to dst, or returns it in pieces.
func (m *image) encode(dst []byte, codec *recordbatch.Codec) (_ []byte, pieces [][]byte) {
	if m.packed != nil {
		pieces = m.packed.Pieces(nil)
		if codec == nil {
			recordbatch.Fill(pieces[0], m.packed.Size(), m.head, m.packed.Checksum)
			return dst, pieces
		}
		return recordbatch.Compress(dst, pieces, m.head, codec), nil
	}
	start := len(dst)
	h := m.head
	h.FirstTimestamp, h.MaxTimestamp = m.entries[0].timestamp, m.entries[0].timestamp
	dst = recordbatch.Begin(dst)
	for i, e := range m.entries {
		h.MaxTimestamp = max(h.MaxTimestamp, e.timestamp)
		dst = recordbatch.AppendRecord(dst, int32(i), e.timestamp-h.FirstTimestamp, e.key, e.value, e.headers)
	}
	return recordbatch.Finish(dst, start, h, codec), nil
}

// record is e as its script has passed it.
func (e *entry) record() record.Record {
	return record.Record{
		Topic: e.topic.name, Partition: e.asked, Key: e.key, Value: e.value, Headers: e.headers, Timestamp: e.timestamp,
	}
}

// payload appends e as the spool keeps it.
func (e *entry) payload(dst []byte) []byte {
	r := e.record()
	return stored.Append(dst, &r)
}

package producer

import (
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
	"github.com/halon-extras/kafka/internal/resperr"
)

// unnumbered is the sequence of a batch that has none: always without idempotence, and before it is first sent with it.
const unnumbered = -1

// A batch is records of one partition that are sent, answered and sent again together.
//
// From the moment that it has a sequence until the partition begins a new epoch, its records are fixed: the broker knows
// the range and would take another content of the same range for a repeat, and drop it.
type batch struct {
	partition *partition
	entries   []*entry // in order; with a sequence they stay even after their report
	size      int      // encoded and not compressed, at most
	oldest    mono     // when the time of its oldest record began
	live      int      // records without a report

	id       int64 // of the producer; -1 without a sequence
	epoch    int16
	sequence int32
	tries    int          // attempts that count against retries
	last     resperr.Code // what the last attempt has failed with
	doubtful bool         // it may be in the log: it was written, and its answer is not known
}

// order is the place of b among the batches of its partition.
func (b *batch) order() uint64 { return b.entries[0].number }

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

// add puts e behind the others.
func (b *batch) add(e *entry, bound int) {
	b.entries = append(b.entries, e)
	b.size += bound
	b.oldest = min(b.oldest, e.born)
	b.live++
}

// split returns the two halves of b. Each keeps its part of the sequence: the broker has written nothing of b.
func (b *batch) split() (front, back *batch) {
	middle := len(b.entries) / 2
	front, back = newBatch(b.partition, b.entries[:middle:middle]), newBatch(b.partition, b.entries[middle:])
	for _, half := range []*batch{front, back} {
		half.tries, half.last, half.doubtful = b.tries, b.last, b.doubtful
	}
	if b.sequence != unnumbered {
		front.id, front.epoch, front.sequence = b.id, b.epoch, b.sequence
		back.id, back.epoch, back.sequence = b.id, b.epoch, sequenceAfter(b.sequence, middle)
	}
	return front, back
}

// sequenceAfter is the sequence n records later. It begins again at 0 after the largest number, as brokers count.
func sequenceAfter(sequence int32, n int) int32 {
	return int32(uint32(sequence)+uint32(n)) & 0x7fffffff
}

// encode appends b as Kafka stores it. It reads only what does not change while b is on its way.
func (b *batch) encode(dst []byte, codec *recordbatch.Codec) []byte {
	start := len(dst)
	base := b.entries[0].timestamp
	h := recordbatch.Head{
		FirstTimestamp: base, MaxTimestamp: base, Count: int32(len(b.entries)),
		ProducerID: b.id, Epoch: b.epoch, Sequence: b.sequence,
	}
	if b.sequence == unnumbered {
		h.ProducerID, h.Epoch = -1, -1
	}
	dst = recordbatch.Begin(dst)
	for i, e := range b.entries {
		h.MaxTimestamp = max(h.MaxTimestamp, e.timestamp)
		dst = recordbatch.AppendRecord(dst, int32(i), e.timestamp-base, e.key, e.value, e.headers)
	}
	return recordbatch.Finish(dst, start, h, codec)
}

// record is e as its script has passed it.
func (e *entry) record() record.Record {
	return record.Record{
		Topic: e.topic.name, Partition: e.asked, Key: e.key, Value: e.value, Headers: e.headers, Timestamp: e.timestamp,
	}
}

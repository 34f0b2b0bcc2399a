// Package plan is what a durable queue notes about batches before and after it sends them: which records of the spool go to which
// partition, under which producer id and sequences, and what is known to be in the log.
//
// A [Ledger] is the sum of such notes. It promises that notes which were applied in the order in which they were written give
// the same ledger again, that [Ledger.Snapshot] says all of it in fewer notes, and that no bytes make Apply panic or hold more
// memory than they have. Within an epoch of a partition a sequence belongs to one record permanently: that is what its callers keep.
//
// It knows no Kafka client and no disk. It is pure; a ledger belongs to one goroutine at a time.
//
// The notes, part of the format (see docs/spool-format.md). They carry no version: a note of a kind that Apply does not know is damage, so a new kind needs a new
// version of the file, which is that of its segment header. Each is its length as an unsigned varint, a byte for
// its kind, and unsigned varints unless something else is said. place is the length of the topic's name, the name, the 16 bytes
// of the topic's id, and the partition. One is added to numbers that may be -1.
//
//	1 plan       place, producer id, epoch, first sequence, bound + 1, number of spans, then for each: how far it begins behind
//	             the end of the one before (the first: behind 0), a signed varint, and how many records it has
//	2 done       place, producer id, epoch, first sequence, number of records, offset behind the last record + 1
//	3 void       place, producer id, epoch, first sequence
//	4 partition  place, producer id, epoch, next sequence, bound + 1
//	5 position   generation of the spool's position
package plan

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// The kinds of notes, part of the format.
const (
	kindPlan      = 1 // these records are about to be sent
	kindDone      = 2 // this batch is in the log
	kindVoid      = 3 // no batch from this sequence on is in the log or will be: its records get other numbers
	kindPartition = 4 // what a snapshot says of a partition
	kindPosition  = 5 // batches that a snapshot leaves out are in this position of the spool, or a later one
)

// A Place is one partition of one topic.
type Place struct {
	Topic     string
	ID        [16]byte // of the topic; zero where the broker does not tell
	Partition int32
}

// An Epoch is what brokers know a producer by on a partition.
type Epoch struct {
	Producer int64
	Number   int16
}

// A Span is Count sequences of the spool from From on.
type Span struct{ From, Count uint64 }

// A Batch is records that are sent together.
type Batch struct {
	Place
	Epoch
	First int32 // sequence of the first record
	Count int32 // the sum of Spans
	Bound int64 // if it is in the log, then not before this offset; -1 is not known
	Spans []Span
	Done  bool // it is in the log
}

// Last is the sequence of the last record.
func (b *Batch) Last() int32 { return Sequence(b.First, b.Count-1) }

// End is the sequence of the spool behind the largest of the records.
func (b *Batch) End() (end uint64) {
	for _, s := range b.Spans {
		end = max(end, s.From+s.Count)
	}
	return end
}

// Sequence is the one that lies n behind s: behind the largest comes 0.
func Sequence(s, n int32) int32 { return int32(uint32(s)+uint32(n)) & math.MaxInt32 }

// Distance is how many sequences b lies behind a: less than 0 when it lies before.
func Distance(a, b int32) int32 {
	const half = 1 << 30
	d := (b - a) & math.MaxInt32
	if d >= half {
		return d - math.MaxInt32 - 1
	}
	return d
}

// Grow adds the sequence seq of the spool to spans.
func Grow(spans []Span, seq uint64) []Span {
	if n := len(spans); n > 0 && spans[n-1].From+spans[n-1].Count == seq {
		spans[n-1].Count++
		return spans
	}
	return append(spans, Span{seq, 1})
}

// AppendPlan notes that b is about to be sent.
func AppendPlan(dst []byte, b *Batch) []byte {
	return sized(dst, func(dst []byte) []byte {
		dst = appendHead(dst, kindPlan, &b.Place, b.Epoch)
		dst = binary.AppendUvarint(dst, uint64(b.First))
		dst = binary.AppendUvarint(dst, uint64(b.Bound+1))
		dst = binary.AppendUvarint(dst, uint64(len(b.Spans)))
		end := uint64(0)
		for _, s := range b.Spans {
			dst = binary.AppendVarint(dst, int64(s.From-end))
			dst = binary.AppendUvarint(dst, s.Count)
			end = s.From + s.Count
		}
		return dst
	})
}

// AppendDone notes that count records from first on are in the log; end is the offset behind the last of them, or -1.
func AppendDone(dst []byte, p *Place, e Epoch, first, count int32, end int64) []byte {
	return sized(dst, func(dst []byte) []byte {
		dst = appendHead(dst, kindDone, p, e)
		dst = binary.AppendUvarint(dst, uint64(first))
		dst = binary.AppendUvarint(dst, uint64(count))
		return binary.AppendUvarint(dst, uint64(end+1))
	})
}

// AppendVoid notes that no batch from first on, of those that are not done, is in the log or will be.
func AppendVoid(dst []byte, p *Place, e Epoch, first int32) []byte {
	return sized(dst, func(dst []byte) []byte {
		dst = appendHead(dst, kindVoid, p, e)
		return binary.AppendUvarint(dst, uint64(first))
	})
}

func appendPartition(dst []byte, p *Place, of *Partition) []byte {
	return sized(dst, func(dst []byte) []byte {
		dst = appendHead(dst, kindPartition, p, of.Epoch)
		dst = binary.AppendUvarint(dst, uint64(of.Next))
		return binary.AppendUvarint(dst, uint64(of.Bound+1))
	})
}

func appendPosition(dst []byte, generation uint64) []byte {
	return sized(dst, func(dst []byte) []byte { return binary.AppendUvarint(append(dst, kindPosition), generation) })
}

func appendHead(dst []byte, kind byte, p *Place, e Epoch) []byte {
	dst = binary.AppendUvarint(append(dst, kind), uint64(len(p.Topic)))
	dst = append(append(dst, p.Topic...), p.ID[:]...)
	dst = binary.AppendUvarint(dst, uint64(p.Partition))
	dst = binary.AppendUvarint(dst, uint64(e.Producer))
	return binary.AppendUvarint(dst, uint64(e.Number))
}

// sized puts the length of what body appends before it.
func sized(dst []byte, body func([]byte) []byte) []byte {
	at := len(dst)
	dst = body(append(dst, 0)) // most notes are shorter than 128 bytes
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(dst)-at-1))
	dst[at] = length[0]
	return slices.Insert(dst, at+1, length[1:n]...)
}

var errShort = errors.New("it is cut short")

// input reads a note; after an error it gives zeros.
type input struct {
	rest []byte
	err  error
}

func (in *input) bytes(n uint64) []byte {
	if in.err != nil || n > uint64(len(in.rest)) {
		in.err = cmp.Or(in.err, errShort)
		return nil
	}
	b := in.rest[:n]
	in.rest = in.rest[n:]
	return b
}

// number reads one that is at most most.
func (in *input) number(most uint64) uint64 {
	v, n := binary.Uvarint(in.rest)
	if in.err != nil || n <= 0 || v > most {
		if in.err == nil {
			in.err = fmt.Errorf("a number of it is larger than %d, or cut short", most)
		}
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

func (in *input) distance() int64 {
	v, n := binary.Varint(in.rest)
	if in.err != nil || n <= 0 {
		in.err = cmp.Or(in.err, errShort)
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

func (in *input) place() (p Place) {
	p.Topic = string(in.bytes(in.number(math.MaxInt16)))
	copy(p.ID[:], in.bytes(16))
	p.Partition = int32(in.number(math.MaxInt32))
	return p
}

func (in *input) epoch() Epoch {
	return Epoch{Producer: int64(in.number(math.MaxInt64)), Number: int16(in.number(math.MaxInt16))}
}

func (in *input) sequence() int32 { return int32(in.number(math.MaxInt32)) }

func (in *input) offset() int64 { return int64(in.number(math.MaxInt64)) - 1 }

// lastSequence of a spool is never reached.
const lastSequence = 1 << 62

func (in *input) batch() *Batch {
	b := &Batch{Place: in.place(), Epoch: in.epoch(), First: in.sequence(), Bound: in.offset()}
	n := in.number(uint64(len(in.rest)) / 2)
	if in.err == nil && n == 0 {
		in.err = errors.New("it has no records")
	}
	b.Spans = make([]Span, 0, n)
	end, count := uint64(0), uint64(0)
	for range n {
		from := end + uint64(in.distance())
		s := Span{from, in.number(math.MaxInt32)}
		if end, count = s.From+s.Count, count+s.Count; in.err == nil &&
			(s.Count == 0 || s.From == 0 || s.From > lastSequence || end > lastSequence || count > math.MaxInt32) {
			in.err = errors.New("a span of it is impossible")
		}
		b.Spans = append(b.Spans, s)
	}
	b.Count = int32(count)
	return b
}

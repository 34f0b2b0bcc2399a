package plan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// A Partition is what a ledger knows of one.
type Partition struct {
	Epoch
	Next    int32    // the sequence of the next record
	Bound   int64    // nothing that is not done lies before this offset; -1 is not known
	Batches []*Batch // those that are not done are in the order of their sequences
}

// A Ledger is the sum of notes. Its zero value is empty.
type Ledger struct {
	Partitions map[Place]*Partition
	Position   uint64 // the generation of the spool's position that has what was left out
}

// Apply adds notes. After an error an unknown part of them was added.
func (l *Ledger) Apply(notes []byte) error {
	for len(notes) > 0 {
		size, n := binary.Uvarint(notes)
		if n <= 0 || size == 0 || size > uint64(len(notes)-n) {
			return fmt.Errorf("a note has an impossible length: %w", errShort)
		}
		body := notes[n : n+int(size)]
		notes = notes[n+int(size):]
		in := &input{rest: body[1:]}
		switch body[0] {
		case kindPlan:
			if b := in.batch(); in.err == nil {
				l.plan(b)
			}
		case kindDone:
			p, e, first, count, end := in.place(), in.epoch(), in.sequence(), in.sequence(), in.offset()
			if part := l.Partitions[p]; in.err == nil && part != nil {
				part.done(e, first, count, end)
			}
		case kindVoid:
			p, e, first := in.place(), in.epoch(), in.sequence()
			if part := l.Partitions[p]; in.err == nil && part != nil && part.Epoch == e {
				part.void(first)
				part.Next = first
			}
		case kindPartition:
			p, e, next, bound := in.place(), in.epoch(), in.sequence(), in.offset()
			if in.err == nil {
				part := l.partition(p)
				part.Epoch, part.Next, part.Bound = e, next, bound
			}
		case kindPosition:
			l.Position = in.number(math.MaxInt64)
		default:
			return fmt.Errorf("a note has the kind %d, which this program does not know", body[0])
		}
		if in.err != nil {
			return fmt.Errorf("a note of the kind %d: %w", body[0], in.err)
		}
		if len(in.rest) > 0 {
			return fmt.Errorf("%d bytes follow a note of the kind %d", len(in.rest), body[0])
		}
	}
	return nil
}

func (l *Ledger) partition(p Place) *Partition {
	part := l.Partitions[p]
	if part == nil {
		if l.Partitions == nil {
			l.Partitions = make(map[Place]*Partition)
		}
		part = &Partition{Bound: -1}
		l.Partitions[p] = part
	}
	return part
}

// plan takes the place of every batch that is not done and of an older epoch, or has a sequence of b: those were found not to be in the log.
func (l *Ledger) plan(b *Batch) {
	part := l.partition(b.Place)
	same := part.Epoch == b.Epoch
	part.Batches = slices.DeleteFunc(part.Batches, func(old *Batch) bool {
		return !old.Done && (old.Epoch != b.Epoch || Distance(old.First, b.Last()) >= 0 && Distance(b.First, old.Last()) >= 0)
	})
	if end := Sequence(b.First, b.Count); !same || Distance(part.Next, end) > 0 || len(part.Batches) == 0 {
		part.Next = end
	}
	part.Epoch, part.Bound = b.Epoch, b.Bound
	at := slices.IndexFunc(part.Batches, func(other *Batch) bool { return !other.Done && Distance(b.First, other.First) > 0 })
	if at < 0 {
		at = len(part.Batches)
	}
	part.Batches = slices.Insert(part.Batches, at, b)
}

func (p *Partition) done(e Epoch, first, count int32, end int64) {
	for _, b := range p.Batches {
		if b.Epoch == e && b.First == first && b.Count == count {
			b.Done = true
		}
	}
	if end >= 0 {
		p.Bound = end
	}
}

func (p *Partition) void(first int32) {
	p.Batches = slices.DeleteFunc(p.Batches, func(b *Batch) bool {
		return !b.Done && b.Epoch == p.Epoch && Distance(first, b.First) >= 0
	})
}

// Producer returns the producer id of all partitions. It is -1 where there are none, and where they have several: which of those is the newest is not known, and a
// partition that has left an id must not come back to it, because its sequences are given out.
func (l *Ledger) Producer() int64 {
	id := int64(-1)
	for _, part := range l.Partitions {
		if id >= 0 && part.Producer != id {
			return -1
		}
		id = part.Producer
	}
	return id
}

// Forget leaves out the batches of which every record is resolved, as resolved says of a sequence of the spool. That is certain from
// the generation of the spool's position on.
func (l *Ledger) Forget(resolved func(seq uint64) bool, generation uint64) {
	l.Position = generation
	for _, part := range l.Partitions {
		part.Batches = slices.DeleteFunc(part.Batches, func(b *Batch) bool { return b.Each(resolved) })
	}
}

// Each calls yield for the sequence of the spool of each record, until it returns false, and says whether it never did.
func (b *Batch) Each(yield func(seq uint64) bool) bool {
	for _, s := range b.Spans {
		for seq := s.From; seq < s.From+s.Count; seq++ {
			if !yield(seq) {
				return false
			}
		}
	}
	return true
}

// Snapshot returns notes that make an empty ledger this one.
func (l *Ledger) Snapshot() []byte {
	notes := appendPosition(nil, l.Position)
	places := slices.SortedFunc(maps.Keys(l.Partitions), func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), bytes.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.Partition, b.Partition))
	})
	for _, p := range places {
		part := l.Partitions[p]
		for _, b := range part.Batches {
			notes = AppendPlan(notes, b)
			if b.Done {
				notes = AppendDone(notes, &b.Place, b.Epoch, b.First, b.Count, -1)
			}
		}
		notes = appendPartition(notes, &p, part) // last: plans move what it says
	}
	return notes
}

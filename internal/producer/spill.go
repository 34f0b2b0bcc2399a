package producer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
)

// spillAfter is how long a topic may be stalled before its records go to the disk.
const spillAfter = 3 * time.Second

// gone is the sequence of an entry that was released before it was on the disk.
const gone = ^uint64(0)

// watch notes how long t has been stalled, and lets it go to the disk, or back to memory. The sender
// runs it.
func (p *Producer) watch(t *topic, now mono) {
	if !p.store.Spill {
		return
	}
	toDisk := false
	switch {
	case !t.stalled.Load():
		t.send.stuck = 0
	case t.send.stuck == 0:
		t.send.stuck = now
	default:
		toDisk = now.since(t.send.stuck) >= spillAfter
	}
	p.mu.Lock()
	if toDisk && !t.toDisk {
		p.store.spillDue = true
	}
	t.toDisk = toDisk
	p.mu.Unlock()
}

// spillTopics brings the records of topics that are to go to the disk there, in the order in which
// they were accepted, so that new ones can follow them. They stay in memory as well, and on
// their way. The sender runs it.
func (p *Producer) spillTopics() {
	s := p.store
	due := func(t *topic) bool { return t.toDisk && t.unsaved.Load() > 0 }
	p.mu.Lock()
	if !s.spillDue {
		p.mu.Unlock()
		return
	}
	s.spillDue = false
	topics := make(map[*topic]bool)
	for _, t := range p.topics {
		if due(t) {
			topics[t] = true
		}
	}
	p.mu.Unlock()
	if len(topics) == 0 {
		return
	}
	wanted := func(e *entry) bool { return topics[e.topic] }
	err := p.save(p.unsaved(wanted))
	defer p.logDropped() // after the lock is free
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil { // what has come meanwhile, and nothing can come now
		for _, e := range p.waitingEntriesLocked(wanted) {
			if err = p.saveEntryLocked(e); err != nil {
				break
			}
		}
	}
	s.refusing = resperr.NoError
	if err != nil {
		s.spillDue = true
		if s.refusing = refusalOf(err); errors.Is(err, spool.ErrBusy) {
			s.refusing = resperr.NoError // it passes in a moment
		}
	}
}

// unsaved returns the entries that the sender has and that are on no disk, oldest
// first. Only the sender, or who has ended it, may call it.
func (p *Producer) unsaved(want func(*entry) bool) []*entry {
	var found []*entry
	for _, t := range p.sender.active {
		t.send.each(func(e *entry) {
			if !e.reported && e.stored.seq == 0 && want(e) {
				found = append(found, e)
			}
		})
	}
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
	return found
}

// waitingEntriesLocked returns those that the sender has not taken yet.
func (p *Producer) waitingEntriesLocked(want func(*entry) bool) []*entry {
	var found []*entry
	for _, buf := range p.buffersLocked() {
		for i := range buf.entries {
			if e := &buf.entries[i]; !e.reported && e.stored.seq == 0 && want(e) {
				found = append(found, e)
			}
		}
	}
	return found
}

// save appends entries to the spool, in order, and stops at the first that it does not take.
func (p *Producer) save(entries []*entry) error {
	defer p.logDropped()
	for _, e := range entries {
		p.mu.Lock()
		err := p.saveEntryLocked(e)
		p.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// saveEntryLocked appends one entry that has not been appended, so that the feeder
// learns that it is in memory before it can read it from the disk.
func (p *Producer) saveEntryLocked(e *entry) error {
	s := p.store
	s.buffer = e.payload(s.buffer[:0])
	var seq uint64
	s.mu.Lock()
	seq, err := s.appendLocked(p, s.buffer, func(err error) { s.saved(&seq, err) })
	s.mu.Unlock()
	if err != nil {
		return err
	}
	t := e.topic
	e.stored.seq = seq
	t.unsaved.Add(-1)
	t.last, t.fed = seq, seq
	return nil
}

// saved hears from the spool what became of a copy.
func (s *storage) saved(seq *uint64, err error) {
	s.mu.Lock()
	if err != nil {
		s.lost[*seq] = struct{}{}
	} else {
		s.safe = max(s.safe, *seq)
	}
	s.mu.Unlock()
	s.nudge()
}

// onDisk says whether entries may be dropped from memory, because the spool has them.
func (s *storage) onDisk(entries []*entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		seq := e.stored.seq
		if _, lost := s.lost[seq]; lost || seq == 0 || seq > s.safe {
			return false
		}
	}
	return true
}

// saveRest brings everything that is in memory only to the disk, and returns how many records it did
// not take. What a sender that has not ended holds cannot be looked at.
func (p *Producer) saveRest(ctx context.Context, ended bool) (lost int64) {
	s := p.store
	if !ended {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, t := range p.topics {
			lost += t.unsaved.Load()
		}
		return lost
	}
	all := func(*entry) bool { return true }
	defer p.logDropped()
	entries := p.unsaved(all)
	p.mu.Lock()
	entries = append(entries, p.waitingEntriesLocked(all)...)
	p.mu.Unlock()
	for i := 0; i < len(entries); {
		p.mu.Lock()
		err := p.saveEntryLocked(entries[i])
		p.mu.Unlock()
		switch {
		case err == nil:
			i++
		case errors.Is(err, spool.ErrBusy) && s.spool.Sync(ctx) == nil:
		default:
			p.log.Error("messages cannot be stored at the end", "error", err)
			return int64(len(entries) - i)
		}
	}
	if err := s.spool.Sync(ctx); err != nil {
		p.log.Error("messages cannot be stored at the end", "error", err)
		return int64(len(entries))
	}
	return 0
}

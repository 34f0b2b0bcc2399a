package spool

import "time"

// Counters count since Open.
type Counters struct {
	Appended uint64 // taken by Append
	Stored   uint64 // synced
	Failed   uint64 // answered with an error
	Refused  uint64 // not taken
	Acked    uint64
	Dropped  uint64 // by DropOldest and Discard

	Corrupt      uint64 // places in files that were skipped as damaged
	CorruptBytes int64
	Missing      uint64 // records that should have been in a file and were not, damaged ones among them
	Poisoned     uint64 // segments given up after a failed write or sync

	Syncs        uint64
	SyncTotal    time.Duration
	SyncMax      time.Duration
	Degradations uint64
}

// Stats is a snapshot.
type Stats struct {
	Counters
	Segments int
	Bytes    int64     // of live segments
	MaxBytes int64     // the limit that Bytes and Waiting together keep
	Waiting  int64     // bytes that are not synced yet
	Pending  uint64    // records that are stored or on their way there, and not acknowledged
	Frontier uint64    // everything below this sequence is acknowledged
	Next     uint64    // sequence of the next record
	Oldest   time.Time // when the oldest pending record was appended, to within a second, and less exactly when records of more than an hour are pending; zero when nothing is pending, or it is not known yet

	Degraded      error // why nothing can be stored at the moment; nil when all is well
	DegradedSince time.Time
}

// Stats returns what the spool knows of itself. It takes one short lock and never touches the disk.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Counters: s.n, Segments: len(s.segs), Bytes: s.bytes, MaxBytes: s.opts.MaxBytes, Waiting: s.waiting,
		Pending: s.next - s.acks.frontier - s.acks.above, Frontier: s.acks.frontier, Next: s.next,
	}
	if st.Pending > 0 {
		st.Oldest = s.oldestLocked()
	}
	if s.degraded != nil {
		st.Degraded, st.DegradedSince = s.degraded, s.degraded.since
	}
	return st
}

// oldestLocked returns when the oldest pending record was appended. What an earlier process has left is known when a cursor has read it; until
// then the begin of its segment is what is known.
func (s *Spool) oldestLocked() time.Time {
	from := &s.own
	if s.acks.frontier < s.born {
		from = &s.past
	}
	at := from.of(s.acks.frontier)
	if at == 0 && len(s.segs) > 0 {
		at = max(s.segs[0].since, 0)
	}
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at)
}

// damagedLocked counts a damaged place of g, whose file is kept when all that is left in it is acknowledged, if taint says so.
func (s *Spool) damagedLocked(g *segment, bytes int64, taint bool) {
	s.n.Corrupt++
	s.n.CorruptBytes += bytes
	g.tainted = g.tainted || taint
}

// A repeat keeps one kind of log line to one a minute.
type repeat struct {
	last   time.Time
	missed int
}

const repeatEvery = time.Minute

// say logs what went wrong on the disk, once a minute for each kind.
func (s *Spool) say(kind, text string, err error) {
	now := s.opts.Now()
	s.mu.Lock()
	r := s.repeats[kind]
	if r == nil {
		r = &repeat{}
		s.repeats[kind] = r
	} else if now.Sub(r.last) < repeatEvery {
		r.missed++
		s.mu.Unlock()
		return
	}
	missed := r.missed
	r.last, r.missed = now, 0
	s.mu.Unlock()
	args := []any{"spool", s.opts.Dir, "error", err}
	if missed > 0 {
		args = append(args, "repeated", missed)
	}
	s.opts.Log.Warn(text, args...)
}

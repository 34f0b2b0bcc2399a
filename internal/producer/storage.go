package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

const (
	// deadShare is the part of max_bytes that dead letters may take beside it; the oldest go first.
	deadShare   = 10
	minDeadSize = 1 << 20

	// storedDrainTime is how long Stop waits for deliveries when what is not delivered is safe on disk.
	storedDrainTime = 3 * time.Second
)

// A storage is the spool of a queue, and what the queue knows of the records in it. Its mu comes after Producer.mu and before the
// spool's own. No method of the spool waits for the disk but Open, Sync, DurablePosition and Close.
type storage struct {
	queueconf.Spool
	fs     spool.FS // nil is the disk
	probes int
	spool  *spool.Spool
	dead   *spool.Spool // nil without dead letters
	run    string       // names this opening of the queue, in the ids of records
	once   *once        // nil unless each message is delivered once
	feeder
	ids atomic.Uint64 // given to records, see IDHeader

	// Guarded by Producer.mu.
	buffer    []byte
	replaying bool         // the feeder has not seen yet what was on the disk at the start, and of which topics
	spillDue  bool         // the sender is to bring records of topics to the disk
	refusing  resperr.Code // why the disk did not take them, when that will not pass in a moment
	crowded   bool         // the oldest parked call waits for room, and no parked call is without block
	purged    uint64       // what is below and was not in memory is purged
	behind    bool         // there may be topics whose records the main cursor has left
	slow      bool         // the last record that found no room in the spool found the disk too slow, and not max_bytes reached

	mu       sync.Mutex
	nextRead uint64               // the feeder has read every sequence below; guarded by mu
	safe     uint64               // what is up to here is synced, but for lost; guarded by mu
	lost     map[uint64]struct{}  // copies that the disk did not take; guarded by mu
	early    map[uint64]bool      // released before the feeder has read it; true: also before the spool had them on disk; guarded by mu
	awaits   map[uint64]*await    // calls that wait for a delivery, by sequence; guarded by mu
	unheard  map[*waiter]struct{} // calls that wait for a sync; guarded by mu
	unread   map[uint64]struct{}  // records of plans that a later version of this program has written; guarded by mu
	missing  uint64               // of spool.Stats, as far as it was counted; guarded by mu

	unlogged atomic.Uint64 // records given up by DropOldest that no line has told yet

	letters atomic.Int64 // dead letters written since the start
}

// openStorage opens the spool of p, or returns nil when another process has it and p may run in
// memory. Every error is one sentence for the operator.
func (p *Producer) openStorage(deps Deps) (*storage, error) {
	cfg, fs := deps.Spool, deps.Disk
	s := &storage{
		Spool: *cfg, fs: fs, probes: cmp.Or(deps.probes, probeRecords), run: newRun(),
		lost: make(map[uint64]struct{}), early: make(map[uint64]bool), awaits: make(map[uint64]*await), unheard: make(map[*waiter]struct{}),
		unread: make(map[uint64]struct{}),
		feeder: feeder{kick: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{})},
	}
	var later func([]byte) bool
	if cfg.OnFull == queueconf.DropOldest {
		later = stored.Later
	}
	var err error
	s.spool, err = spool.Open(spool.Options{
		Dir: cfg.Path, Later: later, MaxBytes: cfg.MaxBytes, SegmentBytes: cfg.SegmentBytes, FS: fs, Log: p.log,
		Point: killPoint(), Room: p.wake, Changed: p.changed,
		Synced: func(took time.Duration, _ int, _ int64) { p.times.Sync.Observe(took) }, Guard: func(run func()) { p.guard("the writer of the spool", run) },
	})
	if errors.Is(err, spool.ErrLocked) && cfg.LockedMemory {
		p.log.Warn("another process has the spool, so this one keeps its messages in memory only", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.id, err)
	}
	if cfg.DeadLetter {
		most := max(cfg.MaxBytes/deadShare, minDeadSize)
		s.dead, err = spool.Open(spool.Options{
			Dir: filepath.Join(cfg.Path, spool.DeadFolder), MaxBytes: most, SegmentBytes: most / 8, FS: fs, Log: p.log, Guard: func(run func()) { p.guard("the writer of dead letters", run) },
		})
		if err != nil {
			err = fmt.Errorf("%s: the dead letters: %w", p.id, err)
		}
	}
	if err == nil {
		s.once, err = p.openOnce(s)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return nil, errors.Join(err, s.close(ctx))
	}
	st := s.spool.Stats()
	s.replaying, s.nextRead, s.safe, s.missing = cfg.Spill && st.Pending > 0, st.Frontier, st.Next-1, st.Missing
	if st.Pending > 0 {
		p.stats.Restore(int64(st.Pending) - deps.Before.outstandingIn(s.spool))
		p.log.Log(context.Background(), logsink.LevelNotice, fmt.Sprintf("%d message(s) on disk are sent before new ones", st.Pending))
	}
	return s, nil
}

// lifetime returns set with the time that a message has behind a spool: without end, unless the
// operator has said otherwise.
func lifetime(c *queueconf.Spool, set *conf.Settings) *conf.Settings {
	own := *set
	if !own.MessageTimeoutChosen {
		own.MessageTimeout, own.TopicLingerConflict = 0, false
	}
	if c.MaxAge > 0 && (own.MessageTimeout == 0 || c.MaxAge < own.MessageTimeout) {
		own.MessageTimeout = c.MaxAge
	}
	return &own
}

// close gives the folders back. The plans come first, because a snapshot of them asks the spool for its position. Then the dead letters: what is on its way
// there is let go of in the spool when it has arrived.
func (s *storage) close(ctx context.Context) error {
	err := s.once.close(ctx)
	if s.dead != nil {
		err = errors.Join(err, s.dead.Close(ctx))
	}
	return errors.Join(err, s.spool.Close(ctx))
}

// Spooled says whether calls go through Store.
func (p *Producer) Spooled() bool { return p.store != nil }

// resolve lets go of a record on disk, and counts what has become of it with count, unless somebody else has: whoever makes room, or
// purges, may be first, and each message is counted once. A seq of 0 is on no disk. One whose bytes are still on their way there
// cannot be let go of yet: the feeder does it when it comes by.
func (s *storage) resolve(seq uint64, count func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq == 0 {
		count()
		return
	}
	_, lost := s.lost[seq]
	delete(s.lost, seq)
	fresh, stored := s.spool.Resolve(seq)
	if !stored {
		_, twice := s.early[seq]
		fresh = !twice
	}
	if seq >= s.nextRead {
		s.early[seq] = !stored
	}
	if fresh || lost {
		count()
	}
}

// countedEarlyLocked returns how many records that the spool has just given up were counted before.
func (s *storage) countedEarlyLocked() (n uint64) {
	for seq, before := range s.early {
		if before && s.spool.Resolved(seq) {
			s.early[seq] = false
			n++
		}
	}
	return n
}

// markRead notes that the feeder has read seq, and says whether its record was delivered meanwhile.
func (s *storage) markRead(seq uint64) (done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextRead = max(s.nextRead, seq+1)
	if len(s.early) == 0 {
		return false
	}
	_, done = s.early[seq]
	for old := range s.early { // the spool does not show what it has let go itself
		if old < s.nextRead {
			delete(s.early, old)
		}
	}
	return done
}

// Spool returns the state of the spool, or nil for a queue without one.
func (p *Producer) Spool() *report.Spool {
	s := p.store
	if s == nil {
		return nil
	}
	st := s.spool.Stats()
	r := &report.Spool{
		Path: s.Path, Mode: "durable", Bytes: st.Bytes, MaxBytes: st.MaxBytes, Segments: st.Segments, Pending: int64(st.Pending),
		Oldest: st.Oldest, Dropped: int64(st.Dropped), Corrupt: int64(st.Corrupt), Missing: int64(st.Missing),
		Syncs: int64(st.Syncs), SyncMax: st.SyncMax, Letters: s.letters.Load(),
		Doubted: p.stats.Doubted(),
	}
	if s.Spill {
		r.Mode = "spill"
	}
	if st.Degraded != nil {
		r.Degraded = st.Degraded.Error()
	}
	if s.dead != nil {
		r.Dead = int64(s.dead.Stats().Pending)
	}
	return r
}

// countMissing reports records that the spool has found damaged or gone since the last look.
func (p *Producer) countMissing() {
	s := p.store
	now := s.spool.Stats().Missing
	s.mu.Lock()
	n := now - s.missing
	s.missing = now
	s.mu.Unlock()
	if n > 0 {
		p.stats.FailMany(resperr.BadMsg, int64(n))
	}
}

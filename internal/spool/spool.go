package spool

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"
)

// The reasons for which Append refuses. They are tested with errors.Is.
var (
	ErrFull     = errors.New("the spool is full")
	ErrBusy     = errors.New("the disk is slower than the callers and the memory for waiting records is used up")
	ErrDegraded = errors.New("the spool cannot store records at the moment")
	ErrTooLarge = errors.New("the record is too large for the spool")
	ErrClosed   = errors.New("the spool is closed")
)

// Options of one spool. Dir is required; every other zero value means its default.
type Options struct {
	Dir          string
	MaxBytes     int64         // on disk, live segments; default 10 GiB, at least 64 KiB
	SegmentBytes int64         // default 64 MiB; lowered to a quarter of MaxBytes, so that acknowledging makes room
	MaxWaiting   int64         // memory for frames that are not synced yet; default 32 MiB
	TailBytes    int64         // memory for the newest synced frames, for cursors that keep up; default 4 MiB
	LaterDelay   time.Duration // how long AppendLater may leave a record in memory only; default 100 ms

	FS      FS
	Now     func() time.Time // stamps frames; default time.Now
	Log     *slog.Logger     // default: nothing is logged
	Program string           // what the owner file calls this process; default its executable's name

	// Point is called at the named points of point.go, from the goroutine that works there. Crash tests kill
	// the process in it. It is nil in production.
	Point func(name string)
	// Synced is called by the syncer after each batch that it made durable.
	Synced func(took time.Duration, records int, bytes int64)
	// Room is called once there may be room again after Append had refused, from the goroutine that made it: one
	// of the spool's, or one that acknowledged. It must not block.
	Room func()
	// Changed is called when the spool begins to refuse because of its disk, and when it ceases to, from the syncer. It must not block.
	Changed func()

	// Later reports whether a payload was written by a later version of the program. A caller of DropOldest sets it, so that no such record is dropped. It
	// is called by the keeper.
	Later func(payload []byte) bool

	// Guard runs each goroutine of the spool; nil runs it plainly. What panics in one ends in it.
	Guard func(run func())

	pace pace // tests turn the keeper's clock
}

// pace says when the keeper writes the position.
type pace struct {
	acks  int
	every time.Duration
	bytes int64
}

const (
	minMaxBytes     = 64 << 10
	minSegmentBytes = 4 << 10
	blockBytes      = 256 << 10 // in memory; also the size of most writes
	chunkBytes      = 1 << 20   // what a cursor reads at once
	laterBytes      = 1 << 20   // AppendLater does not wait for its delay when that much has gathered
	maxBatch        = 8 << 20   // bytes of one group commit; bounds what recovery must search behind the last frame
)

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("spool: path is empty: name a folder")
	}
	o.Dir = filepath.Clean(o.Dir)
	for _, size := range []struct {
		name    string
		value   *int64
		standby int64
		least   int64
	}{
		{"max_bytes", &o.MaxBytes, 10 << 30, minMaxBytes},
		{"segment_bytes", &o.SegmentBytes, 64 << 20, minSegmentBytes},
		{"the memory for waiting records", &o.MaxWaiting, 32 << 20, 1},
		{"the memory for the tail", &o.TailBytes, 4 << 20, 1},
	} {
		*size.value = cmp.Or(*size.value, size.standby)
		if *size.value < size.least {
			return o, fmt.Errorf("spool %s: %s is %d: it must be at least %d", o.Dir, size.name, *size.value, size.least)
		}
	}
	o.SegmentBytes = min(o.SegmentBytes, o.MaxBytes/4)
	o.LaterDelay = cmp.Or(o.LaterDelay, 100*time.Millisecond)
	if o.LaterDelay < 0 {
		return o, fmt.Errorf("spool %s: the delay of unsynced records is %v: it must not be negative", o.Dir, o.LaterDelay)
	}
	o.FS = cmp.Or[FS](o.FS, OS{})
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Point == nil {
		o.Point = func(string) {}
	}
	if o.Synced == nil {
		o.Synced = func(time.Duration, int, int64) {}
	}
	if o.Room == nil {
		o.Room = func() {}
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Guard == nil {
		o.Guard = func(run func()) { run() }
	}
	o.pace = cmp.Or(o.pace, pace{acks: ackEvery, every: positionEvery, bytes: hintEvery})
	o.Program = cmp.Or(o.Program, programName())
	return o, nil
}

// Spool is the log of one queue. See the package comment for who may call what.
type Spool struct {
	opts  Options
	fs    FS
	place place
	owner *owner
	mem   *blocks
	disk  *blocks // what cursors read into

	// mu guards everything up to wake. It is held for memory work only, never for a call to the disk, a hook or a
	// done function.
	mu        sync.Mutex
	next      uint64     // sequence of the next Append
	answered  uint64     // sequences up to here are answered: on disk, or answered with an error
	acks      *acks      // resolved sequences
	segs      []*segment // by sequence; the last may be the active one
	deletable []*segment // no record in them is needed, but they still have a name
	bytes     int64      // of segs
	blocks    []*block   // contiguous sequences up to next-1: the tail, then what waits for the syncer
	waiting   int64      // bytes appended and not answered
	dones     []waiter   // by sequence
	urgent    bool       // somebody waits: sync now
	late      time.Time  // when the oldest unwritten AppendLater must be written; zero when nobody waits
	asleep    bool       // the syncer waits for wake
	degraded  *degraded
	refused   bool // Room is owed
	closing   bool
	rollNow   bool  // DropOldest needs the active segment sealed
	need      int64 // what DropOldest was asked for last
	hint      hint
	born      uint64        // sequences from here on are this process's
	own       moments       // when they were appended
	past      moments       // when those before were, as far as a cursor has read
	fresh     chan struct{} // closed when answered moves or the spool closes
	watched   bool          // a cursor waits on fresh
	dirty     int           // acknowledgements that the position file does not have
	hinted    int64         // bytes synced since the position file had the hint
	gaps      uint64        // how often sequences were given up that no file will ever have
	// recordedGaps is gaps as of the last time that both slots of the position knew of them.
	recordedGaps uint64
	n            Counters
	asked        []chan durablePosition // who waits in DurablePosition
	toll         toll
	repeats      map[string]*repeat // by kind of log line

	// The rest is set by Open or belongs to one goroutine.
	wake        chan struct{}   // to the syncer
	keep        chan struct{}   // to the keeper
	stop        chan struct{}   // closed by Close for the keeper, after the syncer has ended
	syncerEnded chan struct{}   // closed when the syncer has ended
	closed      chan struct{}   // closed when all is done
	begun       hint            // what the position file knew when the spool was opened
	w           writer          // the syncer's
	k           keeper          // the keeper's
	after       <-chan struct{} // see GiveBackAfter
	closeMe     sync.Once
	found       uint64 // the generation of the position that Open has read
	err         error  // of Close; read after closed
}

// Open opens the spool in opts.Dir, creates it if need be, and starts its goroutines. What it reads does not grow
// with the backlog: the position file, the names, the last segment. A full disk does not make it fail: what is
// there can be delivered, by a caller that needs no [Notes].
//
// Each error is one sentence for an operator. Another process that has the folder open is named in it. [ErrClosing] is over when the disk has taken
// what an earlier spool of this process had.
func Open(opts Options) (*Spool, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Spool{
		opts: opts, fs: opts.FS,
		mem: newBlocks(blockBytes), disk: newBlocks(chunkBytes),
		fresh: make(chan struct{}), repeats: map[string]*repeat{},
		wake: make(chan struct{}, 1), keep: make(chan struct{}, 1),
		stop: make(chan struct{}), syncerEnded: make(chan struct{}), closed: make(chan struct{}),
	}
	if err := s.fs.MkdirAll(opts.Dir); err != nil {
		return nil, fmt.Errorf("spool %s: the folder cannot be created: %w", opts.Dir, err)
	}
	if s.owner, err = takeOwnership(s.fs, opts.Dir, opts.Program); err != nil {
		return nil, err
	}
	s.place = place{s.fs, s.fs.Real(opts.Dir)}
	if err := s.recover(); err != nil {
		s.k.close()
		s.owner.release()
		return nil, err
	}
	s.born = s.next
	// Now, not at the first acknowledgement: the disk may be full by then.
	if err := s.openPosition(); err != nil {
		s.say("position", positionTrouble, err)
	}
	if s.gaps > 0 {
		_ = s.recordGaps() // it is said, and tried again
	}
	if space, err := s.fs.Space(opts.Dir); err == nil && space.Network {
		s.opts.Log.Warn("the spool is on a network file system, where locks and syncs may mean less than on a local disk",
			"spool", opts.Dir)
	}
	go s.opts.Guard(s.syncLoop)
	go s.opts.Guard(s.keepLoop)
	return s, nil
}

// Close stores what was appended, seals the last segment, writes the position and gives the folder back. It
// waits for the disk, but not longer than ctx: then it returns ctx's error and goes on in the background. Later
// calls wait for the same end.
func (s *Spool) Close(ctx context.Context) error {
	s.closeMe.Do(func() {
		s.mu.Lock()
		s.closing = true
		s.mu.Unlock()
		closing.Store(s.place, nil)
		nudge(s.wake)
		go s.opts.Guard(s.finish)
	})
	select {
	case <-s.closed:
		return s.err
	case <-ctx.Done():
		return fmt.Errorf("spool %s: the disk did not finish in time: %w", s.opts.Dir, ctx.Err())
	}
}

// SameFolder reports whether s and other, either of which may be closed, are of one folder, by whatever names it was opened.
func (s *Spool) SameFolder(other *Spool) bool { return s.place == other.place }

// GiveBackAfter has Close give the folder back when n has ended, too: what it still writes would otherwise come between the files of the next one. It
// is called before Close.
func (s *Spool) GiveBackAfter(n *Notes) { s.after = n.closed }

func (s *Spool) finish() {
	<-s.syncerEnded
	close(s.stop)
	<-s.k.ended
	s.mu.Lock()
	close(s.fresh)
	s.watched = false
	for _, b := range s.blocks {
		b.drop()
	}
	s.blocks = nil
	s.mu.Unlock()
	s.sayMissing(nil, true)
	s.err = errors.Join(s.w.failed, s.k.failed)
	if s.after != nil {
		<-s.after
	}
	s.owner.release()
	closing.Delete(s.place)
	close(s.closed)
}

// path is the full name of a file in the folder.
func (s *Spool) path(name string) string { return filepath.Join(s.opts.Dir, name) }

// nudge wakes the goroutine at the other end; a nudge that is still unread says the same.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// newSalt returns a number that whoever writes payloads cannot know.
func newSalt() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead, as it does for TLS
	return binary.LittleEndian.Uint32(b[:])
}

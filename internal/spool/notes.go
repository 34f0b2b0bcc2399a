package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Notes is a small log in the folder of a spool, of which only the sum counts: what a fold makes of it. When the file is full, a new one
// begins with a snapshot of the fold, and the old one goes. So its size follows what the fold holds, and not what was noted.
//
// It promises that a note whose done function was called with nil is in the fold of every later opening, with all that was
// added before it, also after a kill or a power cut. A note that was not answered may be there or not, and none is there without
// those before it.
//
// Part of the format: a file ORDINAL.plans has the layout of a segment. A frame is one commit: its sequence counts the commits
// of all files, its payload is notes. The first frame of a file is the snapshot. The file with the highest ordinal that has one counts.
//
// Add and AddLater may be called from any goroutine, also from within a done function. They take one short lock and never touch the
// disk. One goroutine writes; it alone calls the fold.
type Notes struct {
	opts NotesOptions

	mu      sync.Mutex
	buf     []byte        // added, and not written; guarded by mu
	dones   []func(error) // who waits for buf; guarded by mu
	urgent  bool          // buf has a note that somebody waits for; guarded by mu
	since   time.Time     // when the first note came into buf; guarded by mu
	closing bool          // guarded by mu

	wake   chan struct{}
	closed chan struct{}

	// The rest belongs to the goroutine that writes.
	file  File // nil: a new one is needed
	name  string
	salt  uint32
	ord   uint64 // of the next file
	seq   uint64 // of the next commit
	end   int64  // of what was written
	limit int64
	spare []byte
	fate  []func(error)
	said  time.Time // when a failure was last logged
	lost  error     // of the last commit
}

// A Fold is the sum of notes.
type Fold interface {
	// Apply adds the notes of one commit. An error means that they are not what was written.
	Apply(notes []byte) error
	// Snapshot returns notes that make an empty fold this one. It may wait for the disk.
	Snapshot() []byte
}

// NotesOptions of one log of notes. Dir and Fold are required. Whoever opens it owns the folder.
type NotesOptions struct {
	Dir   string
	FS    FS
	Fold  Fold // empty: Open fills it
	Log   *slog.Logger
	Guard func(run func())
	Point func(name string) // as that of Options
	Every time.Duration     // from the beginning of one commit to that of the next, at least: what comes meanwhile shares its sync
}

const (
	notesSuffix = ".plans"
	notesBytes  = 1 << 20                // a file is full at that, beyond its snapshot
	notesLeast  = 16 << 10               // and where the disk has no room for it, at that
	notesDelay  = 100 * time.Millisecond // the longest that AddLater leaves a note unwritten
	notesRetry  = time.Second
)

func notesName(ord uint64) string { return fmt.Sprintf("%010d%s", ord, notesSuffix) }

func parseNotesName(name string) (ord uint64, ok bool) {
	base, is := strings.CutSuffix(name, notesSuffix)
	ord, err := strconv.ParseUint(base, 10, 63)
	return ord, is && err == nil && notesName(ord) == name
}

// OpenNotes reads the notes of a folder into the fold; Start follows. found is whether there were any.
//
// damage is not nil where notes that were durable are lost: what the fold has then is not to be relied on, and the caller decides
// what to do before it adds anything. The bytes are kept as *.plans.bad. err is for a folder that this program must leave alone.
func OpenNotes(opts NotesOptions) (n *Notes, found bool, damage, err error) {
	opts.FS = cmp.Or[FS](opts.FS, OS{})
	if opts.Guard == nil {
		opts.Guard = func(run func()) { run() }
	}
	n = &Notes{opts: opts, seq: 1, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	found, damage, err = n.read()
	if err != nil {
		return nil, false, nil, err
	}
	return n, found, damage, nil
}

// Start begins a new file with a snapshot of the fold, which the caller may have changed since it opened the notes, and starts the
// goroutine that writes. A disk that takes no file is tried again with the next note.
func (n *Notes) Start() {
	if err := n.renew(); err != nil {
		n.complain(err)
	}
	go n.opts.Guard(n.loop)
}

// Add adds a note, which is copied, and has it synced as soon as the disk can. done is called once, from the goroutine that writes: with an error
// the note is not durable; it is in the fold all the same, and so in the next snapshot. It must not block.
func (n *Notes) Add(note []byte, done func(error)) {
	n.mu.Lock()
	if n.closing {
		n.mu.Unlock()
		if done != nil {
			done(ErrClosed)
		}
		return
	}
	wake := len(n.buf) == 0 || done != nil && !n.urgent
	if len(n.buf) == 0 {
		n.since = time.Now()
	}
	n.buf = append(n.buf, note...)
	if done != nil {
		n.dones, n.urgent = append(n.dones, done), true
	}
	n.mu.Unlock()
	if wake {
		nudge(n.wake)
	}
}

// AddLater is Add for a note that nobody waits for: it is written with the next one, or after a tenth of a second.
func (n *Notes) AddLater(note []byte) { n.Add(note, nil) }

// Close writes what was added and ends the goroutine. It waits no longer than ctx.
func (n *Notes) Close(ctx context.Context) error {
	n.mu.Lock()
	n.closing = true
	n.mu.Unlock()
	nudge(n.wake)
	select {
	case <-n.closed:
		return n.lost
	case <-ctx.Done():
		return fmt.Errorf("spool %s: the disk did not take the plans in time: %w", n.opts.Dir, ctx.Err())
	}
}

func (n *Notes) loop() {
	defer close(n.closed)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var began time.Time
	for {
		n.mu.Lock()
		wait := time.Hour
		if len(n.buf) > 0 {
			wait = notesDelay - time.Since(n.since)
		}
		if n.urgent {
			wait = n.opts.Every - time.Since(began)
		}
		if len(n.buf) > 0 && (n.closing || wait <= 0) {
			began = time.Now()
			notes, dones := n.buf, n.dones
			n.buf, n.dones, n.urgent = n.spare[:0], n.fate[:0], false
			n.mu.Unlock()
			n.lost = n.commit(notes)
			if n.lost != nil {
				n.complain(n.lost)
			} else if n.opts.Point != nil {
				n.opts.Point(PointNoted)
			}
			for i, done := range dones {
				done(n.lost)
				dones[i] = nil
			}
			n.spare, n.fate = notes, dones
			continue
		}
		closing := n.closing
		n.mu.Unlock()
		if closing {
			if n.file != nil {
				n.lost = errors.Join(n.lost, n.file.Close())
			}
			return
		}
		timer.Reset(wait)
		select {
		case <-n.wake:
		case <-timer.C:
		}
	}
}

// commit makes notes durable. After a failed write or sync nothing more goes to that file: see [Spool.commit].
func (n *Notes) commit(notes []byte) error {
	if err := n.opts.Fold.Apply(notes); err != nil {
		return fmt.Errorf("spool %s: a plan makes no sense: %w", n.opts.Dir, err)
	}
	if n.file == nil || n.end+frameSize(len(notes)) > n.limit {
		return n.renew()
	}
	frame := appendFrame(nil, n.salt, header{seq: n.seq, time: time.Now().UnixNano()}, notes)
	n.seq++
	err := n.write(frame)
	if err == nil {
		n.end += int64(len(frame))
		return nil
	}
	_ = n.file.Close()
	n.file = nil
	if again := n.renew(); again != nil {
		return errors.Join(err, again)
	}
	return nil
}

func (n *Notes) write(frame []byte) error {
	if _, err := n.file.WriteAt(frame, n.end); err != nil {
		return err
	}
	return syncNamed(n.file, n.opts.Dir, n.name)
}

// renew begins a new file with a snapshot, and removes the others.
func (n *Notes) renew() error {
	snapshot := n.opts.Fold.Snapshot()
	head := segmentHead{salt: newSalt(), ord: n.ord, first: n.seq, created: time.Now().UnixNano()}
	n.ord++ // a file that stays behind keeps its name
	content := appendFrame(head.encode(), head.salt, header{seq: n.seq, time: head.created}, snapshot)
	n.seq++
	name := notesName(head.ord)
	limit := int64(len(content)) + notesBytes
	f, err := n.create(name, content, limit)
	if err != nil {
		limit = int64(len(content)) + notesLeast
		f, err = n.create(name, content, limit)
	}
	if n.file != nil {
		_ = n.file.Close() // also after a failure: a file that is older than one that may have stayed behind must get no more notes
		n.file = nil
	}
	if err != nil {
		return fmt.Errorf("a file for plans cannot be made: %w", err)
	}
	n.file, n.name, n.salt, n.end, n.limit = f, name, head.salt, int64(len(content)), limit
	n.sweep(name)
	return nil
}

func (n *Notes) create(name string, content []byte, limit int64) (File, error) {
	fsys, path := n.opts.FS, filepath.Join(n.opts.Dir, name)
	f, err := fsys.Create(path)
	if err != nil {
		return nil, err
	}
	if err = f.Preallocate(limit); err == nil {
		if _, err = f.WriteAt(content, 0); err == nil {
			if err = f.Sync(); err == nil {
				err = fsys.SyncDir(n.opts.Dir)
			}
		}
	}
	if err != nil {
		_ = f.Close()
		// Should its name survive, it says what its snapshot says, and nothing that was noted later is in it. So the name must go.
		return nil, errors.Join(err, fsys.Remove(path))
	}
	return f, nil
}

// sweep removes every file of notes but the one named, durably: where there are two, the making of the newer one was cut short. One that
// stays nevertheless is older, and does not count.
func (n *Notes) sweep(but string) {
	files, err := listNotes(n.opts.FS, n.opts.Dir)
	if err != nil || len(files) < 2 {
		return
	}
	for _, f := range files {
		if f.name != but {
			_ = n.opts.FS.Remove(filepath.Join(n.opts.Dir, f.name))
		}
	}
	_ = n.opts.FS.SyncDir(n.opts.Dir)
}

func (n *Notes) complain(err error) {
	if n.opts.Log == nil || time.Since(n.said) < time.Minute {
		return
	}
	n.said = time.Now()
	n.opts.Log.Error("what is about to be sent cannot be noted on disk, so nothing is sent until it can", "spool", n.opts.Dir, "error", err)
}

type notesFile struct {
	name string
	ord  uint64
	size int64
}

// listNotes returns the files of notes, the newest first.
func listNotes(fsys FS, dir string) (files []notesFile, err error) {
	entries, err := fsys.ReadDir(dir)
	for _, e := range entries {
		if ord, ok := parseNotesName(e.Name); ok {
			files = append(files, notesFile{e.Name, ord, e.Size})
		}
	}
	slices.SortFunc(files, func(a, b notesFile) int { return cmp.Compare(b.ord, a.ord) })
	return files, err
}

// RemoveNotes forgets the notes of a folder, durably. Who sends what is in the spool without notes must call it first: they would be
// wrong afterwards.
func RemoveNotes(fsys FS, dir string) error {
	fsys = cmp.Or[FS](fsys, OS{})
	files, err := listNotes(fsys, dir)
	if err != nil || len(files) == 0 {
		return err
	}
	for _, f := range slices.Backward(files) { // the oldest first: a newer one must not vanish before it
		if err := fsys.Remove(filepath.Join(dir, f.name)); err != nil {
			return err
		}
	}
	return fsys.SyncDir(dir)
}

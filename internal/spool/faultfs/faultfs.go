// Package faultfs is a disk in memory for the tests of the spool: a [spool.FS] that forgets, reorders and tears what
// was not synced when it crashes, and that fails, delays or cuts short any call a test names.
//
// What it promises at a crash ([FS.Reboot]): a sector of 512 bytes is either as it was at the last sync of its file
// or as it was written last, each sector on its own; a file's size likewise; a create, rename or removal
// that was not followed by SyncDir has happened or not, each on its own. A failed sync behaves as Linux does:
// some sectors reached the disk, the others never will, though the file reads well and the next sync says that
// all is fine.
//
// It is safe for concurrent use. Nothing that ships imports it.
package faultfs

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/halon-extras/kafka/internal/spool"
)

// ErrCrashed is what every call returns from the crash on.
var ErrCrashed = errors.New("faultfs: the machine has crashed")

// Op is a kind of call.
type Op string

// The kinds of calls.
const (
	MkdirAll    Op = "mkdir"
	ReadDir     Op = "readdir"
	Open        Op = "open"
	Create      Op = "create"
	Rename      Op = "rename"
	Remove      Op = "remove"
	SyncDir     Op = "syncdir"
	Lock        Op = "lock"
	Read        Op = "read"
	Write       Op = "write"
	Sync        Op = "sync"
	Preallocate Op = "preallocate"
	Truncate    Op = "truncate"
)

// Call is one call that is about to happen.
type Call struct {
	N    int // counts from 1
	Op   Op
	Name string // full path
	Off  int64  // of a read or write
}

// Fault is what becomes of a call. The zero value lets it happen.
type Fault struct {
	Err   error // returned; the call has no effect, but see Short and a failed Sync
	Short bool  // with Err, a write writes its first half
	Crash bool  // the machine stops in the middle of the call
}

// FS is the disk. Its zero value is not usable, see New.
type FS struct {
	mu        sync.Mutex
	rng       *rand.Rand
	calls     int
	crashed   bool
	intercept func(Call) Fault
	capacity  int64
	dirs      map[string]bool
	hidden    map[string]bool
	names     map[string]*inode
	durable   map[string]*inode // names that survive a crash
	pending   []nameOp
}

// nameOp is a change of names that is not synced.
type nameOp struct {
	dir      string
	from, to string // create: only to; remove: only from
	node     *inode
}

// New returns an empty disk whose choices follow from seed.
func New(seed uint64) *FS {
	return &FS{
		rng:  rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)),
		dirs: map[string]bool{}, hidden: map[string]bool{},
		names: map[string]*inode{}, durable: map[string]*inode{},
	}
}

// Intercept has fn decide about every call. It runs without a lock held, so it may wait.
func (f *FS) Intercept(fn func(Call) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.intercept = fn
}

// Calls returns how many calls were made.
func (f *FS) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// SetCapacity makes the disk full beyond that many bytes; 0 is no limit.
func (f *FS) SetCapacity(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.capacity = bytes
}

// Hide lets a folder vanish as if it was moved away; what is open stays open. Show brings it back.
func (f *FS) Hide(dir string) { f.setHidden(dir, true) }

// Show brings a hidden folder back.
func (f *FS) Show(dir string) { f.setHidden(dir, false) }

func (f *FS) setHidden(dir string, hidden bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hidden[dir] = hidden
}

// RemoveAll removes a folder and what is in it, durably.
func (f *FS) RemoveAll(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.dirs, dir)
	for name, node := range f.names {
		if filepath.Dir(name) == dir {
			node.linked = false
			delete(f.names, name)
			delete(f.durable, name)
		}
	}
	f.pending = nil
}

// Crash stops the machine between two calls.
func (f *FS) Crash() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashed = true
}

// Crashed reports whether it has stopped.
func (f *FS) Crashed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.crashed
}

// Reboot returns the disk as the next start finds it.
func (f *FS) Reboot() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashed = true
	next := New(f.rng.Uint64())
	// Now and then everything unsynced is lost, or nothing is: a kill without a power cut.
	survives := func() bool { return f.rng.IntN(2) == 0 }
	switch f.rng.IntN(6) {
	case 0:
		survives = func() bool { return false }
	case 1:
		survives = func() bool { return true }
	}
	maps.Copy(next.dirs, f.dirs)
	for _, op := range f.pending {
		if survives() {
			op.apply(f.durable)
		}
	}
	aged := map[*inode]*inode{}
	for _, name := range slices.Sorted(maps.Keys(f.durable)) {
		node := f.durable[name]
		if aged[node] == nil {
			aged[node] = node.crash(survives)
		}
		next.names[name] = aged[node]
		next.durable[name] = aged[node]
	}
	return next
}

func (op nameOp) apply(names map[string]*inode) {
	if op.from != "" {
		delete(names, op.from)
	}
	if op.to != "" {
		names[op.to] = op.node
	}
}

// begin counts a call and decides about it. It returns with the lock held when err is nil or short is true.
func (f *FS) begin(op Op, name string, off int64) (fault Fault, err error) {
	f.mu.Lock()
	f.calls++
	call := Call{N: f.calls, Op: op, Name: name, Off: off}
	intercept := f.intercept
	if f.crashed {
		f.mu.Unlock()
		return Fault{}, ErrCrashed
	}
	f.mu.Unlock()
	if intercept != nil {
		fault = intercept(call)
	}
	f.mu.Lock()
	if f.crashed { // while the test made this call wait
		f.mu.Unlock()
		return Fault{}, ErrCrashed
	}
	if fault.Crash {
		f.crashed = true
		fault.Err = ErrCrashed
		return fault, nil
	}
	if fault.Err != nil && op != Write && op != Sync {
		f.mu.Unlock()
		return fault, fault.Err
	}
	if f.hidden[filepath.Dir(name)] && op != Read && op != Write && op != Sync && op != Truncate && op != Preallocate {
		f.mu.Unlock()
		return fault, &fs.PathError{Op: string(op), Path: name, Err: fs.ErrNotExist}
	}
	return fault, nil
}

// MkdirAll implements spool.FS. Folders are durable at once.
func (f *FS) MkdirAll(dir string) error {
	fault, err := f.begin(MkdirAll, filepath.Join(dir, "x"), 0)
	if err != nil {
		return err
	}
	defer f.mu.Unlock()
	for d := dir; !f.dirs[d]; d = filepath.Dir(d) {
		f.dirs[d] = true
	}
	return fault.Err
}

// Real implements spool.FS. There are no symbolic links.
func (f *FS) Real(dir string) string { return dir }

// ReadDir implements spool.FS.
func (f *FS) ReadDir(dir string) ([]spool.Entry, error) {
	fault, err := f.begin(ReadDir, filepath.Join(dir, "x"), 0)
	if err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	if !f.dirs[dir] {
		return nil, &fs.PathError{Op: "readdir", Path: dir, Err: fs.ErrNotExist}
	}
	var found []spool.Entry
	for name, node := range f.names {
		if filepath.Dir(name) == dir {
			found = append(found, spool.Entry{Name: filepath.Base(name), Size: node.size})
		}
	}
	return found, fault.Err
}

// Open implements spool.FS.
func (f *FS) Open(name string) (spool.File, error) { return f.open(name) }

// OpenRead implements spool.FS.
func (f *FS) OpenRead(name string) (spool.File, error) { return f.open(name) }

func (f *FS) open(name string) (spool.File, error) {
	fault, err := f.begin(Open, name, 0)
	if err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	node := f.names[name]
	if node == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{fs: f, node: node, name: name}, fault.Err
}

// Create implements spool.FS.
func (f *FS) Create(name string) (spool.File, error) {
	fault, err := f.begin(Create, name, 0)
	if err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	switch {
	case !f.dirs[filepath.Dir(name)]:
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	case f.names[name] != nil:
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return &file{fs: f, node: f.create(name), name: name}, fault.Err
}

func (f *FS) create(name string) *inode {
	node := newInode()
	f.names[name] = node
	f.pending = append(f.pending, nameOp{dir: filepath.Dir(name), to: name, node: node})
	return node
}

// Rename implements spool.FS.
func (f *FS) Rename(from, to string) error {
	fault, err := f.begin(Rename, from, 0)
	if err != nil {
		return err
	}
	defer f.mu.Unlock()
	node := f.names[from]
	if node == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	op := nameOp{dir: filepath.Dir(from), from: from, to: to, node: node}
	op.apply(f.names)
	f.pending = append(f.pending, op)
	return fault.Err
}

// Remove implements spool.FS.
func (f *FS) Remove(name string) error {
	fault, err := f.begin(Remove, name, 0)
	if err != nil {
		return err
	}
	defer f.mu.Unlock()
	node := f.names[name]
	if node == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	node.linked = false
	op := nameOp{dir: filepath.Dir(name), from: name}
	op.apply(f.names)
	f.pending = append(f.pending, op)
	return fault.Err
}

// SyncDir implements spool.FS.
func (f *FS) SyncDir(dir string) error {
	fault, err := f.begin(SyncDir, filepath.Join(dir, "x"), 0)
	if err != nil {
		return err
	}
	defer f.mu.Unlock()
	if !f.dirs[dir] {
		return &fs.PathError{Op: "syncdir", Path: dir, Err: fs.ErrNotExist}
	}
	if fault.Crash {
		return fault.Err
	}
	kept := f.pending[:0]
	for _, op := range f.pending {
		if op.dir == dir {
			op.apply(f.durable)
		} else {
			kept = append(kept, op)
		}
	}
	f.pending = kept
	return fault.Err
}

// Lock implements spool.FS.
func (f *FS) Lock(name string) (spool.File, error) {
	fault, err := f.begin(Lock, name, 0)
	if err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	if !f.dirs[filepath.Dir(name)] {
		return nil, &fs.PathError{Op: "lock", Path: name, Err: fs.ErrNotExist}
	}
	node := f.names[name]
	if node == nil {
		node = f.create(name)
	}
	if node.locked {
		return nil, spool.ErrLocked
	}
	node.locked = true
	return &file{fs: f, node: node, name: name, lock: true}, fault.Err
}

// Locked implements spool.FS.
func (f *FS) Locked(name string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	node := f.names[name]
	return node != nil && node.locked, nil
}

// Space implements spool.FS.
func (f *FS) Space(string) (spool.Space, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.capacity == 0 {
		return spool.Space{Free: 1 << 40}, nil
	}
	return spool.Space{Free: max(0, f.capacity-f.used())}, nil
}

func (f *FS) used() (bytes int64) {
	for _, node := range f.names {
		bytes += node.size
	}
	return bytes
}

// grow says whether node may become size bytes long.
func (f *FS) grow(node *inode, size int64) error {
	if f.capacity > 0 && size > node.size && f.used()+size-node.size > f.capacity {
		return syscall.ENOSPC
	}
	return nil
}

// Put places a file on the disk, durably.
func (f *FS) Put(name string, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirs[filepath.Dir(name)] = true
	node := newInode()
	node.write(content, 0)
	node.sync(func() bool { return true })
	f.names[name], f.durable[name] = node, node
}

// Get returns the content of a file as a running program sees it.
func (f *FS) Get(name string) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	node := f.names[name]
	if node == nil {
		return nil, false
	}
	b := make([]byte, node.size)
	if _, err := node.read(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, false
	}
	return b, true
}

// Names returns the names of the files of dir that end in suffix.
func (f *FS) Names(dir, suffix string) (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.names {
		if filepath.Dir(name) == dir && strings.HasSuffix(name, suffix) {
			names = append(names, filepath.Base(name))
		}
	}
	return names
}

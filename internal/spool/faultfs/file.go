package faultfs

import (
	"io"
	"maps"
	"slices"
	"sync"
)

const sectorBytes = 512

// sector is what a disk writes whole or not at all.
type sector struct {
	now, old [sectorBytes]byte // as the program sees it; as the disk has it
}

// inode is a file without its name. Its methods need FS.mu.
type inode struct {
	size, durable int64 // durable is the size that the disk has
	sectors       map[int64]*sector
	dirty         map[int64]bool // sectors that were written since the last sync
	linked        bool
	locked        bool
}

func newInode() *inode {
	return &inode{sectors: map[int64]*sector{}, dirty: map[int64]bool{}, linked: true}
}

func (n *inode) write(p []byte, off int64) {
	n.size = max(n.size, off+int64(len(p)))
	for len(p) > 0 {
		key, at := off/sectorBytes, off%sectorBytes
		s := n.sectors[key]
		if s == nil {
			s = &sector{}
			n.sectors[key] = s
		}
		c := copy(s.now[at:], p)
		n.dirty[key] = true
		p, off = p[c:], off+int64(c)
	}
}

func (n *inode) read(p []byte, off int64) (int, error) {
	if off >= n.size {
		return 0, io.EOF
	}
	got := int(min(int64(len(p)), n.size-off))
	for done := 0; done < got; {
		key, at := (off+int64(done))/sectorBytes, (off+int64(done))%sectorBytes
		room := min(int64(got-done), sectorBytes-at)
		if s := n.sectors[key]; s != nil {
			copy(p[done:done+int(room)], s.now[at:])
		} else {
			clear(p[done : done+int(room)])
		}
		done += int(room)
	}
	if got < len(p) {
		return got, io.EOF
	}
	return got, nil
}

func (n *inode) truncate(size int64) {
	for key, s := range n.sectors {
		start := key * sectorBytes
		if start+sectorBytes > size && start < n.size {
			clear(s.now[max(0, size-start):])
			n.dirty[key] = true
		}
	}
	n.size = size
}

// order is one order for all runs: the choices of a crash follow from a seed.
func order[V any](sectors map[int64]V) []int64 { return slices.Sorted(maps.Keys(sectors)) }

// sync makes the sectors durable that reach the disk, and forgets about the others.
func (n *inode) sync(reaches func() bool) {
	for _, key := range order(n.dirty) {
		if reaches() {
			n.sectors[key].old = n.sectors[key].now
		}
	}
	clear(n.dirty)
	if reaches() {
		n.durable = n.size
	}
}

// crash returns the file as it is found after a reboot.
func (n *inode) crash(survives func() bool) *inode {
	after := newInode()
	after.size = n.durable
	if n.size != n.durable && survives() {
		after.size = n.size
	}
	after.durable = after.size
	for _, key := range order(n.sectors) {
		s := n.sectors[key]
		content := s.old
		if n.dirty[key] && survives() {
			content = s.now
		}
		start := key * sectorBytes
		if start >= after.size {
			continue
		}
		if end := start + sectorBytes; end > after.size {
			clear(content[sectorBytes-(end-after.size):])
		}
		after.sectors[key] = &sector{now: content, old: content}
	}
	return after
}

// file is an open file.
type file struct {
	fs   *FS
	node *inode
	name string
	lock bool
	once sync.Once
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	fault, err := f.fs.begin(Read, f.name, off)
	if err != nil {
		return 0, err
	}
	defer f.fs.mu.Unlock()
	if fault.Err != nil {
		return 0, fault.Err
	}
	return f.node.read(p, off)
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	fault, err := f.fs.begin(Write, f.name, off)
	if err != nil {
		return 0, err
	}
	defer f.fs.mu.Unlock()
	if fault.Err != nil && !fault.Short && !fault.Crash {
		return 0, fault.Err
	}
	if err := f.fs.grow(f.node, off+int64(len(p))); err != nil {
		return 0, err
	}
	if fault.Short {
		p = p[:len(p)/2]
	}
	f.node.write(p, off)
	return len(p), fault.Err
}

func (f *file) Sync() error {
	fault, err := f.fs.begin(Sync, f.name, 0)
	if err != nil {
		return err
	}
	defer f.fs.mu.Unlock()
	switch {
	case fault.Crash: // Reboot chooses what of it happened
	case fault.Err != nil:
		f.node.sync(func() bool { return f.fs.rng.IntN(2) == 0 })
	default:
		f.node.sync(func() bool { return true })
	}
	return fault.Err
}

func (f *file) Preallocate(size int64) error {
	fault, err := f.fs.begin(Preallocate, f.name, 0)
	if err != nil {
		return err
	}
	defer f.fs.mu.Unlock()
	if err := f.fs.grow(f.node, size); err != nil {
		return err
	}
	f.node.size = max(f.node.size, size)
	return fault.Err
}

func (f *file) Truncate(size int64) error {
	fault, err := f.fs.begin(Truncate, f.name, 0)
	if err != nil {
		return err
	}
	defer f.fs.mu.Unlock()
	f.node.truncate(size)
	return fault.Err
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return f.node.size, nil
}

func (f *file) Linked() (bool, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return f.node.linked, nil
}

func (f *file) Close() error {
	f.once.Do(func() {
		f.fs.mu.Lock()
		defer f.fs.mu.Unlock()
		if f.lock {
			f.node.locked = false
		}
	})
	return nil
}

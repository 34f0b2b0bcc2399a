package spool

import (
	"sync"
	"sync/atomic"
)

// block is a piece of memory with whole frames in it, in order. Frames are appended to the last block of
// Spool.blocks, written from there by the syncer, and read from there by cursors that have caught up, so that on
// the usual path a record is copied once and never read back from the disk. Cursors use blocks of their own for
// what they read from disk.
//
// buf and the marks are guarded by Spool.mu. The bytes below answered never change while anyone holds a
// reference, the bytes between answered and taken belong to the syncer, and those behind to Append.
type block struct {
	buf         []byte
	first, last uint64 // sequences; first is 0 while the block is empty
	taken       int    // handed to the syncer
	answered    int    // synced, or given up: what a cursor may see
	refs        atomic.Int32
	home        *sync.Pool // nil: too large to keep
}

// blocks is a source of blocks that are reused. Its zero value is not usable.
type blocks struct {
	pool sync.Pool
	size int
}

func newBlocks(size int) *blocks {
	return &blocks{size: size}
}

// get returns an empty block with room for n bytes and one reference.
func (p *blocks) get(n int) *block {
	if n > p.size {
		b := &block{buf: make([]byte, 0, n)}
		b.refs.Store(1)
		return b
	}
	b, _ := p.pool.Get().(*block)
	if b == nil {
		b = &block{buf: make([]byte, 0, p.size), home: &p.pool}
	}
	b.buf = b.buf[:0]
	b.first, b.last, b.taken, b.answered = 0, 0, 0, 0
	b.refs.Store(1)
	return b
}

func (b *block) hold() { b.refs.Add(1) }

// drop gives one reference back. A block whose holder forgets this is left to the garbage collector.
func (b *block) drop() {
	if b.refs.Add(-1) == 0 && b.home != nil {
		b.home.Put(b)
	}
}

package spool

import (
	"encoding/binary"
	"math/bits"
)

// acks is the set of resolved sequences: acknowledged, failed, dropped or lost. Everything below frontier is in
// it; above, a bitmap in chunks, so that one acknowledgement costs the same whether ten or ten million records
// wait behind one that a broker does not take. It is not safe for concurrent use: Spool.mu guards it.
type acks struct {
	frontier uint64 // lowest sequence that is not resolved
	above    uint64 // resolved sequences at or above frontier
	chunks   map[uint64]*chunk
}

const (
	chunkShift = 12
	chunkBits  = 1 << chunkShift
	chunkWords = chunkBits / 64
	chunkMask  = chunkBits - 1

	// maxSpread bounds what a position file can make us allocate: acknowledgements further above the
	// frontier are forgotten when it is read, which costs duplicates and no record.
	maxSpread = 1 << 30
)

// chunk holds chunkBits bits. A full one has no words.
type chunk struct {
	n     int
	words *[chunkWords]uint64
}

func newAcks(frontier uint64) *acks {
	return &acks{frontier: frontier, chunks: map[uint64]*chunk{}}
}

func (a *acks) has(seq uint64) bool {
	if seq < a.frontier {
		return true
	}
	c := a.chunks[seq>>chunkShift]
	if c == nil {
		return false
	}
	i := seq & chunkMask
	return c.n == chunkBits || c.words[i/64]&(1<<(i%64)) != 0
}

// set reports whether seq was not resolved before.
func (a *acks) set(seq uint64) bool {
	if seq < a.frontier {
		return false
	}
	if seq == a.frontier && a.above == 0 {
		a.frontier++ // in order, the usual case: no bitmap at all
		return true
	}
	key := seq >> chunkShift
	c := a.chunks[key]
	if c == nil {
		c = &chunk{words: new([chunkWords]uint64)}
		a.chunks[key] = c
	}
	i := seq & chunkMask
	if c.n == chunkBits || c.words[i/64]&(1<<(i%64)) != 0 {
		return false
	}
	c.words[i/64] |= 1 << (i % 64)
	c.n++
	a.above++
	if c.n == chunkBits {
		c.words = nil
	}
	if seq == a.frontier {
		a.advance(a.nextClear(seq))
	}
	return true
}

// setRange resolves from..to-1 and returns how many of them were not resolved before.
func (a *acks) setRange(from, to uint64) uint64 {
	from = max(from, a.frontier)
	if from >= to {
		return 0
	}
	fresh := to - from - a.count(from, to)
	if from == a.frontier {
		a.advance(to)
		a.advance(a.nextClear(to))
		return fresh
	}
	for seq := from; seq < to; {
		if seq&chunkMask == 0 && to-seq >= chunkBits {
			key := seq >> chunkShift
			if c := a.chunks[key]; c != nil {
				a.above -= uint64(c.n)
			}
			a.chunks[key] = &chunk{n: chunkBits}
			a.above += chunkBits
			seq += chunkBits
			continue
		}
		a.set(seq)
		seq++
	}
	return fresh
}

// advance moves the frontier to seq and forgets the bits below it.
func (a *acks) advance(seq uint64) {
	if seq <= a.frontier {
		return
	}
	a.above -= a.count(a.frontier, seq)
	before, after := a.frontier>>chunkShift, seq>>chunkShift
	if after-before < uint64(len(a.chunks)) {
		for key := before; key < after; key++ {
			delete(a.chunks, key)
		}
	} else {
		for key := range a.chunks {
			if key < after {
				delete(a.chunks, key)
			}
		}
	}
	a.frontier = seq
	if a.above == 0 {
		clear(a.chunks)
	}
}

// nextClear returns the lowest sequence at or above seq that is not resolved.
func (a *acks) nextClear(seq uint64) uint64 {
	seq = max(seq, a.frontier)
	for {
		c := a.chunks[seq>>chunkShift]
		if c == nil {
			return seq
		}
		if c.n == chunkBits {
			seq = (seq>>chunkShift + 1) << chunkShift
			continue
		}
		i := seq & chunkMask
		w := ^c.words[i/64] >> (i % 64)
		if w != 0 {
			return seq + uint64(bits.TrailingZeros64(w))
		}
		seq += 64 - i%64
	}
}

// nextSet returns the lowest resolved sequence at or above seq and below limit, or limit.
func (a *acks) nextSet(seq, limit uint64) uint64 {
	for seq < limit {
		c := a.chunks[seq>>chunkShift]
		if c == nil {
			seq = (seq>>chunkShift + 1) << chunkShift
			continue
		}
		if c.n == chunkBits {
			return seq
		}
		i := seq & chunkMask
		if w := c.words[i/64] >> (i % 64); w != 0 {
			return min(limit, seq+uint64(bits.TrailingZeros64(w)))
		}
		seq += 64 - i%64
	}
	return limit
}

// count returns the number of resolved sequences in from..to-1.
func (a *acks) count(from, to uint64) uint64 {
	if from >= to {
		return 0
	}
	var n uint64
	if from < a.frontier {
		n = min(to, a.frontier) - from
		from = a.frontier
	}
	if a.above == 0 || from >= to {
		return n
	}
	if (to-from)>>chunkShift > uint64(len(a.chunks)) {
		for key := range a.chunks {
			start := key << chunkShift
			n += a.countChunk(max(from, start), min(to, start+chunkBits))
		}
		return n
	}
	for from < to {
		end := min(to, (from>>chunkShift+1)<<chunkShift)
		n += a.countChunk(from, end)
		from = end
	}
	return n
}

// countChunk counts in from..to-1, which lie in one chunk.
func (a *acks) countChunk(from, to uint64) uint64 {
	if from >= to {
		return 0
	}
	c := a.chunks[from>>chunkShift]
	if c == nil {
		return 0
	}
	if c.n == chunkBits {
		return to - from
	}
	var n int
	for from < to {
		i := from & chunkMask
		width := min(64-i%64, to-from)
		w := c.words[i/64] >> (i % 64)
		if width < 64 {
			w &= 1<<width - 1
		}
		n += bits.OnesCount64(w)
		from += width
	}
	return uint64(n)
}

// appendRuns appends the set above the frontier as pairs of varints, unresolved then resolved, and stops before
// limit bytes: what does not fit is delivered again after a crash. It returns the number of pairs.
func (a *acks) appendRuns(dst []byte, limit int, end uint64) (_ []byte, pairs uint32) {
	var pair [2 * binary.MaxVarintLen64]byte
	at := a.frontier
	for left := a.above; left > 0; {
		from := a.nextSet(at, end)
		if from >= end {
			break
		}
		to := a.nextClear(from)
		n := binary.PutUvarint(pair[:], from-at)
		n += binary.PutUvarint(pair[n:], to-from)
		if len(dst)+n > limit {
			break
		}
		dst = append(dst, pair[:n]...)
		pairs++
		left -= min(left, to-from)
		at = to
	}
	return dst, pairs
}

// setRuns is the reverse of appendRuns. Runs that make no sense end it: what was read so far is sound. Nothing at
// or above end is taken: such a sequence is still to be given out, and its record would never be delivered.
func (a *acks) setRuns(b []byte, pairs uint32, end uint64) {
	start := a.frontier
	at := start
	for ; pairs > 0; pairs-- {
		gap, n := binary.Uvarint(b)
		if n <= 0 || gap == 0 || gap > maxSpread {
			return
		}
		b = b[n:]
		run, n := binary.Uvarint(b)
		if n <= 0 || run == 0 || run > maxSpread || at+gap+run-start > maxSpread ||
			at+gap+run > end {
			return
		}
		b = b[n:]
		a.setRange(at+gap, at+gap+run)
		at += gap + run
	}
}

package spool

import (
	"encoding/binary"
	"maps"
	"math"
	"math/bits"
	"slices"
	"sort"
)

// acks is the set of resolved sequences: acknowledged, failed, dropped or lost. Everything below frontier is in
// it. Above, it is a bitmap in chunks, and whole chunks are runs of their keys: one acknowledgement costs the same
// whether ten or ten million records were delivered past one that a broker does not take, and a billion of them
// cost no more memory than ten. It is not safe for concurrent use: Spool.mu guards it.
type acks struct {
	frontier uint64            // lowest sequence that is not resolved
	above    uint64            // resolved sequences at or above frontier
	chunks   map[uint64]*chunk // by sequence>>chunkShift; never empty, never full
	runs     []span            // of keys of full chunks; in order, apart from each other
}

const (
	chunkShift = 12
	chunkBits  = 1 << chunkShift
	chunkWords = chunkBits / 64
	chunkMask  = chunkBits - 1
)

type chunk struct {
	n     int // bits that are set
	words [chunkWords]uint64
}

// span is from..to-1.
type span struct{ from, to uint64 }

func newAcks(frontier uint64) *acks {
	return &acks{frontier: frontier, chunks: map[uint64]*chunk{}}
}

// runAt returns the index of the first run that ends behind key, and whether key is in it.
func (a *acks) runAt(key uint64) (int, bool) {
	i := sort.Search(len(a.runs), func(i int) bool { return a.runs[i].to > key })
	return i, i < len(a.runs) && a.runs[i].from <= key
}

func (a *acks) has(seq uint64) bool {
	if seq < a.frontier {
		return true
	}
	if c := a.chunks[seq>>chunkShift]; c != nil {
		return c.has(seq)
	}
	_, full := a.runAt(seq >> chunkShift)
	return full
}

func (c *chunk) has(seq uint64) bool {
	i := seq & chunkMask
	return c.words[i/64]&(1<<(i%64)) != 0
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
	if !a.setBit(seq) {
		return false
	}
	if seq == a.frontier {
		a.advance(a.nextClear(seq))
	}
	return true
}

// setBit is set without a look at the frontier.
func (a *acks) setBit(seq uint64) bool {
	key := seq >> chunkShift
	c := a.chunks[key]
	if c == nil {
		if _, full := a.runAt(key); full {
			return false
		}
		c = &chunk{}
		a.chunks[key] = c
	}
	if c.has(seq) {
		return false
	}
	i := seq & chunkMask
	c.words[i/64] |= 1 << (i % 64)
	c.n++
	a.above++
	if c.n == chunkBits {
		a.fill(key, key+1)
	}
	return true
}

// fill makes the chunks from..to-1 full ones. Their bits are counted by the caller.
func (a *acks) fill(from, to uint64) {
	if to-from < uint64(len(a.chunks)) {
		for key := from; key < to; key++ {
			delete(a.chunks, key)
		}
	} else {
		maps.DeleteFunc(a.chunks, func(key uint64, _ *chunk) bool { return from <= key && key < to })
	}
	// Runs that touch become one.
	i := sort.Search(len(a.runs), func(i int) bool { return a.runs[i].to >= from })
	j := i
	for j < len(a.runs) && a.runs[j].from <= to {
		from, to = min(from, a.runs[j].from), max(to, a.runs[j].to)
		j++
	}
	a.runs = slices.Replace(a.runs, i, j, span{from, to})
}

// setRange resolves from..to-1 and returns how many of them were not resolved before.
func (a *acks) setRange(from, to uint64) uint64 {
	from = max(from, a.frontier)
	if from >= to {
		return 0
	}
	fresh := to - from - a.count(from, to)
	if from == a.frontier {
		a.advance(a.nextClear(to))
		return fresh
	}
	first, last := (from+chunkMask)>>chunkShift, to>>chunkShift
	if first < last {
		a.above += (last-first)<<chunkShift - a.count(first<<chunkShift, last<<chunkShift)
		a.fill(first, last)
		for ; from < first<<chunkShift; from++ {
			a.setBit(from)
		}
		from = last << chunkShift
	}
	for ; from < to; from++ {
		a.setBit(from)
	}
	return fresh
}

// advance moves the frontier to seq, below which all is resolved now, and forgets the bits there.
func (a *acks) advance(seq uint64) {
	if seq <= a.frontier {
		return
	}
	a.above -= a.count(a.frontier, seq)
	a.frontier = seq
	if a.above == 0 {
		clear(a.chunks)
		a.runs = nil
		return
	}
	key := seq >> chunkShift
	maps.DeleteFunc(a.chunks, func(k uint64, _ *chunk) bool { return k < key })
	i, _ := a.runAt(key)
	a.runs = slices.Delete(a.runs, 0, i)
}

// nextClear returns the lowest sequence at or above seq that is not resolved.
func (a *acks) nextClear(seq uint64) uint64 {
	seq = max(seq, a.frontier)
	for {
		key := seq >> chunkShift
		c := a.chunks[key]
		if c == nil {
			i, full := a.runAt(key)
			if !full {
				return seq
			}
			seq = a.runs[i].to << chunkShift
			continue
		}
		end := (key + 1) << chunkShift
		if seq = c.next(seq, end, false); seq < end {
			return seq
		}
	}
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
	first, last := from>>chunkShift, (to-1)>>chunkShift
	if last-first < uint64(len(a.chunks)) {
		for key := first; key <= last; key++ {
			n += a.chunks[key].count(key, from, to)
		}
	} else {
		for key, c := range a.chunks {
			n += c.count(key, from, to)
		}
	}
	i, _ := a.runAt(first)
	for ; i < len(a.runs) && a.runs[i].from <= last; i++ {
		n += min(to, a.runs[i].to<<chunkShift) - max(from, a.runs[i].from<<chunkShift)
	}
	return n
}

// count counts the bits of the chunk that lie in from..to-1. A chunk that is not there has none.
func (c *chunk) count(key, from, to uint64) uint64 {
	from, to = max(from, key<<chunkShift), min(to, (key+1)<<chunkShift)
	if c == nil || from >= to {
		return 0
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

// each calls yield for every run of resolved sequences above the frontier, in order, until it returns false.
func (a *acks) each(yield func(from, to uint64) bool) {
	keys := slices.Sorted(maps.Keys(a.chunks))
	runs := a.runs
	at := a.frontier
	for len(keys) > 0 || len(runs) > 0 {
		// A run of bits may go on in the next chunk: nextClear finds its end.
		var from uint64
		if len(runs) == 0 || len(keys) > 0 && keys[0] < runs[0].from {
			from = max(at, keys[0]<<chunkShift)
			from = a.chunks[keys[0]].next(from, (keys[0]+1)<<chunkShift, true)
			if from == (keys[0]+1)<<chunkShift {
				keys = keys[1:]
				continue
			}
		} else {
			from = max(at, runs[0].from<<chunkShift)
			if from >= runs[0].to<<chunkShift {
				runs = runs[1:]
				continue
			}
		}
		at = a.nextClear(from)
		if !yield(from, at) {
			return
		}
	}
}

// next returns the lowest sequence of the chunk at or above seq that is set, or is not, or end, which is the chunk's.
func (c *chunk) next(seq, end uint64, set bool) uint64 {
	var flip uint64
	if !set {
		flip = math.MaxUint64
	}
	for ; seq < end; seq += 64 - seq%64 {
		i := seq & chunkMask
		if w := (c.words[i/64] ^ flip) >> (i % 64); w != 0 {
			return seq + uint64(bits.TrailingZeros64(w))
		}
	}
	return end
}

// appendRuns appends the set above the frontier as pairs of varints, unresolved then resolved, and stops before
// limit bytes: what does not fit is delivered again after a crash. It returns the number of pairs.
func (a *acks) appendRuns(dst []byte, limit int) (_ []byte, pairs uint32) {
	var pair [2 * binary.MaxVarintLen64]byte
	at := a.frontier
	a.each(func(from, to uint64) bool {
		n := binary.PutUvarint(pair[:], from-at)
		n += binary.PutUvarint(pair[n:], to-from)
		if len(dst)+n > limit {
			return false
		}
		dst = append(dst, pair[:n]...)
		pairs++
		at = to
		return true
	})
	return dst, pairs
}

// setRuns is the reverse of appendRuns. Runs that make no sense end it: what was read so far is sound. Nothing at
// or above end is taken: such a sequence is still to be given out, and its record would never be delivered.
func (a *acks) setRuns(b []byte, pairs uint32, end uint64) {
	at := a.frontier
	for ; pairs > 0; pairs-- {
		gap, n := binary.Uvarint(b)
		if n <= 0 || gap == 0 || gap >= end-at {
			return
		}
		b = b[n:]
		run, n := binary.Uvarint(b)
		if n <= 0 || run == 0 || run > end-at-gap {
			return
		}
		b = b[n:]
		a.setRange(at+gap, at+gap+run)
		at += gap + run
	}
}

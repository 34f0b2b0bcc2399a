package spool

import (
	"encoding/binary"
	"errors"
	"io"
)

// scanner walks the frames of one segment file and steps over damage. Readers, recovery and the offline tool all
// see a file through it, so that they agree on what is in it.
type scanner struct {
	f     File
	salt  uint32
	off   int64 // of the next frame
	limit int64 // end of what may be read
	// Only frames with lo <= sequence < hi count. Below lo is a copy of what was seen; from hi on begins the
	// next segment, and what is here was never answered.
	lo, hi uint64
	// zeroFrom, when not 0, is where nothing but zeros follows: the preallocated end of a segment. Frames may end behind it, with zeros.
	zeroFrom int64

	source *blocks
	chunk  *block // bytes [base, base+len) of the file
	base   int64
}

type finding int

const (
	foundFrame finding = iota
	foundBad           // bytes from..to are not a frame
	foundEnd           // nothing more below limit and hi
)

type found struct {
	what     finding
	from, to int64
	head     header
	payload  []byte // in the scanner's chunk
	reason   error  // why bytes are bad
	zero     bool   // bad bytes are all zero
}

func newScanner(f File, head segmentHead, source *blocks) *scanner {
	return &scanner{f: f, salt: head.salt, off: segmentStart, lo: head.first, hi: openEnd, source: source}
}

// next returns what comes next. An error is one of reading: the scanner stands where it stood, and may be asked again.
func (sc *scanner) next() (found, error) {
	for {
		if sc.off >= sc.limit || sc.lo >= sc.hi {
			return found{what: foundEnd, from: sc.off, to: sc.off}, nil
		}
		b, err := sc.peek(sc.off, frameHeader)
		if err != nil {
			return found{}, err
		}
		h, reason := readHeader(b, sc.salt)
		if reason == nil && sc.off+h.size() > sc.limit {
			reason = errFramePastEnd
		}
		if reason != nil {
			return sc.search(reason)
		}
		if h.kind == kindRecord && h.seq >= sc.hi {
			return found{what: foundEnd, from: sc.off, to: sc.off}, nil
		}
		b, err = sc.peek(sc.off, int(h.size()))
		if err != nil {
			return found{}, err
		}
		from := sc.off
		payload := b[frameHeader : frameHeader+h.length : frameHeader+h.length]
		if checksum(payload) != h.sum {
			// The length is that of the header, unless a page of frames was written to another place than its own: then it leads to
			// no frame, and past some.
			end := from + h.size()
			if sc.off = from + frameHeader; sc.plausible(end) || !sc.skipTo(end) {
				sc.off = end
			}
			return found{what: foundBad, from: from, to: sc.off, head: h, reason: errFramePayload}, nil
		}
		sc.off += h.size()
		if h.kind != kindRecord || h.seq < sc.lo {
			continue
		}
		sc.lo = h.seq + 1
		return found{what: foundFrame, from: from, to: sc.off, head: h, payload: payload}, nil
	}
}

// firstFrame returns the header of the first frame of g that fits.
func firstFrame(f File, head segmentHead, g *segment, source *blocks, fits func(found) bool) (h header, ok bool, err error) {
	sc := newScanner(f, head, source)
	defer sc.release()
	sc.lo, sc.hi, sc.limit = g.first, g.end, g.size
	for {
		got, err := sc.next()
		if err != nil || got.what == foundEnd {
			return header{}, false, err
		}
		if got.what == foundFrame && fits(got) {
			return got.head, true, nil
		}
	}
}

// search looks for the next good header behind a bad one, which may have lost its length.
func (sc *scanner) search(reason error) (found, error) {
	from := sc.off
	bad := found{what: foundBad, from: from, reason: reason, zero: true}
	for at := from; ; at += frameAlign {
		if at >= sc.limit || sc.zeroFrom > 0 && at >= sc.zeroFrom {
			sc.off = sc.limit
			break
		}
		b, err := sc.peek(at, frameAlign)
		if err != nil {
			return found{}, err
		}
		if len(b) < frameAlign || binary.LittleEndian.Uint64(b) != 0 {
			if at > from && b[0] == frameMark && sc.plausible(at) {
				sc.off = at
				break
			}
			bad.zero = bad.zero && zeros(b)
		}
	}
	bad.to = sc.off
	if bad.zero && bad.to == sc.limit {
		return found{what: foundEnd, from: from, to: bad.to}, nil
	}
	return bad, nil
}

// skipTo moves to the first plausible frame before end, and reports whether there is one.
func (sc *scanner) skipTo(end int64) bool {
	for at := sc.off; at < end; at += frameAlign {
		if b, err := sc.peek(at, 1); err == nil && b[0] == frameMark && sc.plausible(at) {
			sc.off = at
			return true
		}
	}
	return false
}

// plausible reports whether a frame that belongs here begins at off.
func (sc *scanner) plausible(off int64) bool {
	b, err := sc.peek(off, frameHeader)
	if err != nil {
		return false
	}
	h, err := readHeader(b, sc.salt)
	return err == nil && off+h.size() <= sc.limit && (h.kind == kindFiller || sc.lo <= h.seq && h.seq < sc.hi)
}

// buffered reports whether next can return a frame without reading the file, and so without letting go of the
// chunk that holds the payloads returned so far.
func (sc *scanner) buffered() bool {
	b, ok := sc.inChunk(sc.off, frameHeader)
	if !ok {
		return false
	}
	h, err := readHeader(b, sc.salt)
	if err != nil || h.kind != kindRecord || h.seq < sc.lo { // next goes on behind it
		return false
	}
	_, ok = sc.inChunk(sc.off, int(h.size()))
	return ok
}

func (sc *scanner) inChunk(off int64, n int) ([]byte, bool) {
	if sc.chunk == nil || off < sc.base || off+int64(n) > sc.base+int64(len(sc.chunk.buf)) {
		return nil, false
	}
	at := int(off - sc.base)
	return sc.chunk.buf[at : at+n], true
}

// peek returns n bytes at off, or fewer where limit or the file ends. When it has to read, it reads a whole chunk.
func (sc *scanner) peek(off int64, n int) ([]byte, error) {
	n = int(max(0, min(int64(n), sc.limit-off)))
	if b, ok := sc.inChunk(off, n); ok {
		return b, nil
	}
	want := min(max(int64(n), int64(sc.source.size)), sc.limit-off)
	blk := sc.source.get(int(want))
	got, err := readFull(sc.f, blk.buf[:want], off)
	if err != nil && want > int64(n) {
		// One bad sector must not take the megabyte around it along.
		got, err = readFull(sc.f, blk.buf[:n], off)
	}
	if err != nil {
		blk.drop()
		return nil, err
	}
	if got < n {
		// The file is shorter than its size said: what is not there reads as zeros, which are no frame.
		clear(blk.buf[got:n])
		got = n
	}
	blk.buf = blk.buf[:got]
	sc.release()
	sc.chunk, sc.base = blk, off
	return blk.buf[:n], nil
}

// release gives the chunk back to its source, unless a batch still holds it.
func (sc *scanner) release() {
	if sc.chunk != nil {
		sc.chunk.drop()
		sc.chunk = nil
	}
}

// readFull reads until p is full or the file ends, and returns how much it read.
func readFull(f File, p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		got, err := f.ReadAt(p[n:], off+int64(n))
		n += got
		if errors.Is(err, io.EOF) || err == nil && got == 0 {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

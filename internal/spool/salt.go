package spool

import (
	"cmp"
	"encoding/binary"
	"errors"
)

// A segment whose two headers are damaged has lost one thing that its name and its frames do not tell: the salt of their
// checksums. But each frame gives it away: a CRC can be run backwards, from the sum that stands in a frame to the value
// that it was begun from. All frames of a segment give the same value; so the bytes behind the damage are still read, and
// still checked against each other.

const (
	// saltWork bounds the search for salts, in bytes that are summed for each byte of the file: what somebody else wrote into
	// a payload may look like thousands of frames that reach into each other.
	saltWork = 8
	// saltSpan bounds the sequences that one segment may have.
	saltSpan = 1 << 40
	maxSalts = 1000
	// maxUnread bounds the pages that cannot be read and are stepped over: each may take a disk seconds to give up.
	maxUnread = 64
)

// What is wrong with a header whose segment can be read nevertheless.
const (
	headOneCopy = "one copy of the segment header is damaged"
	headNone    = "both copies of the segment header are damaged, its frames can be read"
	headOther   = "the segment header is that of another segment, its frames can be read"
)

// readHead reads the header of a segment, and works it out from the frames where it is lost. g says what the name tells, h what the
// position file knows. With err nil the frames can be read, and damage says what is wrong with the header, if anything is. A place
// that the disk does not give back is an error, and damage only at the last try.
func readHead(f File, g *segment, h hint, source *blocks, lastTry bool) (head segmentHead, damage string, err error) {
	head, one, err := readSegmentHead(f)
	elsewhere := false // the disk gives back other places of the file
	if err != nil && lastTry && !hopeless(err) && !errors.Is(err, errSegmentVersion) {
		if elsewhere = readsAnywhere(f); elsewhere {
			head, one, err = readSegmentHead(f) // the disk may have come back since the failure
		}
	}
	switch {
	case err == nil && head.ord == g.ord && head.first == g.first:
		if one {
			damage = headOneCopy
		}
		return head, damage, nil
	case errors.Is(err, errSegmentVersion):
		return head, "", err
	case err == nil:
		damage, err = headOther, errSegmentName
	default:
		damage = headNone
	}
	if g.found != nil {
		return *g.found, damage, nil
	}
	size, serr := f.Size()
	if serr != nil {
		return head, "", serr
	}
	switch {
	case errors.Is(err, errSegmentEmpty):
		end, err := lastNonZero(f, 0, size)
		if err == nil && end == 0 {
			err = errSegmentEmpty // its creation was cut short, or all of it was wiped
		}
		if err != nil {
			return head, "", err
		}
	case hopeless(err):
	case !elsewhere:
		return head, "", err // the disk does not answer, which is no damage
	}
	if !errors.Is(err, errSegmentName) {
		err = errSegmentHeader
	}
	salt, created, ok, serr := findSalt(f, g, size, h, source, lastTry)
	if serr != nil || !ok {
		return head, "", cmp.Or(serr, err)
	}
	return segmentHead{salt: salt, ord: g.ord, first: g.first, created: created}, damage, nil
}

// findSalt returns the salt of the frames in f, and the time of the first of them.
//
// The frame that the hint names was synced there, so its word counts. Without it, the salt that explains the most bytes is taken, if it
// explains more than the half of what is there: the payload of a record may have frames in it, because somebody mailed a spool file, and
// when the header around them is damaged nothing else tells that they are none of ours. Where the hint is in this segment and its
// frame is damaged, all that stands behind may be the inside of that one.
func findSalt(f File, g *segment, size int64, h hint, source *blocks, lastTry bool) (salt uint32, created int64, ok bool, err error) {
	sc := newScanner(f, segmentHead{first: g.first}, source)
	defer sc.release()
	sc.limit = size
	hinted := h.ord == g.ord && h.off >= segmentStart && h.off < size && h.off%frameAlign == 0
	if hinted {
		fr, good, err := sc.unsalted(h.off, g)
		if err == nil && good && fr.head.seq == h.seq {
			return fr.salt, fr.head.time, true, nil
		}
	}
	type candidate struct{ at, time, bytes int64 } // where and when its first frame is, and what its frames take
	salts := map[uint32]*candidate{}
	var unexplained int64
	work := saltWork * size
	for at, unread := int64(0), 0; at < size && work > 0; {
		fr, good, err := sc.unsalted(at, g)
		if err != nil {
			if unread++; unread > maxUnread || !lastTry {
				return 0, 0, false, err
			}
			at = (at/pageBytes + 1) * pageBytes
			continue
		}
		work -= fr.work
		known := salts[fr.salt]
		if good && known == nil && len(salts) < maxSalts {
			known = &candidate{at: at, time: fr.head.time}
			salts[fr.salt] = known
		}
		if fr.work > 0 && known != nil { // also a frame with a damaged payload, whose inside may be anything
			known.bytes += fr.head.size()
			at += fr.head.size()
			continue
		}
		if b, err := sc.peek(at, frameAlign); err == nil && at >= segmentStart && !zeros(b) {
			unexplained += frameAlign
		}
		at += frameAlign
	}
	var total, most int64
	for of, c := range salts {
		total += c.bytes
		if c.bytes > most && (!hinted || c.at < h.off) {
			salt, created, most = of, c.time, c.bytes
		}
	}
	return salt, created, most > total-most+unexplained, nil
}

// An unsaltedFrame is what may be a frame. work is the number of bytes that were looked at; 0 means that it is none.
type unsaltedFrame struct {
	head header
	salt uint32
	work int64
}

// unsalted looks for a frame of g at off without knowing the salt. ok says that its payload is good.
func (sc *scanner) unsalted(off int64, g *segment) (fr unsaltedFrame, ok bool, err error) {
	b, err := sc.peek(off, frameHeader)
	if err != nil || len(b) < frameHeader || b[0] != frameMark || b[1] != frameVersion || b[2] > kindFiller || b[3] != 0 {
		return fr, false, err
	}
	h := rawHeader(b)
	if h.length > MaxPayload || off+h.size() > sc.limit || !g.holds(h.seq) || h.seq-g.first > saltSpan {
		return fr, false, nil
	}
	fr = unsaltedFrame{head: h, salt: saltOf(b), work: h.size()}
	b, err = sc.peek(off, int(h.size()))
	if err != nil || int64(len(b)) < h.size() {
		return fr, false, err
	}
	return fr, checksum(b[frameHeader:frameHeader+h.length]) == h.sum, nil
}

// saltOf returns the value from which the checksum of the header b was begun.
func saltOf(b []byte) uint32 {
	// crc32.Update inverts before and after. Backwards, a byte is undone by the table's entry whose top byte is that of
	// the register: the top bytes of the table are all different.
	crc := ^binary.LittleEndian.Uint32(b[28:])
	for i := 27; i >= 0; i-- {
		at := topBytes[crc>>24]
		crc = (crc^castagnoli[at])<<8 | uint32(at^b[i])
	}
	return ^crc
}

// topBytes finds the entry of the table by its top byte.
var topBytes = func() (index [256]byte) {
	for i, v := range castagnoli {
		index[v>>24] = byte(i)
	}
	return index
}()

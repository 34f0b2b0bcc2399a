package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// One segment is one file of frames, named ORDINAL-FIRST.seg, both in decimal. The ordinal counts files, FIRST is
// the sequence of the first frame. The name alone tells the range: a segment's frames end before the FIRST of
// the next ordinal. What lies behind that in the file belongs to a window whose sync failed and which was
// written again to the next segment; it must not be read. Part of the format:
//
//	   0  magic "HLNSPOOL"            8
//	   8  version                     4
//	  12  salt of the frame headers   4
//	  16  ordinal                     8
//	  24  first sequence              8
//	  32  created, ns since 1970      8
//	  40  zero                       20
//	  60  CRC-32C of 0..59            4
//	 512  the same 64 bytes again: one damaged sector must not cost a whole segment
//	1024  frames
const (
	segmentMagic   = "HLNSPOOL"
	segmentVersion = 1
	segmentCopy    = 512
	segmentStart   = 1024
	segmentSuffix  = ".seg"
)

var (
	errSegmentEmpty   = errors.New("segment holds only zeros")
	errSegmentHeader  = errors.New("both copies of the segment header are damaged")
	errSegmentVersion = errors.New("unknown segment version")
	errSegmentName    = errors.New("the segment header is that of another segment")
)

// hopeless reports whether err says that a segment was read and holds nothing that can be used: reading it again will not help.
func hopeless(err error) bool {
	return errors.Is(err, errSegmentHeader) || errors.Is(err, errSegmentEmpty) || errors.Is(err, errSegmentName) || errors.Is(err, ErrNotPlain)
}

// segment is one file of the log. All fields but the name are guarded by Spool.mu once it is in Spool.segs.
//
// Its life: the syncer creates it (end is openEnd) and seals it when it is full, or poisons it after a failed write or sync; both give it
// its end. When the last of its records is acknowledged it goes from Spool.segs to Spool.deletable, and the keeper unlinks it.
type segment struct {
	name  string
	ord   uint64
	first uint64
	end   uint64 // sequence after the last that is looked for here; openEnd for the active segment
	size  int64  // bytes that are safe to read
	acked uint64 // resolved sequences in first..end
	since int64  // when it was begun, ns, as its header says; 0 is not known yet, -1 cannot be read
	// tainted: it holds damage that could not be copied aside, so it is renamed when it is acknowledged, not unlinked.
	tainted bool
	// ours: this process made it.
	ours bool
	// foreign: another version of this program wrote it. Its records stay pending, and the file is left alone.
	foreign bool
	// later: it holds a record that only a later version of this program can read. DropOldest leaves it.
	later bool
	// seen: the keeper has looked for such a record.
	seen bool
	// found is the header as it was worked out from the frames, when both copies are damaged.
	found *segmentHead
}

// openEnd is the end of a segment that still grows.
const openEnd = math.MaxUint64

func (g *segment) holds(seq uint64) bool { return g.first <= seq && seq < g.end }

func (g *segment) done() bool { return g.end != openEnd && g.acked >= g.end-g.first }

func segmentName(ord, first uint64) string {
	return fmt.Sprintf("%010d-%020d%s", ord, first, segmentSuffix)
}

func parseSegmentName(name string) (ord, first uint64, ok bool) {
	base, isSegment := strings.CutSuffix(name, segmentSuffix)
	a, b, two := strings.Cut(base, "-")
	if !isSegment || !two || len(a) < 10 || len(b) != 20 {
		return 0, 0, false
	}
	ord, errOrd := strconv.ParseUint(a, 10, 63)
	first, errFirst := strconv.ParseUint(b, 10, 63)
	// The round trip refuses signs, and a second spelling of the same segment.
	return ord, first, errOrd == nil && errFirst == nil && first > 0 && segmentName(ord, first) == name
}

type segmentHead struct {
	salt    uint32
	ord     uint64
	first   uint64
	created int64
}

// encode returns the first segmentStart bytes of a segment: both copies.
func (h segmentHead) encode() []byte {
	b := make([]byte, segmentStart)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], segmentVersion)
	binary.LittleEndian.PutUint32(b[12:], h.salt)
	binary.LittleEndian.PutUint64(b[16:], h.ord)
	binary.LittleEndian.PutUint64(b[24:], h.first)
	binary.LittleEndian.PutUint64(b[32:], uint64(h.created))
	binary.LittleEndian.PutUint32(b[60:], checksum(b[:60]))
	copy(b[segmentCopy:], b[:64])
	return b
}

// decodeSegmentHead reads the first bytes of a segment. It also says whether one of the two copies was damaged.
func decodeSegmentHead(b []byte) (h segmentHead, damaged bool, err error) {
	first, errFirst := decodeHeadCopy(b, 0)
	second, errSecond := decodeHeadCopy(b, segmentCopy)
	goodFirst, goodSecond := errFirst == nil, errSecond == nil
	switch {
	case goodFirst:
		return first, !goodSecond || first != second, nil
	case goodSecond:
		return second, true, nil
	case zeros(b):
		return segmentHead{}, false, errSegmentEmpty
	case errors.Is(errFirst, errSegmentVersion):
		return segmentHead{}, false, errFirst
	case errors.Is(errSecond, errSegmentVersion):
		return segmentHead{}, false, errSecond
	}
	return segmentHead{}, true, errSegmentHeader
}

func decodeHeadCopy(b []byte, at int) (segmentHead, error) {
	if len(b) < at+64 || !bytes.Equal(b[at:at+8], []byte(segmentMagic)) {
		return segmentHead{}, errSegmentHeader
	}
	b = b[at : at+64]
	// The checksum first, and it stays where it is in every version: a damaged version must not be taken for another one.
	if binary.LittleEndian.Uint32(b[60:]) != checksum(b[:60]) {
		return segmentHead{}, errSegmentHeader
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != segmentVersion {
		return segmentHead{}, fmt.Errorf("%w %d (this program knows %d)", errSegmentVersion, v, segmentVersion)
	}
	return segmentHead{
		salt:    binary.LittleEndian.Uint32(b[12:]),
		ord:     binary.LittleEndian.Uint64(b[16:]),
		first:   binary.LittleEndian.Uint64(b[24:]),
		created: int64(binary.LittleEndian.Uint64(b[32:])),
	}, nil
}

// readSegmentHead reads the header of f. A file shorter than a header holds no frames.
func readSegmentHead(f File) (h segmentHead, damaged bool, err error) {
	b := make([]byte, segmentStart)
	n, err := readFull(f, b, 0)
	if err != nil {
		return segmentHead{}, false, err
	}
	return decodeSegmentHead(b[:n])
}

package spool

import (
	"encoding/binary"
	"math"
	"time"
)

// Eagerly makes the keeper write the position after every acknowledgement and append.
func Eagerly(o Options) Options {
	o.pace = pace{acks: 1, every: time.Millisecond, bytes: 1}
	return o
}

// What the tests of the format need of it.
const (
	FrameHeader    = frameHeader
	SegmentStart   = segmentStart
	PositionSlot   = positionSlot
	PositionHeader = positionHeader
)

var SegmentName = segmentName

func SegmentHead(salt uint32, ord, first uint64, created int64) []byte {
	return segmentHead{salt: salt, ord: ord, first: first, created: created}.encode()
}

func AppendFrame(dst []byte, salt uint32, seq uint64, ns int64, payload []byte) []byte {
	return appendFrame(dst, salt, header{seq: seq, time: ns}, payload)
}

func AppendFiller(dst []byte, salt uint32, seq uint64, ns int64, size int) []byte {
	return appendFrame(dst, salt, header{kind: kindFiller, seq: seq, time: ns}, make([]byte, size))
}

// PositionSlotBytes encodes a slot with these sequences resolved above the frontier.
func PositionSlotBytes(generation, frontier, next uint64, ord uint64, off int64, seq uint64, resolved ...uint64) []byte {
	a := newAcks(frontier)
	for _, seq := range resolved {
		a.set(seq)
	}
	p := position{generation: generation, next: next, hint: hint{ord, off, seq}, acks: a}
	return p.encode(make([]byte, positionSlot))
}

// DecodePosition returns what a slot says, or why it says nothing.
func DecodePosition(b []byte) (frontier, next uint64, resolved func(uint64) bool, err error) {
	p, err := decodePosition(b)
	if err != nil {
		return 0, 0, nil, err
	}
	return p.acks.frontier, p.next, p.acks.has, nil
}

// ReadHeader returns what a frame header says, or why it is none.
func ReadHeader(b []byte, salt uint32) (seq uint64, length int, err error) {
	h, err := readHeader(b, salt)
	return h.seq, h.length, err
}

// Acks is the set of resolved sequences.
type Acks struct{ a *acks }

func NewAcks(frontier uint64) Acks { return Acks{newAcks(frontier)} }

func (a Acks) Set(seq uint64) bool             { return a.a.set(seq) }
func (a Acks) SetRange(from, to uint64) uint64 { return a.a.setRange(from, to) }
func (a Acks) Has(seq uint64) bool             { return a.a.has(seq) }
func (a Acks) Count(from, to uint64) uint64    { return a.a.count(from, to) }
func (a Acks) NextClear(seq uint64) uint64     { return a.a.nextClear(seq) }
func (a Acks) Frontier() uint64                { return a.a.frontier }
func (a Acks) Above() uint64                   { return a.a.above }
func (a Acks) Copy(limit int) Acks {
	b, pairs := a.a.appendRuns(make([]byte, 0, limit), limit)
	out := newAcks(a.a.frontier)
	out.setRuns(b, pairs, math.MaxInt64)
	return Acks{out}
}

// SealHeader and SealPosition give a fuzzed header a good checksum, so that the checks behind it are reached too.
func SealHeader(b []byte, salt uint32) {
	b[0], b[1] = frameMark, frameVersion
	sealHeader(b, salt)
}

func SealPosition(b []byte) {
	SealPositionOf(b, positionVersion)
}

// SealPositionOf and SealSegmentHead make what another version would write.
func SealPositionOf(b []byte, version uint32) {
	copy(b, positionMagic)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[64:], uint32(len(b)-positionHeader))
	binary.LittleEndian.PutUint32(b[68:], positionSum(b))
}

func SealSegmentHead(b []byte, version uint32) {
	for at := 0; at <= segmentCopy; at += segmentCopy {
		binary.LittleEndian.PutUint32(b[at+8:], version)
		binary.LittleEndian.PutUint32(b[at+60:], checksum(b[at:at+60]))
	}
}

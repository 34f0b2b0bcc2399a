package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// One frame is one record. All numbers are little-endian. Part of the format:
//
//	 0      1      2      3      4                    8
//	+------+------+------+------+--------------------+
//	| mark | vers | kind | zero | payload length     |
//	+------+------+------+------+--------------------+
//	| sequence                                       |  8
//	+------------------------------------------------+
//	| time, nanoseconds since 1970                   | 16
//	+---------------------------+--------------------+
//	| CRC-32C of the payload    | CRC-32C of 0..27   | 24
//	+---------------------------+--------------------+
//	| payload, then zeros up to a multiple of 8      | 32
//	+------------------------------------------------+
//
// The header's checksum starts from the salt of its segment and not from zero. A payload may hold the image of a
// frame (somebody mails a spool file); without the salt, a search for the next good frame behind a damaged one
// would find that image and invent a record.
const (
	frameMark    = 0xb5 // not zero: preallocated space is never a frame
	frameVersion = 1
	frameHeader  = 32
	frameAlign   = 8

	kindRecord = 0
	kindFiller = 1 // written by Repair over damage: to be skipped, its payload is zeros

	// MaxPayload is the largest payload in bytes: a length above it is damage, whatever its checksum says.
	MaxPayload = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errFrameShort   = errors.New("header is cut off")
	errFrameZero    = errors.New("no frame here, only zeros")
	errFrameMark    = errors.New("no frame mark")
	errFrameVersion = errors.New("unknown frame version")
	errFrameHeader  = errors.New("header checksum is wrong")
	errFrameLength  = errors.New("length is impossible")
	errFramePayload = errors.New("payload checksum is wrong")
	errFramePastEnd = errors.New("frame reaches past the end of the file")
)

type header struct {
	kind   byte
	length int
	seq    uint64
	time   int64
	sum    uint32 // of the payload
}

// size is the number of bytes that the frame takes in the file.
func (h header) size() int64 { return frameSize(h.length) }

func frameSize(payload int) int64 {
	return int64(frameHeader+payload+frameAlign-1) &^ (frameAlign - 1)
}

func checksum(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

func headerSum(salt uint32, b []byte) uint32 { return crc32.Update(salt, castagnoli, b[:28]) }

// putHeader writes all of h into b but the header's checksum, which needs the salt of a segment that is not
// chosen yet: see sealHeader.
func putHeader(b []byte, h header) {
	b[0], b[1], b[2], b[3] = frameMark, frameVersion, h.kind, 0
	binary.LittleEndian.PutUint32(b[4:], uint32(h.length))
	binary.LittleEndian.PutUint64(b[8:], h.seq)
	binary.LittleEndian.PutUint64(b[16:], uint64(h.time))
	binary.LittleEndian.PutUint32(b[24:], h.sum)
}

func sealHeader(b []byte, salt uint32) {
	binary.LittleEndian.PutUint32(b[28:], headerSum(salt, b))
}

// rawHeader reads a header that this process wrote into its own memory.
func rawHeader(b []byte) header {
	return header{
		kind:   b[2],
		length: int(binary.LittleEndian.Uint32(b[4:])),
		seq:    binary.LittleEndian.Uint64(b[8:]),
		time:   int64(binary.LittleEndian.Uint64(b[16:])),
		sum:    binary.LittleEndian.Uint32(b[24:]),
	}
}

// readHeader reads a header from disk.
func readHeader(b []byte, salt uint32) (header, error) {
	if len(b) < frameHeader {
		return header{}, errFrameShort
	}
	if b[0] != frameMark {
		if b[0] == 0 && zeros(b[:frameHeader]) {
			return header{}, errFrameZero
		}
		return header{}, errFrameMark
	}
	if binary.LittleEndian.Uint32(b[28:]) != headerSum(salt, b) {
		return header{}, errFrameHeader
	}
	if b[1] != frameVersion {
		return header{}, fmt.Errorf("%w %d", errFrameVersion, b[1])
	}
	h := rawHeader(b)
	if h.length > MaxPayload || h.seq == 0 || h.kind > kindFiller {
		return header{}, errFrameLength
	}
	return h, nil
}

// appendFrame appends a whole frame to dst; it is for repair and tests, the hot path is in append.go.
func appendFrame(dst []byte, salt uint32, h header, payload []byte) []byte {
	h.length, h.sum = len(payload), checksum(payload)
	at := len(dst)
	dst = append(dst, make([]byte, h.size())...)
	putHeader(dst[at:], h)
	copy(dst[at+frameHeader:], payload)
	sealHeader(dst[at:], salt)
	return dst
}

func zeros(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

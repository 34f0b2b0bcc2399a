package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The position file says what needs no delivery any more. It has two slots of the same layout, and the valid one
// with the higher generation counts. Losing both costs duplicates and no record. Part of the format:
//
//	 0  magic "HLNSPPOS"                           8
//	 8  version                                    4
//	12  number of pairs                            4
//	16  generation                                 8
//	24  frontier: all below is resolved            8
//	32  next: no sequence from here on was used    8
//	40  hint: ordinal of a segment                 8
//	48  hint: offset of a synced frame in it       8
//	56  hint: sequence of that frame               8
//	64  length of the pairs in bytes               4
//	68  CRC-32C of 0..67 and of the pairs          4
//	72  pairs of varints from frontier on: not resolved, resolved
//
// The hint bounds what a start has to read of the last segment. It is believed only when that very frame is there.
const (
	positionName    = "position"
	positionMagic   = "HLNSPPOS"
	positionVersion = 1
	positionHeader  = 72
	positionSlot    = 64 << 10
	positionBytes   = 2 * positionSlot
)

var (
	errPositionEmpty   = errors.New("slot is empty")
	errPositionMagic   = errors.New("slot has no magic")
	errPositionVersion = errors.New("unknown slot version")
	errPositionSum     = errors.New("slot checksum is wrong")
	errPositionLength  = errors.New("slot length is impossible")
)

type hint struct {
	ord uint64
	off int64
	seq uint64
}

type position struct {
	generation uint64
	next       uint64
	hint       hint
	acks       *acks
}

// encode writes one slot into b, which must have positionSlot bytes, and returns the part that is used.
func (p position) encode(b []byte) []byte {
	out, pairs := p.acks.appendRuns(b[:positionHeader], positionSlot)
	copy(out, positionMagic)
	binary.LittleEndian.PutUint32(out[8:], positionVersion)
	binary.LittleEndian.PutUint32(out[12:], pairs)
	binary.LittleEndian.PutUint64(out[16:], p.generation)
	binary.LittleEndian.PutUint64(out[24:], p.acks.frontier)
	binary.LittleEndian.PutUint64(out[32:], p.next)
	binary.LittleEndian.PutUint64(out[40:], p.hint.ord)
	binary.LittleEndian.PutUint64(out[48:], uint64(p.hint.off))
	binary.LittleEndian.PutUint64(out[56:], p.hint.seq)
	binary.LittleEndian.PutUint32(out[64:], uint32(len(out)-positionHeader))
	binary.LittleEndian.PutUint32(out[68:], positionSum(out))
	return out
}

func positionSum(b []byte) uint32 {
	return crc32.Update(checksum(b[:68]), castagnoli, b[positionHeader:])
}

func decodePosition(b []byte) (position, error) {
	if len(b) < positionHeader {
		return position{}, errPositionEmpty
	}
	if !bytes.Equal(b[:8], []byte(positionMagic)) {
		if zeros(b[:positionHeader]) {
			return position{}, errPositionEmpty
		}
		return position{}, errPositionMagic
	}
	length := int64(binary.LittleEndian.Uint32(b[64:]))
	if positionHeader+length > min(int64(len(b)), positionSlot) {
		return position{}, errPositionLength
	}
	b = b[:positionHeader+length]
	if binary.LittleEndian.Uint32(b[68:]) != positionSum(b) {
		return position{}, errPositionSum
	}
	// Behind the checksum, which stays where it is in every version: see decodeHeadCopy.
	if v := binary.LittleEndian.Uint32(b[8:]); v != positionVersion {
		return position{}, fmt.Errorf("%w %d (this program knows %d)", errPositionVersion, v, positionVersion)
	}
	p := position{
		generation: binary.LittleEndian.Uint64(b[16:]),
		next:       binary.LittleEndian.Uint64(b[32:]),
		hint: hint{
			ord: binary.LittleEndian.Uint64(b[40:]),
			off: int64(binary.LittleEndian.Uint64(b[48:])),
			seq: binary.LittleEndian.Uint64(b[56:]),
		},
		acks: newAcks(binary.LittleEndian.Uint64(b[24:])),
	}
	// A sequence near the end of the number space can only be damage that the checksum missed; taken at its
	// word it would leave no sequence for the next record.
	const end = 1 << 62
	if p.acks.frontier == 0 || p.acks.frontier > end || p.next < p.acks.frontier || p.next > end {
		return position{}, errPositionLength
	}
	p.acks.setRuns(b[positionHeader:], binary.LittleEndian.Uint32(b[12:]), p.next)
	return p, nil
}

// readPosition returns the newer of the valid slots, its index, and what is wrong with the other one. The index is -1 for a file that
// was created and never written. A slot that another version wrote is an error, whatever the other one says: what that version knows
// may be newer.
func readPosition(f File) (p position, slot int, damage, err error) {
	b := make([]byte, positionBytes)
	n, err := readFull(f, b, 0)
	if err != nil {
		return position{}, -1, nil, err
	}
	slot = -1
	var reasons [2]error
	for i := range reasons {
		var found position
		found, reasons[i] = decodePosition(b[min(n, i*positionSlot):min(n, (i+1)*positionSlot)])
		if errors.Is(reasons[i], errPositionVersion) {
			return position{}, -1, nil, reasons[i]
		}
		if reasons[i] == nil && (slot < 0 || found.generation > p.generation) {
			p, slot = found, i
		}
	}
	switch first, second := reasons[0], reasons[1]; {
	case slot >= 0:
		if damage = reasons[1-slot]; errors.Is(damage, errPositionEmpty) {
			damage = nil
		}
	case !errors.Is(first, errPositionEmpty) || !errors.Is(second, errPositionEmpty):
		err = fmt.Errorf("first slot: %w; second slot: %w", first, second)
	}
	return p, slot, damage, err
}

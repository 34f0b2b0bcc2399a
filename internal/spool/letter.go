package spool

import (
	"encoding/binary"
	"errors"
)

// Dead letters live in a spool of their own, in the folder dead/ of the queue's: the same files, the same rules,
// the same tools. Only their payload is more than the record: it begins with the reason. Part of the format:
//
//	0  length of the reason, little-endian  2
//	2  reason, UTF-8
//	   the payload of the record as it was in the queue's spool
const DeadFolder = "dead"

// ErrLetter is returned for a payload that is no dead letter.
var ErrLetter = errors.New("not a dead letter")

const maxReason = 1<<16 - 1

// AppendLetter appends the payload of a dead letter to dst. A reason longer than 64 KiB is cut.
func AppendLetter(dst []byte, reason string, payload []byte) []byte {
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(reason)))
	dst = append(dst, reason...)
	return append(dst, payload...)
}

// ParseLetter is its reverse. The record shares the memory of payload.
func ParseLetter(payload []byte) (reason string, record []byte, err error) {
	if len(payload) < 2 {
		return "", nil, ErrLetter
	}
	n := int(binary.LittleEndian.Uint16(payload))
	if len(payload) < 2+n {
		return "", nil, ErrLetter
	}
	return string(payload[2 : 2+n]), payload[2+n:], nil
}

package spool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// DeadFolder is where dead letters live: a spool of their own, in this folder of the queue's: the same files, the same rules,
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

// Requeue moves all dead letters back to the end of live: each record is synced there before it is acknowledged
// here, so that a crash between doubles it and loses none. It returns how many it moved, and stops at the first
// that live does not take. It waits for the disk.
func Requeue(ctx context.Context, dead, live *Spool) (moved int, err error) {
	c := dead.NewCursor()
	defer c.Close()
	for {
		batch, err := c.TryNext()
		if err != nil || batch == nil {
			return moved, err
		}
		n, err := requeueBatch(ctx, batch, dead, live)
		batch.Release()
		moved += n
		if err != nil {
			return moved, err
		}
	}
}

func requeueBatch(ctx context.Context, batch *Batch, dead, live *Spool) (moved int, err error) {
	answers := make(chan error, len(batch.Frames))
	for moved < len(batch.Frames) && err == nil {
		var seqs []uint64
		for _, f := range batch.Frames[moved:] {
			_, record, perr := ParseLetter(f.Payload)
			if perr != nil {
				err = fmt.Errorf("sequence %d: %w", f.Seq, perr)
				break
			}
			if _, err = live.Append(record, func(err error) { answers <- err }); err != nil {
				break
			}
			seqs = append(seqs, f.Seq)
		}
		if errors.Is(err, ErrBusy) && len(seqs) > 0 {
			err = nil // there is room again once these are synced
		}
		for range seqs {
			select {
			case serr := <-answers:
				if serr != nil {
					return moved, serr
				}
			case <-ctx.Done():
				return moved, ctx.Err()
			}
		}
		dead.Ack(seqs...)
		moved += len(seqs)
	}
	return moved, err
}

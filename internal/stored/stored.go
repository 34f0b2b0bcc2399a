// Package stored is a record as the spool keeps it: the payload of a frame.
//
// It promises that every record comes back as it was, null told from empty, and that no bytes make
// Decode panic or hold more memory than they have. It knows no Kafka client and no disk: producer
// writes and reads payloads with it, and the operator's program shows them. It is pure and may be
// called from any goroutine.
//
// The payload, version 1, part of the format (also in docs/spool-format.md):
//
//	+---------+-------+-----------+-----------+-------+-----+-------+---------+
//	| version | flags | timestamp | partition | topic | key | value | headers |
//	| 1 byte  | 1     | varint ms | varint    | bytes | ... | ...   | count,  |
//	|         |       |           |           |       |     |       | pairs   |
//	+---------+-------+-----------+-----------+-------+-----+-------+---------+
//
// Each text is its length as an unsigned varint, and its bytes. The flags say which of key and
// value are there; one that is not is null and takes no bytes. Every header is a name and a value,
// and a flag byte before its value that is 1 unless the value is null.
package stored

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/halon-extras/kafka/internal/record"
)

// version is the first byte of a payload, part of the format.
const version = 1

// ErrLater is in the error of a payload that a later version of this program has written: that version reads it.
var ErrLater = errors.New("use the program that wrote it")

// Later reports whether a later version of this program has written payload.
func Later(payload []byte) bool { return len(payload) > 0 && payload[0] > version }

// Flags, part of the format.
const (
	hasKey   = 1 << 0
	hasValue = 1 << 1
)

// Append appends r as a payload to dst.
func Append(dst []byte, r *record.Record) []byte {
	var flags byte
	if r.Key != nil {
		flags |= hasKey
	}
	if r.Value != nil {
		flags |= hasValue
	}
	dst = append(dst, version, flags)
	dst = binary.AppendVarint(dst, r.Timestamp)
	dst = binary.AppendVarint(dst, int64(r.Partition))
	dst = appendText(dst, r.Topic)
	if r.Key != nil {
		dst = appendText(dst, r.Key)
	}
	if r.Value != nil {
		dst = appendText(dst, r.Value)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		dst = appendText(dst, h.Key)
		if h.Value == nil {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 1)
		dst = appendText(dst, h.Value)
	}
	return dst
}

func appendText[T string | []byte](dst []byte, text T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

// Decode reads a payload into r. Key, Value and the values of headers are slices of payload and live
// as long as it does. The error says at which byte the payload stops being one, or is [ErrLater].
func Decode(payload []byte, r *record.Record) error {
	d := decoder{rest: payload, size: len(payload)}
	switch v := d.byte(); {
	case Later(payload):
		return fmt.Errorf("the record has version %d, and this program knows %d: %w", v, version, ErrLater)
	case v < version:
		d.bad = true
	}
	flags := d.byte()
	if flags&^(hasKey|hasValue) != 0 {
		d.bad = true
	}
	*r = record.Record{Timestamp: d.varint(), Partition: int32(d.varint()), Topic: string(d.text())}
	if flags&hasKey != 0 {
		r.Key = d.text()
	}
	if flags&hasValue != 0 {
		r.Value = d.text()
	}
	count := d.uvarint()
	if count > uint64(len(d.rest)) { // a header takes two bytes at least
		d.bad = true
	}
	for i := uint64(0); i < count && !d.bad; i++ {
		h := record.Header{Key: string(d.text())}
		switch d.byte() {
		case 0:
		case 1:
			h.Value = d.text()
		default:
			d.bad = true
		}
		r.Headers = append(r.Headers, h)
	}
	if d.bad || len(d.rest) > 0 {
		return fmt.Errorf("the record is damaged at byte %d of %d", d.size-len(d.rest), d.size)
	}
	return nil
}

// A decoder takes pieces from the front, and none after the first that is not there.
type decoder struct {
	rest []byte
	size int
	bad  bool
}

func (d *decoder) byte() byte {
	if d.bad || len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	return taken(d, v, n)
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	return taken(d, v, n)
}

func taken[T int64 | uint64](d *decoder, v T, n int) T {
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) text() []byte {
	n := d.uvarint()
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	text := d.rest[:n:n]
	d.rest = d.rest[n:]
	return text
}

// Package recordbatch writes and reads Kafka's record batch, version 2, the form in which messages travel and are stored.
//
// It promises that what it writes uncompressed is what librdkafka and the Java client write for the same records, but for the leader epoch, that nothing is
// allocated per record, and that no bytes make Decode panic or hold more memory than it is allowed. It knows no client and no queue, leaves
// no goroutine running behind a call, and may be called from any.
//
// A batch, part of the format (KIP-98); all numbers are big-endian:
//
//	+----------+----------+----------+-------+---------+------------+-------+-----------+-----------+----+-------+----------+-------+---------+
//	| base     | length   | leader   | magic | CRC-32C | attributes | last  | first     | largest   | id | epoch | sequence | count | records |
//	| offset 8 | 4        | epoch 4  | 1     | 4       | 2          | delta | timestamp | timestamp | 8  | 2     | 4        | 4     | ...     |
//	|          |          |          | = 2   |         | codec      | 4     | 8         | 8         |    |       |          |       |         |
//	+----------+----------+----------+-------+---------+------------+-------+-----------+-----------+----+-------+----------+-------+---------+
//
// The length counts what follows it, the CRC covers what follows it. A record is its length, attributes (0), the difference of its
// timestamp and of its offset to the first, key, value and headers; every number of it is a zigzag varint, and the length of null is -1.
package recordbatch

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/halon-extras/kafka/internal/record"
)

// Header is a header of a record.
type Header = record.Header

// Overhead is the bytes of a batch before its records: part of the format.
const Overhead = 61

// Where the fields of a batch begin: part of the format.
const (
	atLength     = 8
	atEpoch      = 12
	atMagic      = 16
	atCRC        = 17
	atAttributes = 21
	atLastDelta  = 23
	atFirst      = 27
	atLargest    = 35
	atProducerID = 43
	atProdEpoch  = 51
	atSequence   = 53
	atCount      = 57

	magic = 2
)

// A Head is what a batch says of all its records. Without idempotence ProducerID, Epoch and Sequence are -1. Timestamps are
// in milliseconds since 1970.
type Head struct {
	FirstTimestamp, MaxTimestamp int64
	Count                        int32
	ProducerID                   int64
	Epoch                        int16
	Sequence                     int32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Begin appends room for the head of a batch.
func Begin(dst []byte) []byte {
	var head [Overhead]byte
	return append(dst, head[:]...)
}

// AppendRecord appends one record. Its timestamp and its offset are the differences to those of the first one. A nil key or value is
// null.
func AppendRecord(dst []byte, offsetDelta int32, timestampDelta int64, key, value []byte, headers []Header) []byte {
	dst = appendVarint(dst, int64(bodySize(offsetDelta, timestampDelta, key, value, headers)))
	dst = append(dst, 0)
	dst = appendVarint(dst, timestampDelta)
	dst = appendVarint(dst, int64(offsetDelta))
	dst = appendBytes(dst, key)
	dst = appendBytes(dst, value)
	dst = appendVarint(dst, int64(len(headers)))
	for i := range headers {
		h := &headers[i]
		dst = appendVarint(dst, int64(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = appendBytes(dst, h.Value)
	}
	return dst
}

func bodySize(offsetDelta int32, timestampDelta int64, key, value []byte, headers []Header) int {
	n := 1 + varintSize(timestampDelta) + varintSize(int64(offsetDelta)) + bytesSize(key) + bytesSize(value) + varintSize(int64(len(headers)))
	for i := range headers {
		h := &headers[i]
		n += varintSize(int64(len(h.Key))) + len(h.Key) + bytesSize(h.Value)
	}
	return n
}

func bytesSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(int64(len(b))) + len(b)
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1) // -1
	}
	dst = appendVarint(dst, int64(len(b)))
	return append(dst, b...)
}

func varintSize(v int64) int {
	n := 1
	for u := uint64(v<<1) ^ uint64(v>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}

func appendVarint(dst []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	for u >= 0x80 {
		dst = append(dst, byte(u)|0x80)
		u >>= 7
	}
	return append(dst, byte(u))
}

// Finish fills the head at dst[start:] of the batch whose records follow it to the end of dst, and returns dst. With a codec the
// records are compressed, unless that makes them larger; nil leaves them as they are.
func Finish(dst []byte, start int, h Head, c *Codec) []byte {
	attributes := uint16(0)
	if c != nil {
		var smaller bool
		if dst, smaller = c.compress(dst, start+Overhead); smaller {
			attributes = uint16(c.number)
		}
	}
	complete(dst[start:], h, attributes)
	return dst
}

// Fill fills head, the first bytes of a batch of so many that is not compressed. sum returns the CRC-32C of the batch, from its attributes on,
// and is asked when all but that is filled.
func Fill(head []byte, size int, h Head, sum func() uint32) {
	fill(head, size, h, 0)
	binary.BigEndian.PutUint32(head[atCRC:], sum())
}

// Compress appends the batch that lies in pieces, of which the first begins with room for the head, to dst, with its records compressed
// unless that makes them larger.
func Compress(dst []byte, pieces [][]byte, h Head, c *Codec) []byte {
	start := len(dst)
	dst, smaller := c.gather(Begin(dst), pieces)
	attributes := uint16(c.number)
	if !smaller {
		attributes = 0
		dst = dst[:start]
		for _, piece := range pieces {
			dst = append(dst, piece...)
		}
	}
	complete(dst[start:], h, attributes)
	return dst
}

// complete fills the head of the batch b.
func complete(b []byte, h Head, attributes uint16) {
	fill(b, len(b), h, attributes)
	binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
}

// fill fills the head, at the beginning of b, of a batch of size bytes, but for its checksum.
func fill(b []byte, size int, h Head, attributes uint16) {
	binary.BigEndian.PutUint64(b, 0)
	binary.BigEndian.PutUint32(b[atLength:], uint32(size-atEpoch))
	binary.BigEndian.PutUint32(b[atEpoch:], 0) // librdkafka and Java write 0 and -1; brokers write their own
	b[atMagic] = magic
	binary.BigEndian.PutUint16(b[atAttributes:], attributes)
	binary.BigEndian.PutUint32(b[atLastDelta:], uint32(h.Count-1))
	binary.BigEndian.PutUint64(b[atFirst:], uint64(h.FirstTimestamp))
	binary.BigEndian.PutUint64(b[atLargest:], uint64(h.MaxTimestamp))
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(h.ProducerID))
	binary.BigEndian.PutUint16(b[atProdEpoch:], uint16(h.Epoch))
	binary.BigEndian.PutUint32(b[atSequence:], uint32(h.Sequence))
	binary.BigEndian.PutUint32(b[atCount:], uint32(h.Count))
}

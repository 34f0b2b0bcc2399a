package recordbatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/halon-extras/kafka/internal/record"
)

// maxPlain is the most that the records of a batch may be when they are decompressed. The largest batch that brokers take by default
// is 1 MiB.
const maxPlain = 64 << 20

// codecMask is the part of the attributes that names the codec. A producer without transactions sets no other.
const codecMask = 7

// errShort is a number or a length that reaches behind the end.
var errShort = errors.New("the end is in the middle of a record")

// Decode reads one batch as a producer sends it and hands each record to each, in order. It is stricter than brokers are: it
// refuses whatever Finish and AppendRecord cannot have written, but takes any base offset and leader epoch, which are the broker's.
//
// Key, Value and Headers are valid until each returns; they lie in batch or in what was decompressed, of which there are at most
// 64 MiB. Topic is empty and Partition -1: a batch does not say where it goes. Records before a fault have been handed over.
func Decode(batch []byte, each func(r *record.Record)) (Head, error) {
	h, codec, err := decodeHead(batch)
	if err != nil {
		return Head{}, err
	}
	rest := batch[Overhead:]
	if codec != 0 {
		if rest, err = decompress(codec, rest); err != nil {
			return Head{}, fmt.Errorf("the records are not %s: %w", codecNames[codec], err)
		}
	}
	largest, err := Records(rest, h.Count, h.FirstTimestamp, each)
	if err != nil {
		return Head{}, err
	}
	if largest != h.MaxTimestamp {
		return Head{}, fmt.Errorf("the largest timestamp is %d, and the batch says %d", largest, h.MaxTimestamp)
	}
	return h, nil
}

// Records reads count records that are not compressed, as [Decode] does, of which the first has that timestamp. It returns the largest
// timestamp.
func Records(rest []byte, count int32, first int64, each func(r *record.Record)) (largest int64, err error) {
	largest = math.MinInt64
	r := record.Record{Partition: -1}
	for i := range count {
		in := input{rest: rest}
		body := input{rest: in.bytes()}
		if body.rest == nil && in.err == nil {
			in.err = errors.New("its length is -1")
		}
		rest = in.rest
		body.err = in.err
		body.record(i, first, &r)
		if body.err != nil {
			return 0, fmt.Errorf("record %d of %d: %w", i, count, body.err)
		}
		largest = max(largest, r.Timestamp)
		each(&r)
	}
	if len(rest) > 0 {
		return 0, fmt.Errorf("%d bytes follow the last of %d records", len(rest), count)
	}
	return largest, nil
}

func decodeHead(b []byte) (h Head, codec byte, err error) {
	if len(b) < Overhead {
		return h, 0, fmt.Errorf("a batch of %d bytes, and its head has %d", len(b), Overhead)
	}
	if b[atMagic] != magic {
		return h, 0, fmt.Errorf("a batch of version %d, want %d", b[atMagic], magic)
	}
	if n := binary.BigEndian.Uint32(b[atLength:]); uint64(n) != uint64(len(b)-atEpoch) {
		return h, 0, fmt.Errorf("the batch says that %d bytes follow its length, and %d do", n, len(b)-atEpoch)
	}
	if want, got := binary.BigEndian.Uint32(b[atCRC:]), crc32.Checksum(b[atAttributes:], castagnoli); want != got {
		return h, 0, fmt.Errorf("the CRC is %08x, and the batch says %08x", got, want)
	}
	attributes := binary.BigEndian.Uint16(b[atAttributes:])
	codec = byte(attributes & codecMask)
	if attributes&^codecMask != 0 || int(codec) >= len(codecNames) {
		return h, 0, fmt.Errorf("attributes %#x, which no producer without transactions sends", attributes)
	}
	h = Head{
		FirstTimestamp: int64(binary.BigEndian.Uint64(b[atFirst:])),
		MaxTimestamp:   int64(binary.BigEndian.Uint64(b[atLargest:])),
		Count:          int32(binary.BigEndian.Uint32(b[atCount:])),
		ProducerID:     int64(binary.BigEndian.Uint64(b[atProducerID:])),
		Epoch:          int16(binary.BigEndian.Uint16(b[atProdEpoch:])),
		Sequence:       int32(binary.BigEndian.Uint32(b[atSequence:])),
	}
	last := int32(binary.BigEndian.Uint32(b[atLastDelta:]))
	if h.Count < 1 || last != h.Count-1 {
		return h, 0, fmt.Errorf("%d records, of which the last has the number %d", h.Count, last)
	}
	plain := h.ProducerID == -1 && h.Epoch == -1 && h.Sequence == -1
	if !plain && (h.ProducerID < 0 || h.Epoch < 0 || h.Sequence < 0) {
		return h, 0, fmt.Errorf("producer id %d, epoch %d and sequence %d: either all are -1 or none is", h.ProducerID, h.Epoch, h.Sequence)
	}
	return h, codec, nil
}

// An input is what is still to be read; after an error it stays as it is, and reads give nothing.
type input struct {
	rest []byte
	err  error
}

// record reads the i-th record behind its length, and nothing may follow it.
func (in *input) record(i int32, first int64, r *record.Record) {
	if in.err == nil && len(in.rest) == 0 {
		in.err = errShort
	}
	if in.err != nil {
		return
	}
	if in.rest[0] != 0 {
		in.err = fmt.Errorf("attributes %#x, want 0", in.rest[0])
		return
	}
	in.rest = in.rest[1:]
	r.Timestamp = first + in.varint() // wraps as the difference does
	if offset := in.varint(); in.err == nil && offset != int64(i) {
		in.err = fmt.Errorf("it has the number %d", offset)
	}
	r.Key = in.bytes()
	r.Value = in.bytes()
	headers := in.varint()
	if in.err == nil && (headers < 0 || headers > int64(len(in.rest)/2)) { // a header has two lengths
		in.err = fmt.Errorf("%d headers in %d bytes", headers, len(in.rest))
	}
	r.Headers = r.Headers[:0]
	for ; headers > 0 && in.err == nil; headers-- {
		key := in.bytes()
		if key == nil && in.err == nil {
			in.err = errors.New("the name of a header is null")
		}
		r.Headers = append(r.Headers, Header{Key: string(key), Value: in.bytes()})
	}
	if in.err == nil && len(in.rest) > 0 {
		in.err = fmt.Errorf("it ends %d bytes before its length says so", len(in.rest))
	}
}

func (in *input) varint() int64 {
	if in.err != nil {
		return 0
	}
	v, n := binary.Varint(in.rest)
	if n <= 0 {
		in.err = errShort
		if n < 0 {
			in.err = errors.New("a number has more than 64 bits")
		}
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

// bytes reads bytes with their length in front; nil is null.
func (in *input) bytes() []byte {
	n := in.varint()
	switch {
	case in.err != nil || n == -1:
		return nil
	case n < 0:
		in.err = fmt.Errorf("a length of %d", n)
		return nil
	case n > int64(len(in.rest)):
		in.err = errShort
		return nil
	}
	b := in.rest[:n:n]
	in.rest = in.rest[n:]
	return b
}

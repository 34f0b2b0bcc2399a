package recordbatch

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"

	"github.com/halon-extras/kafka/internal/record"
)

// none is the head of a batch without idempotence.
var none = Head{ProducerID: -1, Epoch: -1, Sequence: -1}

// seal makes length and CRC fit what b has become.
func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-atEpoch))
	binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
	return b
}

// put writes hexadecimal digits into b.
func put(b []byte, at int, digits string) {
	text, err := hex.DecodeString(digits)
	if err != nil || at+len(text) > len(b) {
		panic("a fault of the test itself")
	}
	copy(b[at:], text)
}

func TestWhatIsBrokenIsSaid(t *testing.T) {
	// The record is 16 00 00 00 02 "k" 02 "v" 02 02 "h" 00 from byte 61 on; its length has to fit.
	const at = Overhead
	for _, test := range []struct {
		sentence string
		change   func(b []byte) []byte
		want     string
	}{
		{"nothing at all", func([]byte) []byte { return nil }, "a batch of 0 bytes, and its head has 61"},
		{"cut off in its head", func(b []byte) []byte { return b[:60] }, "a batch of 60 bytes"},
		{"cut off in its records", func(b []byte) []byte { return b[:70] }, "says that 61 bytes follow its length, and 58 do"},
		{"something behind it", func(b []byte) []byte { return append(b, 0) }, "says that 61 bytes follow its length, and 62 do"},
		{"the old format", func(b []byte) []byte { b[atMagic] = 1; return b }, "a batch of version 1, want 2"},
		{"a bit that has turned", func(b []byte) []byte { b[70] ^= 1; return b }, "the CRC is"},
		{"a codec that there is not", func(b []byte) []byte { b[atAttributes+1] = 5; return seal(b) }, "attributes 0x5"},
		{"a transaction", func(b []byte) []byte { b[atAttributes+1] = 0x10; return seal(b) }, "attributes 0x10"},
		{"no records", func(b []byte) []byte {
			put(b, atCount, "00000000")
			put(b, atLastDelta, "ffffffff")
			return seal(b[:at])
		}, "0 records"},
		{"fewer records than numbers", func(b []byte) []byte { b[atLastDelta+3] = 1; return seal(b) }, "1 records, of which the last has the number 1"},
		{"2 billion records", func(b []byte) []byte {
			put(b, atCount, "7fffffff")
			put(b, atLastDelta, "7ffffffe")
			return seal(b)
		}, "record 1 of 2147483647: the end is in the middle"},
		{"a record too many", func(b []byte) []byte { return seal(append(b, b[at:]...)) }, "12 bytes follow the last of 1 records"},
		{"an id without a sequence", func(b []byte) []byte { put(b, atProducerID, "0000000000000007"); return seal(b) }, "producer id 7, epoch -1 and sequence -1"},
		{"another largest timestamp", func(b []byte) []byte { b[atLargest+7]++; return seal(b) }, "the largest timestamp is 1700000000000, and the batch says 1700000000001"},
		{"a record of no length", func(b []byte) []byte { put(b, at, "00"); return seal(b) }, "record 0 of 1: the end is in the middle"},
		{"a record of the length -1", func(b []byte) []byte { put(b, at, "01"); return seal(b) }, "its length is -1"},
		{"a record of the length -2", func(b []byte) []byte { put(b, at, "03"); return seal(b) }, "a length of -2"},
		{"a record longer than the batch", func(b []byte) []byte { put(b, at, "18"); return seal(b) }, "the end is in the middle"},
		{"a record that ends before its length", func(b []byte) []byte { put(b, at+8, "00"); return seal(b) }, "it ends 3 bytes before its length says so"},
		{"attributes of a record", func(b []byte) []byte { put(b, at+1, "01"); return seal(b) }, "attributes 0x1, want 0"},
		{"another offset", func(b []byte) []byte { put(b, at+3, "02"); return seal(b) }, "it has the number 1"},
		{"a key longer than the record", func(b []byte) []byte { put(b, at+4, "7e"); return seal(b) }, "the end is in the middle"},
		{"a key of the length -2", func(b []byte) []byte { put(b, at+4, "03"); return seal(b) }, "a length of -2"},
		{"more headers than bytes", func(b []byte) []byte { put(b, at+8, "7e"); return seal(b) }, "63 headers in 3 bytes"},
		{"headers below 0", func(b []byte) []byte { put(b, at+8, "01"); return seal(b) }, "-1 headers"},
		{"a header whose name is null", func(b []byte) []byte { put(b, at+8, "02010000"); return seal(b) }, "the name of a header is null"},
		{"a number that does not end", func(b []byte) []byte {
			b = append(b[:at:at], bytes.Repeat([]byte{0xff}, 11)...)
			return seal(b)
		}, "a number has more than 64 bits"},
		{"gzip that is none", func(b []byte) []byte { b[atAttributes+1] = codecGzip; return seal(b) }, "the records are not gzip"},
		{"snappy that is none", func(b []byte) []byte { b[atAttributes+1] = codecSnappy; return seal(b) }, "the records are not snappy"},
		{"lz4 that is none", func(b []byte) []byte { b[atAttributes+1] = codecLz4; return seal(b) }, "the records are not lz4"},
		{"zstd that is none", func(b []byte) []byte { b[atAttributes+1] = codecZstd; return seal(b) }, "the records are not zstd"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			b := encode(none, nil, rec{key: []byte("k"), value: []byte("v"), timestamp: 1700000000000, headers: []Header{{Key: "h", Value: []byte{}}}})
			decodeAll(t, b)
			h, err := Decode(test.change(b), func(*record.Record) {})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if h != (Head{}) {
				t.Errorf("with the head %+v", h)
			}
		})
	}
}

// packed is a batch of one record whose records are stored as text says.
func packed(codec byte, text []byte) []byte {
	b := append(encode(none, nil, rec{})[:Overhead], text...)
	b[atAttributes+1] = codec
	return seal(b)
}

func TestWhatFollowsCompressedRecordsIsSaid(t *testing.T) {
	for _, name := range codecNames[1:] {
		codec, err := NewCodec(name, -1)
		if err != nil {
			t.Fatal(err)
		}
		b := encode(none, codec, rec{value: make([]byte, 1000)})
		if b[atAttributes+1] != codec.number {
			t.Fatalf("%s: attributes %#x", name, b[atAttributes+1])
		}
		for _, change := range [][]byte{append(bytes.Clone(b), 0), append(bytes.Clone(b), make([]byte, 30)...), bytes.Clone(b[:len(b)-1])} {
			if _, err := Decode(seal(change), func(*record.Record) {}); err == nil {
				t.Errorf("%s: %d bytes in place of %d are taken", name, len(change), len(b))
			}
		}
	}
}

// klauspost's own extension of snappy, which its usual decoder takes, is none that a broker reads.
func TestOnlySnappyIsSnappy(t *testing.T) {
	var lines []byte
	for i := range 100 {
		lines = fmt.Appendf(lines, "line %02d of a mail log\n", i) // matches at the same distance again and again
	}
	records := AppendRecord(nil, 0, 0, nil, lines, nil)
	if _, err := Decode(packed(codecSnappy, s2.EncodeSnappy(nil, records)), func(*record.Record) {}); err != nil {
		t.Error(err)
	}
	if _, err := Decode(packed(codecSnappy, s2.Encode(nil, records)), func(*record.Record) {}); err == nil {
		t.Error("s2 is taken for snappy")
	}
}

// A few bytes that announce much cost little, and many that they become end at the limit.
func TestDecompressionIsBounded(t *testing.T) {
	large := make([]byte, maxPlain+1)
	for _, name := range codecNames[1:] {
		codec, err := NewCodec(name, -1)
		if err != nil {
			t.Fatal(err)
		}
		bomb, smaller := codec.compress(bytes.Clone(large), 0)
		if !smaller {
			t.Fatal(name)
		}
		if _, err := Decode(packed(codec.number, bomb), func(*record.Record) {}); err == nil || !strings.Contains(err.Error(), "not "+name) {
			t.Errorf("%s that becomes more than the limit: %v", name, err)
		}
	}
	for _, lie := range []struct {
		sentence string
		codec    byte
		digits   string
	}{
		{"snappy that announces 4 GiB", codecSnappy, "ffffffff0f00"},
		{"snappy that announces 60 MiB", codecSnappy, "8080801e00"},
		{"snappy in a frame that announces 60 MiB", codecSnappy, "82534e4150505900 00000001 00000001 00000005 8080801e00"},
		{"snappy in a frame with a block of 4 GiB", codecSnappy, "82534e4150505900 00000001 00000001 ffffffff 8080801e00"},
		{"zstd that announces 60 MiB", codecZstd, "28b52ffd a0 0000c003 010000"},
		{"zstd with a window of 60 MiB and an empty block", codecZstd, "28b52ffd 00 7f 010000"},
		{"zstd that announces 2^63", codecZstd, "28b52ffd e0 0000000000000080 010000"},
		{"lz4 with blocks of 4 MiB, the first of which is cut off", codecLz4, "04224d18 60 70 73 00003f00 00"},
	} {
		text, err := hex.DecodeString(strings.ReplaceAll(lie.digits, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = Decode(packed(lie.codec, text), func(*record.Record) {})
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s is taken", lie.sentence)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%s takes %d bytes of memory (%v)", lie.sentence, got, err)
		}
	}
}

// FuzzDecode gives Decode what a fuzzer likes, with length and CRC that fit. What it takes is written again as the same.
func FuzzDecode(f *testing.F) {
	one := rec{key: []byte("k"), value: []byte("v"), headers: []Header{{Key: "h"}}, timestamp: 9}
	f.Add(encode(none, nil, one, rec{timestamp: 3}))
	f.Add(encode(Head{ProducerID: 1, Epoch: 2, Sequence: 3}, nil, one))
	for _, name := range codecNames[1:] {
		codec, err := NewCodec(name, -1)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encode(none, codec, rec{value: bytes.Repeat([]byte("of a mail log, "), 20)}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= Overhead {
			seal(b)
		}
		var got []rec
		h, err := Decode(b, func(r *record.Record) { got = append(got, kept(r)) })
		if err != nil {
			return
		}
		if len(got) != int(h.Count) {
			t.Fatalf("%d records of %d", len(got), h.Count)
		}
		again := Begin(nil)
		for i, r := range got {
			again = AppendRecord(again, int32(i), r.timestamp-h.FirstTimestamp, r.key, r.value, r.headers)
		}
		h2, got2 := decodeAll(t, Finish(again, 0, h, nil))
		if h2 != h || !cmp.Equal(got, got2, exactly) {
			t.Fatalf("%+v %+v\nare read again as\n%+v %+v", h, got, h2, got2)
		}
	})
}

// FuzzBatch holds the decoder against the encoder, with each codec. The script is the records: a byte says what comes, the next ones
// how much.
func FuzzBatch(f *testing.F) {
	f.Add([]byte("k\x05key\xffv\x40\x00\x01\x02"), uint8(0), int64(7), int16(1), int32(5))
	f.Add(bytes.Repeat([]byte("of a mail log, "), 100), uint8(4), int64(-1), int16(-1), int32(-1))
	codecs := make([]*Codec, len(codecNames))
	for i, name := range codecNames {
		var err error
		if codecs[i], err = NewCodec(name, -1); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, script []byte, codec uint8, id int64, epoch int16, sequence int32) {
		h := Head{ProducerID: id, Epoch: epoch, Sequence: sequence}
		if id < 0 || epoch < 0 || sequence < 0 {
			h = none
		}
		records := play(script)
		batch := encode(h, codecs[int(codec)%len(codecs)], records...)
		got, read := decodeAll(t, batch)
		h.FirstTimestamp, h.MaxTimestamp, h.Count = got.FirstTimestamp, got.MaxTimestamp, int32(len(records))
		if got != h || !cmp.Equal(records, read, exactly) {
			t.Fatalf("written %+v %+v\nread %+v %+v", h, records, got, read)
		}
		decode(t, batch)
	})
}

// play makes records of a script; there is always one.
func play(script []byte) []rec {
	records := make([]rec, 1)
	take := func(n int) []byte {
		n = min(n, len(script))
		b := script[:n:n]
		script = script[n:]
		return bytes.Clone(b)
	}
	for len(script) > 0 {
		r := &records[len(records)-1]
		op, n := script[0]%8, int(script[0]/8)
		script = script[1:]
		switch op {
		case 0:
			r.key = take(n)
		case 1:
			r.value = take(n)
		case 2:
			r.value = bytes.Repeat(take(4), n*n*8)
		case 3:
			r.headers = append(r.headers, Header{Key: string(take(n)), Value: take(n / 2)})
		case 4:
			r.headers = append(r.headers, Header{Key: string(take(n))})
		case 5:
			for _, b := range take(8) {
				r.timestamp = r.timestamp<<8 | int64(b)
			}
		default:
			records = append(records, rec{})
		}
	}
	return records
}

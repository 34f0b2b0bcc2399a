package recordbatch

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/halon-extras/kafka/internal/record"
)

// A rec is one record of a case.
type rec struct {
	key, value []byte
	headers    []Header
	timestamp  int64
}

func encode(h Head, c *Codec, records ...rec) []byte {
	b := Begin(nil)
	h.FirstTimestamp, h.MaxTimestamp, h.Count = records[0].timestamp, records[0].timestamp, int32(len(records))
	for i, r := range records {
		h.MaxTimestamp = max(h.MaxTimestamp, r.timestamp)
		b = AppendRecord(b, int32(i), r.timestamp-h.FirstTimestamp, r.key, r.value, r.headers)
	}
	return Finish(b, 0, h, c)
}

// decode reads a batch with franz-go's own packages.
func decode(t testing.TB, batch []byte) (kmsg.RecordBatch, []kmsg.Record) {
	t.Helper()
	var b kmsg.RecordBatch
	if err := b.ReadFrom(batch); err != nil {
		t.Fatal(err)
	}
	if int(b.Length) != len(batch)-12 {
		t.Fatalf("the length is %d, and %d bytes follow it", b.Length, len(batch)-12)
	}
	if got := crc32.Checksum(batch[21:], crc32.MakeTable(crc32.Castagnoli)); uint32(b.CRC) != got {
		t.Fatalf("the CRC is %x, want %x", b.CRC, got)
	}
	raw := b.Records
	if kind := kgo.CompressionCodecType(b.Attributes & 7); kind != kgo.CodecNone {
		var err error
		if raw, err = kgo.DefaultDecompressor().Decompress(raw, kind); err != nil {
			t.Fatal(err)
		}
	}
	var records []kmsg.Record
	for range b.NumRecords {
		length, n := binary.Varint(raw)
		var r kmsg.Record
		if err := r.ReadFrom(raw[:n+int(length)]); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
		raw = raw[n+int(length):]
	}
	if len(raw) > 0 {
		t.Fatalf("%d bytes stand behind the last record", len(raw))
	}
	return b, records
}

// TestGoldenBytes holds a batch against bytes that were worked out by hand from the format.
func TestGoldenBytes(t *testing.T) {
	for _, test := range []struct {
		sentence string
		head     Head
		records  []rec
		want     string // from the magic on, without the CRC
	}{
		{
			"null key and value",
			Head{ProducerID: -1, Epoch: -1, Sequence: -1},
			[]rec{{timestamp: 0x0102}},
			"0000 00000000 0000000000000102 0000000000000102 ffffffffffffffff ffff ffffffff 00000001" +
				"0c 00 00 00 01 01 00",
		},
		{
			"empty is not null, a header, a sequence, a time before the first",
			Head{ProducerID: 7, Epoch: 2, Sequence: 9},
			[]rec{{key: []byte{}, value: []byte("v"), timestamp: 10}, {key: []byte("k"), value: []byte{}, timestamp: 8, headers: []Header{{Key: "h"}, {Key: "", Value: []byte{}}}}},
			"0000 00000001 000000000000000a 000000000000000a 0000000000000007 0002 00000009 00000002" +
				"0e 00 00 00 00 02 76 00" + "18 00 03 02 02 6b 00 04 02 68 01 00 00",
		},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			got := encode(test.head, nil, test.records...)
			want, err := hex.DecodeString(strings.ReplaceAll(test.want, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[21:], want) {
				t.Errorf("got  %x\nwant %x", got[21:], want)
			}
			if got[16] != 2 || binary.BigEndian.Uint64(got) != 0 {
				t.Errorf("the head is %x", got[:21])
			}
			decode(t, got)
		})
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	long := bytes.Repeat([]byte("of a mail log, "), 5000)
	records := []rec{
		{timestamp: 1700000000000, value: long},
		{timestamp: 1700000000001, key: []byte("k"), value: []byte{}, headers: []Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "", Value: []byte{0}}}},
		{timestamp: math.MinInt64 / 4, key: []byte{}, value: nil},
		{timestamp: math.MaxInt64 / 4, value: []byte("\x00")},
	}
	for _, c := range []struct {
		name  string
		level int
	}{
		{"none", -1}, {"gzip", -1}, {"gzip", 9}, {"gzip", 0}, {"snappy", -1}, {"lz4", -1}, {"lz4", 9}, {"lz4", 12}, {"zstd", -1}, {"zstd", 0}, {"zstd", 12},
	} {
		codec, err := NewCodec(c.name, c.level)
		if err != nil {
			t.Fatal(err)
		}
		batch := encode(Head{ProducerID: 1, Epoch: 2, Sequence: 3}, codec, records...)
		b, got := decode(t, batch)
		if plain := c.name == "none" || c.level == 0 && c.name == "gzip"; plain != (b.Attributes&7 == 0) {
			t.Errorf("%s at %d: attributes %d", c.name, c.level, b.Attributes)
		}
		if b.ProducerID != 1 || b.ProducerEpoch != 2 || b.FirstSequence != 3 || b.LastOffsetDelta != 3 || b.MaxTimestamp != math.MaxInt64/4 {
			t.Errorf("%s at %d: head %+v", c.name, c.level, b)
		}
		for i, want := range records {
			r := got[i]
			if !same(r.Key, want.key) || !same(r.Value, want.value) || b.FirstTimestamp+r.TimestampDelta64 != want.timestamp ||
				int(r.OffsetDelta) != i || len(r.Headers) != len(want.headers) {
				t.Errorf("%s at %d: record %d is %+v", c.name, c.level, i, r)
			}
			for j, h := range want.headers {
				if r.Headers[j].Key != h.Key || !same(r.Headers[j].Value, h.Value) {
					t.Errorf("%s at %d: header %d of record %d is %+v", c.name, c.level, j, i, r.Headers[j])
				}
			}
		}
	}
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func TestWhatGetsLargerGoesPlain(t *testing.T) {
	for _, name := range []string{"gzip", "snappy", "lz4", "zstd"} {
		codec, err := NewCodec(name, -1)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := decode(t, encode(Head{ProducerID: -1, Epoch: -1, Sequence: -1}, codec, rec{value: []byte("ab")})); b.Attributes != 0 {
			t.Errorf("%s: attributes %d", name, b.Attributes)
		}
	}
}

func TestAnOldBrokerGetsNoZstd(t *testing.T) {
	codec, _ := NewCodec("zstd", -1)
	if !codec.Plain(6) || codec.Plain(7) {
		t.Error("zstd begins with version 7 of the request")
	}
	if _, err := NewCodec("brotli", 1); err == nil {
		t.Error("a codec that Kafka does not know")
	}
}

// FuzzRecord holds what is appended against the size that was announced and against what franz-go reads.
func FuzzRecord(f *testing.F) {
	f.Add(int32(0), int64(0), []byte("k"), []byte("v"), "h", []byte("x"), uint8(0))
	f.Add(int32(1<<31-1), int64(math.MinInt64), []byte{}, []byte{}, "", []byte{}, uint8(7))
	f.Fuzz(func(t *testing.T, offset int32, delta int64, key, value []byte, name string, header []byte, null uint8) {
		if null&1 != 0 {
			key = nil
		}
		if null&2 != 0 {
			value = nil
		}
		if null&4 != 0 {
			header = nil
		}
		headers := []Header{{Key: name, Value: header}, {Key: name + name, Value: key}}
		b := AppendRecord(nil, offset, delta, key, value, headers)
		body := bodySize(offset, delta, key, value, headers)
		if want := varintSize(int64(body)) + body; len(b) != want {
			t.Fatalf("%d bytes, and %d were announced", len(b), want)
		}
		var r kmsg.Record
		if err := r.ReadFrom(b); err != nil {
			t.Fatal(err)
		}
		if r.OffsetDelta != offset || r.TimestampDelta64 != delta || !same(r.Key, key) || !same(r.Value, value) ||
			r.Headers[0].Key != name || !same(r.Headers[0].Value, header) || !same(r.Headers[1].Value, key) {
			t.Fatalf("read as %+v", r)
		}
	})
}

// A goroutine that a codec leaves behind would be one for each pooled writer.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestACodecIsSharedByGoroutines(t *testing.T) {
	for _, name := range codecNames[1:] {
		codec, err := NewCodec(name, -1)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				for j := range 20 {
					want := rec{value: bytes.Repeat(fmt.Appendf(nil, "%d.%d of a mail log, ", i, j), 1+500*(j%10))}
					var got []rec
					if _, err := Decode(encode(none, codec, want), func(r *record.Record) { got = append(got, kept(r)) }); err != nil || !same(got[0].value, want.value) {
						t.Errorf("%s: %v", name, err)
						return
					}
				}
			})
		}
		group.Wait()
	}
}

func TestNothingIsAllocatedForARecord(t *testing.T) {
	buf := make([]byte, 0, 1<<10)
	key, value, headers := []byte("k"), make([]byte, 200), []Header{{Key: "h", Value: []byte("v")}}
	if n := testing.AllocsPerRun(100, func() {
		b := AppendRecord(Begin(buf), 0, 3, key, value, headers)
		Finish(b, 0, Head{Count: 1}, nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendRecord(b *testing.B) {
	key, value := make([]byte, 12), make([]byte, 200)
	buf := make([]byte, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		if len(buf) > 1<<19 {
			buf = buf[:0]
		}
		buf = AppendRecord(buf, 100, 3, key, value, nil)
	}
}

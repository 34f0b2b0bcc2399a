package main

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A broker that checks what it gets would take the request: it is what a producer sends, not only bytes of that number.
func TestTheRequestIsWhatAProducerSends(t *testing.T) {
	s := shape{value: 200, key: 12, headers: 2, limit: 100000}
	text, n := encode(s)
	if size := int(binary.BigEndian.Uint32(text)); size != len(text)-4 {
		t.Fatalf("size %d of %d bytes", size, len(text)-4)
	}
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(9)
	// After the size: key, version and correlation, the client id with its length, and no tags.
	if err := req.ReadFrom(text[4+8+2+len("wire")+1:]); err != nil {
		t.Fatal(err)
	}
	raw := req.Topics[0].Partitions[0].Records
	if len(raw) > s.limit || len(raw) < s.limit-2*(s.value+s.key) {
		t.Errorf("a batch of %d bytes, with a limit of %d", len(raw), s.limit)
	}
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		t.Fatal(err)
	}
	if want := int32(crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli))); b.CRC != want {
		t.Errorf("checksum %x, want %x", b.CRC, want)
	}
	if int(b.NumRecords) != n || int(b.LastOffsetDelta) != n-1 {
		t.Errorf("%d records up to %d, want %d", b.NumRecords, b.LastOffsetDelta, n)
	}
	rest := b.Records
	for i := range n {
		length, prefix := binary.Varint(rest)
		var r kmsg.Record
		if prefix <= 0 || int(length) > len(rest)-prefix {
			t.Fatalf("record %d has the length %d, %d bytes are left", i, length, len(rest))
		}
		if err := r.ReadFrom(rest[:prefix+int(length)]); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if len(r.Value) != s.value || len(r.Key) != s.key || len(r.Headers) != s.headers || int(r.OffsetDelta) != i {
			t.Fatalf("record %d is %+v", i, r)
		}
		rest = rest[prefix+int(length):]
	}
	if len(rest) != 0 {
		t.Errorf("%d bytes after the last record", len(rest))
	}
}

package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// shape is what the records look like, in the words of the driver.
type shape struct {
	value, key, headers int
	limit               int // bytes of a batch
}

// batchHeader is the size of a batch without its records.
const batchHeader = 61

// encode builds one produce request, with its size in front, and returns the number of records in it.
func encode(s shape) ([]byte, int) {
	var records []byte
	n := 0
	for {
		r := record(s, n)
		if n > 0 && batchHeader+len(records)+len(r) > s.limit {
			break
		}
		records = append(records, r...)
		n++
	}

	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(9)
	req.Acks, req.TimeoutMillis = -1, 30000
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = batch(records, n)
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.Partitions = "bench-0", []kmsg.ProduceRequestTopicPartition{p}
	req.Topics = append(req.Topics, t)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("wire")).AppendRequest(nil, req, 1), n
}

// record encodes the i-th record, its length in front.
func record(s shape, i int) []byte {
	r := kmsg.NewRecord()
	r.OffsetDelta = int32(i)
	r.Key, r.Value = make([]byte, s.key), make([]byte, s.value)
	for h := range s.headers {
		header := kmsg.NewHeader()
		header.Key, header.Value = fmt.Sprintf("x-bench-%d", h), make([]byte, 16)
		r.Headers = append(r.Headers, header)
	}
	// The length is a varint of the bytes after it; encoded as zero it takes one.
	r.Length = int32(len(r.AppendTo(nil)) - 1)
	return r.AppendTo(nil)
}

func batch(records []byte, n int) []byte {
	now := time.Now().UnixMilli()
	b := kmsg.NewRecordBatch()
	b.Length = int32(batchHeader - 12 + len(records)) // 12: the offset and the length itself
	b.PartitionLeaderEpoch, b.Magic = -1, 2
	b.FirstTimestamp, b.MaxTimestamp = now, now
	b.LastOffsetDelta, b.NumRecords = int32(n-1), int32(n)
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = -1, -1, -1
	b.Records = records
	out := b.AppendTo(nil)
	// The checksum is over all that follows it, from byte 21 on.
	binary.BigEndian.PutUint32(out[17:], crc32.Checksum(out[21:], crc32.MakeTable(crc32.Castagnoli)))
	return out
}

package client

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchBytes is how much of a log is read at once; a batch that is larger comes whole.
const fetchBytes = 1 << 20

// scan reads the heads of the batches at an offset into s, and returns where the next ones are.
func (c *Client) scan(broker int32, d *Doubt, at int64, s *Sighting) (next int64, err error) {
	const byID = 13
	most := int16(0)
	if d.ID == [16]byte{} {
		most = byID - 1
	}
	return askBroker(c, broker, fetchKey, most, func(dst []byte, version int16) []byte {
		r := kmsg.NewFetchRequest()
		r.Version = version
		t, part := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
		part.Partition, part.FetchOffset, part.PartitionMaxBytes = d.Partition, at, int32(min(fetchBytes, c.net.ReceiveMax/2))
		part.CurrentLeaderEpoch = -1
		t.Topic, t.TopicID, t.Partitions = d.Topic, d.ID, append(t.Partitions, part)
		r.MaxBytes, r.MinBytes, r.SessionEpoch, r.Topics = part.PartitionMaxBytes, 1, -1, append(r.Topics, t)
		return r.AppendTo(dst)
	}, func(a *cursor, version int16) (int64, int32, error) {
		batches, throttle, err := d.readFetch(a, version)
		if err != nil {
			return at, throttle, err
		}
		return d.heads(batches, at, s), throttle, nil
	})
}

// readFetch reads an answer to Fetch, whose batches are lent.
//
//	throttle, code (7), session (7), [ topic or its id (13), [ partition, code, end, stable end, start (5), [ id, offset ], replica (11), batches ] ]
func (d *Doubt) readFetch(a *cursor, version int16) (batches []byte, throttle int32, err error) {
	throttle = a.Int32()
	whole := int16(0)
	if version >= 7 {
		whole = a.Int16()
		a.Int32()
	}
	found, code := false, int16(0)
	for range a.count(3) {
		var ours bool
		if version >= 13 {
			ours = a.Uuid() == d.ID
		} else {
			ours = string(a.text()) == d.Topic
		}
		for range a.count(23) {
			partition, failed := a.Int32(), a.Int16()
			a.Int64()
			a.Int64()
			if version >= 5 {
				a.Int64()
			}
			for range a.count(16) {
				a.Int64()
				a.Int64()
				a.tags()
			}
			if version >= 11 {
				a.Int32()
			}
			b := a.blob()
			a.tags()
			if ours && partition == d.Partition {
				found, code, batches = true, failed, b
			}
		}
		a.tags()
	}
	a.tags()
	if err := a.made("Fetch"); err != nil {
		return nil, throttle, err
	}
	if whole != 0 {
		return nil, throttle, kerr.ErrorForCode(whole)
	}
	return batches, throttle, answeredFor("Fetch", &d.Place, a, found, code)
}

// heads goes through batches as a broker stores them, the last of which may be cut, and returns the offset behind the last whole one. Part
// of the protocol:
//
//	0 first offset 8    12 leader epoch 4   43 producer id    8
//	8 bytes behind 4    16 magic        1   51 producer epoch 2
//	                    23 last delta   4   53 first sequence 4
//	                                        57 count          4
//
// Older formats begin the same up to the magic, have one record each, or several in a compressed one that has the last one's offset, and
// no producer.
func (d *Doubt) heads(b []byte, at int64, s *Sighting) (next int64) {
	const length, head, old = 12, 61, 17
	next = at
	for len(b) >= old {
		offset, size := int64(binary.BigEndian.Uint64(b)), int64(int32(binary.BigEndian.Uint32(b[8:])))
		if size < old-length || size > int64(len(b)-length) {
			break
		}
		batch := b[:length+size]
		b = b[length+size:]
		if batch[16] < 2 {
			next = max(next, offset+1) // a compressed one has the offset of its last record, so gaps are not seen
			continue
		}
		if len(batch) < head {
			break
		}
		delta := int64(binary.BigEndian.Uint32(batch[23:]))
		s.Gaps = s.Gaps || offset > next || int64(binary.BigEndian.Uint32(batch[57:])) <= delta
		next = max(next, offset+delta+1)
		seen := Seen{First: int32(binary.BigEndian.Uint32(batch[53:])), Count: int32(delta) + 1, Offset: offset}
		if int64(binary.BigEndian.Uint64(batch[43:])) == d.Producer && int16(binary.BigEndian.Uint16(batch[51:])) == d.Epoch && seen.First >= 0 && offset >= d.From {
			s.Seen = append(s.Seen, seen)
		}
	}
	return next
}

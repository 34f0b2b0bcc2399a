package main

import (
	"encoding/binary"
	"fmt"
)

// produceMax is the newest version of the produce request that names its topics; from the next one on they have ids.
const produceMax = 12

const (
	batchHeader = 61 // bytes of a batch before its records
	batchPrefix = 12 // of these, what the batch's own length does not count
	magicAt     = 16
	recordsAt   = 57
)

// produce reads a produce request and acknowledges each partition. The response is built while the request is read: it has
// the same topics and partitions in the same order.
//
// The offset in an acknowledgement is the number of records acknowledged before, over all partitions: it grows, and that
// is all that a producer can tell.
func (c *conn) produce(h header) error {
	in, v := c.in, h.version
	flexible := v >= 9
	in.tags(flexible)
	if v >= 3 {
		in.text(flexible) // transactional id
	}
	acks := in.int16()
	in.int32() // timeout
	c.begin(h, flexible)
	offset := c.broker.records.Load()
	var records, batches, size int64

	topics := c.array(flexible)
	for ; topics > 0 && in.err == nil; topics-- {
		c.name(in.text(flexible), flexible)
		partitions := c.array(flexible)
		for ; partitions > 0 && in.err == nil; partitions-- {
			index := in.int32()
			n := int64(in.length(flexible, false))
			gotRecords, gotBatches := c.batches(n)
			c.acknowledge(v, index, offset+records)
			records, batches, size = records+gotRecords, batches+gotBatches, size+max(n, 0)
			in.tags(flexible)
		}
		in.tags(flexible)
		if flexible {
			c.out = append(c.out, 0)
		}
	}
	in.tags(flexible)
	if in.err != nil {
		return in.err
	}
	if v >= 1 {
		c.out = append(c.out, 0, 0, 0, 0) // throttle time
	}
	if flexible {
		c.out = append(c.out, 0)
	}
	if mode(c.broker.mode.Load()) == modeHang {
		return nil
	}
	// Counted before the answer: once a producer says "delivered", the totals have it.
	c.broker.records.Add(records)
	c.broker.batches.Add(batches)
	c.broker.bytes.Add(size)
	c.broker.produce.Add(1)
	if acks == 0 {
		return nil
	}
	return c.send()
}

// array copies the length of an array from the request to the response.
func (c *conn) array(flexible bool) int {
	n := max(c.in.length(flexible, false), 0)
	if flexible {
		c.out = binary.AppendUvarint(c.out, uint64(n)+1)
	} else {
		c.out = binary.BigEndian.AppendUint32(c.out, uint32(n))
	}
	return n
}

func (c *conn) name(topic []byte, flexible bool) {
	if flexible {
		c.out = binary.AppendUvarint(c.out, uint64(len(topic))+1)
	} else {
		c.out = binary.BigEndian.AppendUint16(c.out, uint16(len(topic)))
	}
	c.out = append(c.out, topic...)
}

func (c *conn) acknowledge(version int16, index int32, offset int64) {
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(index))
	c.out = append(c.out, 0, 0) // no error
	c.out = binary.BigEndian.AppendUint64(c.out, uint64(offset))
	if version >= 2 {
		c.out = append(c.out, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) // no append time
	}
	if version >= 5 {
		c.out = append(c.out, 0, 0, 0, 0, 0, 0, 0, 0) // start of the log
	}
	switch {
	case version >= 9:
		c.out = append(c.out, 1, 0, 0) // no record errors, no error text, no tags
	case version >= 8:
		c.out = append(c.out, 0, 0, 0, 0, 0xff, 0xff)
	}
}

// batches reads the header of each batch in n bytes of records and skips the records.
func (c *conn) batches(n int64) (records, batches int64) {
	for n >= batchHeader && c.in.err == nil {
		b := c.in.take(batchHeader)
		if b == nil {
			return records, batches
		}
		if b[magicAt] != 2 {
			c.in.err = fmt.Errorf("record batch of format %d, want 2", b[magicAt])
			return records, batches
		}
		body := int64(binary.BigEndian.Uint32(b[8:])) + batchPrefix - batchHeader
		records += int64(binary.BigEndian.Uint32(b[recordsAt:]))
		batches++
		n -= batchHeader + body
		if n < 0 {
			c.in.err = errSize
			return records, batches
		}
		c.in.skip(body)
	}
	if n > 0 {
		c.in.err = errSize
	}
	return records, batches
}

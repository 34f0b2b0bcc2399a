package client

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
)

// A Produce is one produce request: batches for partitions that one broker leads.
type Produce struct {
	Acks     int16
	Timeout  time.Duration // how long the broker may wait for its replicas
	Deadline time.Duration // how long the answer may take once the request is written
	Batches  []Batch       // at least one; those of one topic stand together, and none is of the same partition as another

	// Done is called once, from a goroutine of the client, which it must not block. With a nil error each Batch has its Answer. With an
	// error, Written says whether the broker may have got any of it.
	Done    func(r *Produce, err error)
	Written bool
}

// A Batch is one batch of one partition.
type Batch struct {
	Topic     string
	TopicID   [16]byte // zero: not known
	Partition int32

	// Append appends the record batch, on the goroutine that writes. produceVersion is that of the request.
	Append   func(dst []byte, produceVersion int16) []byte
	Answer   Answer
	answered bool
}

// An Answer is what the broker says of one batch. With acks=0 there is none, and BaseOffset is -1.
type Answer struct {
	Code          int16
	Message       string
	BaseOffset    int64
	LogAppendTime int64 // in milliseconds since 1970; -1 when the timestamps are the producer's
	Records       []RecordError
	Leader        int32 // who leads the partition instead, or -1
	LeaderEpoch   int32
}

// A RecordError is a record that the broker does not take.
type RecordError struct {
	Index   int32
	Message string
}

// The versions of the produce request that bring something new: part of Kafka's protocol.
const (
	produceFlexible = 9
	produceByID     = 13 // topics are named by their ids
	produceLeaders  = 10 // the answer says who leads
)

// produce hands r in, and returns false when the connection takes no more.
func (c *conn) produce(r *Produce) bool {
	version, err := c.versions.of(keyProduce)
	if err != nil {
		return false
	}
	for i := range r.Batches {
		if version >= produceByID && r.Batches[i].TopicID == [16]byte{} {
			version = produceByID - 1
		}
	}
	call := &call{
		key: keyProduce, version: version, flexible: version >= produceFlexible, patience: r.Deadline, silent: r.Acks == 0,
		encode:  func(dst []byte) []byte { return appendProduce(dst, r, version) },
		writing: func() { r.Written = true },
	}
	call.done = func(body []byte, err error) {
		if err == nil && r.Acks != 0 {
			err = c.produced(r, body, version)
		} else if err == nil {
			for i := range r.Batches {
				r.Batches[i].Answer = Answer{BaseOffset: -1, LogAppendTime: -1, Leader: -1}
			}
		}
		r.Done(r, err)
	}
	return c.submit(call)
}

func appendProduce(b []byte, r *Produce, version int16) []byte {
	flexible := version >= produceFlexible
	if flexible {
		b = append(b, 0) // no transaction
	} else {
		b = binary.BigEndian.AppendUint16(b, math.MaxUint16)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(r.Acks))
	b = binary.BigEndian.AppendUint32(b, uint32(min(r.Timeout.Milliseconds(), math.MaxInt32)))
	topics := 0
	for i := range r.Batches {
		if i == 0 || r.Batches[i].Topic != r.Batches[i-1].Topic {
			topics++
		}
	}
	b = appendCount(b, topics, flexible)
	for i := 0; i < len(r.Batches); {
		n := 1
		for i+n < len(r.Batches) && r.Batches[i+n].Topic == r.Batches[i].Topic {
			n++
		}
		b = appendTopic(b, r.Batches[i:i+n], version)
		i += n
	}
	if flexible {
		b = append(b, 0)
	}
	return b
}

// appendTopic appends batches of one topic.
func appendTopic(b []byte, batches []Batch, version int16) []byte {
	flexible := version >= produceFlexible
	switch {
	case version >= produceByID:
		b = append(b, batches[0].TopicID[:]...)
	case flexible:
		b = kbin.AppendCompactString(b, batches[0].Topic)
	default:
		b = kbin.AppendString(b, batches[0].Topic)
	}
	b = appendCount(b, len(batches), flexible)
	for i := range batches {
		b = binary.BigEndian.AppendUint32(b, uint32(batches[i].Partition))
		if flexible {
			b = appendSized(b, version, batches[i].Append)
			b = append(b, 0)
			continue
		}
		at := len(b)
		b = append(b, 0, 0, 0, 0)
		b = batches[i].Append(b, version)
		binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	}
	if flexible {
		b = append(b, 0)
	}
	return b
}

// usualLength is the bytes of the length of a batch of 16 KiB to 2 MiB; of any other size the batch is moved to make the length fit.
const usualLength = 3

// appendSized appends a batch behind its length in the compact form, whose own size depends on it.
func appendSized(b []byte, version int16, batch func([]byte, int16) []byte) []byte {
	at := len(b)
	b = batch(append(b, make([]byte, usualLength)...), version)
	n := len(b) - at - usualLength
	var length [5]byte
	size := len(kbin.AppendUvarint(length[:0], uint32(n+1)))
	if size > usualLength {
		b = append(b, make([]byte, size-usualLength)...)
	}
	copy(b[at+size:], b[at+usualLength:at+usualLength+n])
	copy(b[at:], length[:size])
	return b[:at+size+n]
}

func appendCount(b []byte, n int, flexible bool) []byte {
	if flexible {
		return kbin.AppendUvarint(b, uint32(n+1))
	}
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// produced reads the answer into the batches of r.
func (c *conn) produced(r *Produce, body []byte, version int16) error {
	throttle, err := readProduced(r, body, version)
	if err != nil {
		c.fail(err)
		return err
	}
	c.mute(throttle)
	return nil
}

func readProduced(r *Produce, body []byte, version int16) (throttle int32, err error) {
	flexible := version >= produceFlexible
	in := kbin.Reader{Src: body}
	next := 0 // brokers answer in the order of the request
	for range count(&in, flexible) {
		var topic string
		var id [16]byte
		switch {
		case version >= produceByID:
			id = in.Uuid()
		case flexible:
			topic = in.CompactString()
		default:
			topic = in.String()
		}
		for range count(&in, flexible) {
			partition := in.Int32()
			a := readAnswer(&in, version)
			if !in.Ok() {
				return 0, nonsensef("an incomplete answer to a produce request")
			}
			b := find(r.Batches, &next, partition, func(b *Batch) bool {
				return version >= produceByID && b.TopicID == id || version < produceByID && b.Topic == topic
			})
			if b == nil {
				return 0, nonsensef("partition %d of %q, which was not sent to", partition, topic)
			}
			b.Answer, b.answered = a, true
		}
		if flexible {
			skip(&in)
		}
	}
	throttle = in.Int32()
	if !in.Ok() {
		return 0, nonsensef("an incomplete answer to a produce request")
	}
	for i := range r.Batches {
		if b := &r.Batches[i]; !b.answered {
			return 0, nonsensef("nothing about partition %d of %q", b.Partition, b.Topic)
		}
	}
	return throttle, nil
}

// find returns the batch of a partition that has no answer yet. It looks at *next first, and moves it on.
func find(batches []Batch, next *int, partition int32, topic func(*Batch) bool) *Batch {
	for i := range batches {
		at := (*next + i) % len(batches)
		if b := &batches[at]; b.Partition == partition && !b.answered && topic(b) {
			*next = at + 1
			return b
		}
	}
	return nil
}

func readAnswer(in *kbin.Reader, version int16) Answer {
	flexible := version >= produceFlexible
	a := Answer{Code: in.Int16(), BaseOffset: in.Int64(), LogAppendTime: in.Int64(), Leader: -1, LeaderEpoch: -1}
	if version >= 5 {
		in.Int64() // the start of the log
	}
	if version >= 8 {
		for range count(in, flexible) {
			e := RecordError{Index: in.Int32(), Message: text(in, flexible)}
			if flexible {
				skip(in)
			}
			if !in.Ok() {
				return a
			}
			a.Records = append(a.Records, e)
		}
		a.Message = text(in, flexible)
	}
	if !flexible {
		return a
	}
	for range in.Uvarint() {
		tag, size := in.Uvarint(), in.Uvarint()
		field := in.Span(int(size))
		if !in.Ok() {
			return a
		}
		if tag == 0 && version >= produceLeaders {
			leader := kbin.Reader{Src: field}
			if id, epoch := leader.Int32(), leader.Int32(); leader.Ok() {
				a.Leader, a.LeaderEpoch = id, epoch
			}
		}
	}
	return a
}

package client

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
)

// appendHeader begins a request: four bytes for its length, which the writer fills in, and the header.
func appendHeader(dst []byte, key, version int16, id int32, clientID string) []byte {
	dst = append(dst, 0, 0, 0, 0)
	dst = kbin.AppendInt16(dst, key)
	dst = kbin.AppendInt16(dst, version)
	dst = kbin.AppendInt32(dst, id)
	dst = kbin.AppendString(dst, clientID)
	if version >= speaks[key].flexible {
		dst = append(dst, 0) // no tagged fields
	}
	return dst
}

// version returns the version for r, of those that the broker and the client have: from 13 on
// topics are named by their ids alone, and all of them have to be known.
func (r *Produce) version(highest int16) int16 {
	const byID = 13
	if highest < byID {
		return highest
	}
	for i := range r.Batches {
		if r.Batches[i].TopicID == [16]byte{} {
			return byID - 1
		}
	}
	return highest
}

// appendBody appends the request. By hand and not by kmsg, which would want the batches as slices of
// their own and copy them.
//
//	transactional id (none), acks, timeout, [ topic, [ partition, batch ] ]
//
// Batches that lie elsewhere are cuts.
func (r *Produce) appendBody(dst []byte, version int16, cuts []cut) ([]byte, []cut) {
	flexible := version >= speaks[produceKey].flexible
	count := func(n int) {
		if flexible {
			dst = kbin.AppendCompactArrayLen(dst, n)
		} else {
			dst = kbin.AppendArrayLen(dst, n)
		}
	}
	end := func() { // of a structure: no tagged fields
		if flexible {
			dst = append(dst, 0)
		}
	}
	if flexible {
		dst = kbin.AppendCompactNullableString(dst, nil)
	} else {
		dst = kbin.AppendNullableString(dst, nil)
	}
	dst = kbin.AppendInt16(dst, r.Acks)
	dst = kbin.AppendInt32(dst, milliseconds(r.Timeout))
	topics := 0
	for i := range r.Batches {
		if i == 0 || !sameTopic(&r.Batches[i-1], &r.Batches[i]) {
			topics++
		}
	}
	count(topics)
	for i := 0; i < len(r.Batches); {
		first, n := &r.Batches[i], 1
		for i+n < len(r.Batches) && sameTopic(first, &r.Batches[i+n]) {
			n++
		}
		switch {
		case version >= 13:
			dst = kbin.AppendUuid(dst, first.TopicID)
		case flexible:
			dst = kbin.AppendCompactString(dst, first.Topic)
		default:
			dst = kbin.AppendString(dst, first.Topic)
		}
		count(n)
		for range n {
			dst = kbin.AppendInt32(dst, r.Batches[i].Partition)
			dst, cuts = appendBatch(dst, flexible, version, &r.Batches[i], cuts)
			end()
			i++
		}
		end()
	}
	end()
	return dst, cuts
}

func sameTopic(a, b *Batch) bool { return a.TopicID == b.TopicID && a.Topic == b.Topic }

// A cut is where pieces go between the bytes of a request.
type cut struct {
	at     int
	pieces [][]byte
}

// appendBatch appends a batch with its length before it, which is known only afterwards where it was appended. Three bytes hold the
// compact length of 16 KiB to 2 MiB; what is smaller or larger is moved.
func appendBatch(dst []byte, flexible bool, version int16, b *Batch, cuts []cut) ([]byte, []cut) {
	at, guess := len(dst), 3
	if !flexible {
		guess = 4
	}
	var room [4]byte
	dst, pieces := b.Append(append(dst, room[:guess]...), version)
	size := len(dst) - at - guess
	for _, piece := range pieces {
		size += len(piece)
	}
	if !flexible {
		binary.BigEndian.PutUint32(dst[at:], uint32(size))
	} else {
		dst = putLength(dst, at, guess, size)
	}
	if pieces != nil {
		cuts = append(cuts, cut{len(dst), pieces})
	}
	return dst, cuts
}

// putLength writes the compact length to dst[at:], where there is a guess of its own length, and moves what follows.
func putLength(dst []byte, at, guess, size int) []byte {
	var head [5]byte
	length := kbin.AppendUvarint(head[:0], uint32(size)+1)
	behind := len(dst) - at - guess
	switch more := len(length) - guess; {
	case more > 0:
		dst = append(dst, length[:more]...) // only for its room
		copy(dst[at+len(length):], dst[at+guess:at+guess+behind])
	case more < 0:
		copy(dst[at+len(length):], dst[at+guess:])
		dst = dst[:len(dst)+more]
	}
	copy(dst[at:], length)
	return dst
}

func milliseconds(d time.Duration) int32 {
	return int32(min(max(d.Milliseconds(), 0), math.MaxInt32))
}

// notAnswered sets the answer before there is one, and that of acks 0.
func (b *Batch) notAnswered() {
	b.Answer = Answer{BaseOffset: -1, LogAppendTime: -1, Leader: -1, LeaderEpoch: -1}
	b.answered = false
}

// readAnswer fills in the answer of each batch. Exactly those that were asked for must be there.
//
//	[ topic, [ partition, code, base offset, append time, start offset (5), [ index, text ] (8), text (8), tag 0: leader, epoch (10) ] ], throttle
func (r *Produce) readAnswer(a *cursor, version int16) (throttle int32, err error) {
	for i := range r.Batches {
		r.Batches[i].notAnswered()
	}
	left, next := len(r.Batches), 0
	for range a.count(6) {
		var id [16]byte
		var topic []byte
		if version >= 13 {
			id = a.Uuid()
		} else {
			topic = a.text()
		}
		for range a.count(22) {
			partition := a.Int32()
			b := r.find(next, topic, id, partition, version)
			if !a.Ok() {
				return 0, a.made("Produce")
			}
			if b < 0 {
				return 0, nonsensef("the answer to Produce has partition %d of topic %s, which was not asked for or is there twice", partition, r.named(topic, id))
			}
			r.Batches[b].readAnswer(a, version)
			next = b + 1
			left--
		}
		a.tags()
	}
	throttle = a.Int32()
	a.tags()
	if err := a.made("Produce"); err != nil {
		return 0, err
	}
	if left > 0 {
		return 0, nonsensef("the answer to Produce lacks %d of %d partitions", left, len(r.Batches))
	}
	return throttle, nil
}

// find returns the index of the batch that an answer belongs to. Brokers answer in the order of the
// request, so it is nearly always the one at next.
func (r *Produce) find(next int, topic []byte, id [16]byte, partition int32, version int16) int {
	n := len(r.Batches)
	for i := range n {
		at := (next + i) % n
		b := &r.Batches[at]
		if b.answered || b.Partition != partition {
			continue
		}
		if version >= 13 && b.TopicID == id || version < 13 && b.Topic == string(topic) {
			return at
		}
	}
	return -1
}

// named returns a topic for a sentence.
func (r *Produce) named(topic []byte, id [16]byte) string {
	if topic == nil {
		return quoted(string(id[:]))
	}
	return quoted(string(topic))
}

func (b *Batch) readAnswer(a *cursor, version int16) {
	b.answered = true
	b.Answer.Code = a.Int16()
	b.Answer.BaseOffset = a.Int64()
	b.Answer.LogAppendTime = a.Int64()
	if version >= 5 {
		a.Int64() // the log's start
	}
	if version >= 8 {
		if n := a.count(6); n > 0 {
			b.Answer.Records = make([]RecordError, 0, n)
			for range n {
				b.Answer.Records = append(b.Answer.Records, RecordError{Index: a.Int32(), Message: string(a.text())})
				a.tags()
			}
		}
		b.Answer.Message = string(a.text())
	}
	if leader := a.tags(); leader != nil {
		l := cursor{Reader: kbin.Reader{Src: leader}}
		if id, epoch := l.Int32(), l.Int32(); l.Ok() {
			b.Answer.Leader, b.Answer.LeaderEpoch = id, epoch
		}
	}
}

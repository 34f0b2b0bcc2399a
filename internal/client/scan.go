package client

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kbin"
)

// cursor reads an answer. It stands in the place of kmsg's decoders, which are right for brokers that
// can be trusted: they make an object of every replica and of every unknown tag, from a count that
// was not held against what is left of the answer. The cursor checks each count against the least size
// of its elements first, and what nobody needs it steps over. So the answer costs memory in proportion
// to its size, whatever it says. Tests hold it against kmsg.
//
// Once something does not fit, everything that is read is zero, and ok is false.
type cursor struct {
	kbin.Reader
	flexible bool // compact lengths, and tagged fields
}

func (r *cursor) fail() { r.Span(len(r.Src) + 1) }

// count reads the length of an array whose elements have at least so many bytes. No array is an
// empty one.
func (r *cursor) count(least int) int {
	n := r.length(4)
	if n > len(r.Src)/least {
		r.fail()
	}
	if !r.Ok() || n < 0 {
		return 0
	}
	return n
}

// length reads a length that takes so many bytes where it is not compact. It is negative where there is nothing that has one.
func (r *cursor) length(bytes int) int {
	switch {
	case r.flexible:
		return int(r.Uvarint()) - 1
	case bytes == 2:
		return int(r.Int16())
	}
	return int(r.Int32())
}

// text reads a string, or the lack of one, whose bytes are lent.
func (r *cursor) text() []byte { return r.lent(r.length(2)) }

// blob reads bytes, or the lack of them, which are lent.
func (r *cursor) blob() []byte { return r.lent(r.length(4)) }

func (r *cursor) lent(n int) []byte {
	if n < 0 {
		return nil
	}
	return r.Span(n)
}

// skipNumbers steps over an array of int32, and returns how many there were.
func (r *cursor) skipNumbers() int {
	n := r.count(4)
	r.Span(4 * n)
	return n
}

// tags steps over tagged fields but for the first one, number 0, which it returns.
func (r *cursor) tags() (zero []byte) {
	if !r.flexible {
		return nil
	}
	n := r.Uvarint()
	if int64(n) > int64(len(r.Src)/2) {
		r.fail()
		return nil
	}
	for range n {
		tag := r.Uvarint()
		body := r.Span(int(r.Uvarint()))
		if tag == 0 {
			zero = body
		}
	}
	return zero
}

// versionsAnswer is what a broker speaks, of what the client needs.
type versionsAnswer struct {
	code int16
	keys int // how many it named
	has  map[int16]span
}

// readVersions reads an answer to ApiVersions. One with code 35 has the form of version 0.
func readVersions(r *cursor, _ int16) (a versionsAnswer, err error) {
	if len(r.Src) >= 2 && int16(binary.BigEndian.Uint16(r.Src)) == unsupportedVersion {
		r.flexible = false
	}
	a.code = r.Int16()
	a.keys = r.count(6)
	a.has = make(map[int16]span, len(speaks))
	for range a.keys {
		key, low, high := r.Int16(), r.Int16(), r.Int16()
		r.tags()
		if _, ours := speaks[key]; ours {
			a.has[key] = span{low, high}
		}
	}
	return a, r.made("ApiVersions") // the throttle time and the features that may follow are nobody's
}

// made returns an error if the answer ended too soon, or had a count that its rest cannot hold.
func (r *cursor) made(what string) error {
	if r.Ok() {
		return nil
	}
	return nonsensef("the answer to %s is cut short, or counts more than it has", what)
}

// handshakeAnswer is an answer to SaslHandshake.
type handshakeAnswer struct {
	code       int16
	mechanisms []string
}

func readHandshake(r *cursor, _ int16) (a handshakeAnswer, err error) {
	a.code = r.Int16()
	for range min(r.count(2), 32) { // more are not worth a line in the log
		a.mechanisms = append(a.mechanisms, string(r.text()))
	}
	return a, r.made("SaslHandshake")
}

// loginAnswer is an answer to SaslAuthenticate.
type loginAnswer struct {
	code       int16
	message    string
	challenge  []byte
	lifetimeMS int64
}

func readLogin(r *cursor, version int16) (a loginAnswer, err error) {
	a.code = r.Int16()
	a.message = string(r.text())
	a.challenge = append([]byte{}, r.blob()...)
	if version >= 1 {
		a.lifetimeMS = r.Int64()
	}
	return a, r.made("SaslAuthenticate")
}

// idAnswer is an answer to InitProducerId.
type idAnswer struct {
	code  int16
	id    int64
	epoch int16
}

func readProducerID(r *cursor, _ int16) (a idAnswer, throttle int32, err error) {
	throttle = r.Int32()
	a.code = r.Int16()
	a.id, a.epoch = r.Int64(), r.Int16()
	if err := r.made("InitProducerId"); err != nil {
		return a, throttle, err
	}
	if a.code == 0 && (a.id < 0 || a.epoch < 0) {
		return a, throttle, nonsensef("the answer to InitProducerId has the producer id %d with the epoch %d", a.id, a.epoch)
	}
	return a, throttle, nil
}

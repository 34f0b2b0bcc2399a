package client

import (
	"github.com/twmb/franz-go/pkg/kbin"
)

// What brokers answer is read by hand, in place: a decoder that makes an object of each element that a count announces lets
// a few bytes cost a thousand times their size, and replicas and topics that nobody asked for are of no interest.

// count reads the number of elements that follow. It is never more than there are bytes, so that a loop over it ends soon; each
// element's own reader fails when there is nothing left.
func count(r *kbin.Reader, flexible bool) int {
	var n int
	if flexible {
		n = int(r.Uvarint()) - 1
	} else {
		n = int(r.Int32())
	}
	return max(0, min(n, len(r.Src)))
}

// text reads a text that may be null, which is "" here.
func text(r *kbin.Reader, flexible bool) string {
	var s *string
	if flexible {
		s = r.CompactNullableString()
	} else {
		s = r.NullableString()
	}
	if s == nil {
		return ""
	}
	return *s
}

// skip passes over tagged fields.
func skip(r *kbin.Reader) {
	for range r.Uvarint() {
		r.Uvarint()
		r.Span(int(r.Uvarint()))
		if !r.Ok() {
			return
		}
	}
}

// skipTags returns body behind the tags of its header.
func skipTags(body []byte) ([]byte, error) {
	r := kbin.Reader{Src: body}
	skip(&r)
	if !r.Ok() {
		return nil, nonsensef("an incomplete answer")
	}
	return r.Src, nil
}

// skipNumbers passes over an array of 32-bit numbers.
func skipNumbers(r *kbin.Reader, flexible bool) {
	r.Span(4 * count4(r, flexible))
}

// count4 is count for elements of four bytes. More than fit are an error of the reader.
func count4(r *kbin.Reader, flexible bool) int {
	if flexible {
		return max(0, int(r.Uvarint())-1)
	}
	return max(0, int(r.Int32()))
}

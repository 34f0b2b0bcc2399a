package keyfile

import (
	"encoding/asn1"
	"errors"
)

// element is one value of ASN.1 in BER, of which DER is a part: the tag, the length and what is in it.
type element struct {
	full, content []byte
	class, tag    int
	constructed   bool
}

var errNotASN1 = errors.New("it is not ASN.1")

// cutElement cuts the first value off data. Its length may be indefinite: then it ends where an end of contents stands.
func cutElement(data []byte) (e element, rest []byte, err error) { return cutNested(data, maxDepth) }

// maxDepth is deeper than any store is nested.
const maxDepth = 32

func cutNested(data []byte, depth int) (e element, rest []byte, err error) {
	if len(data) < 2 || depth == 0 {
		return e, nil, errNotASN1
	}
	e.class, e.constructed, e.tag = int(data[0]>>6), data[0]&0x20 != 0, int(data[0]&0x1f)
	if e.tag == 0x1f {
		return e, nil, errNotASN1 // a tag above 30, which no key and no store has
	}
	head, length := 2, int(data[1])
	if length == 0x80 {
		if !e.constructed {
			return e, nil, errNotASN1
		}
		inside := data[2:]
		for {
			if len(inside) >= 2 && inside[0] == 0 && inside[1] == 0 {
				end := len(data) - len(inside)
				e.full, e.content = data[:end+2], data[2:end]
				return e, inside[2:], nil
			}
			if _, inside, err = cutNested(inside, depth-1); err != nil {
				return e, nil, err
			}
		}
	}
	if length > 0x80 {
		n := length & 0x7f
		if n > 4 || len(data) < 2+n {
			return e, nil, errNotASN1
		}
		length, head = 0, 2+n
		for _, b := range data[2:head] {
			length = length<<8 | int(b)
		}
	}
	if length > len(data)-head {
		return e, nil, errNotASN1
	}
	e.full, e.content = data[:head+length], data[head:head+length]
	return e, data[head+length:], nil
}

// toDER writes a value of BER as package asn1 reads it: with definite lengths, and strings of bytes in one piece. Browsers and Windows
// write stores in BER. Nothing else of DER is made of it, so that what was DER stays as it was.
func toDER(data []byte) ([]byte, error) { return derOf(data, maxDepth) }

func derOf(data []byte, depth int) ([]byte, error) {
	e, _, err := cutNested(data, depth)
	if err != nil {
		return nil, err
	}
	if !e.constructed {
		return e.full, nil
	}
	var content []byte
	joined := e.class == asn1.ClassUniversal && e.tag == asn1.TagOctetString
	for inside := e.content; len(inside) > 0; {
		part, rest, err := cutNested(inside, depth)
		if err != nil {
			return nil, err
		}
		der, err := derOf(part.full, depth-1)
		if err != nil {
			return nil, err
		}
		if joined {
			piece, _, err := cutElement(der)
			if err != nil {
				return nil, err
			}
			der = piece.content
		}
		content, inside = append(content, der...), rest
	}
	raw := asn1.RawValue{Class: e.class, Tag: e.tag, IsCompound: !joined, Bytes: content}
	return asn1.Marshal(raw)
}

// unmarshal reads the one value that data must be.
func unmarshal(data []byte, into any) error {
	rest, err := asn1.Unmarshal(data, into)
	if err == nil && len(rest) > 0 {
		err = errNotASN1
	}
	return err
}

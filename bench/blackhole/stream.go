package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// bufferSize holds what the kernel has ready when a producer is fast: fewer, larger reads.
const bufferSize = 512 << 10

// maxField bounds a field that must lie in the buffer as a whole: names, client ids, requests that are not produce requests.
const maxField = bufferSize

var errSize = errors.New("a length in the request is out of range")

// stream reads a request field by field, whatever part of it has arrived, and skips what nobody looks at.
//
// The first fault sticks: fields then read as zero, so that a parser may check once at its end. Not for two goroutines.
type stream struct {
	in   io.Reader
	buf  []byte
	r, w int   // buf[r:w] has been read from in and not been used
	left int64 // bytes of the current request that have not been used
	err  error
}

func newStream(c net.Conn) *stream {
	return &stream{in: c, buf: make([]byte, bufferSize)}
}

// next starts a request: it reads the size in front of it.
func (s *stream) next() error {
	if s.err == nil && s.left != 0 {
		s.err = fmt.Errorf("%d bytes of a request were not understood", s.left)
	}
	s.left = 4
	size := s.int32()
	if s.err == nil && size < 8 {
		s.err = errSize
	}
	s.left = int64(size)
	return s.err
}

// take uses n bytes of the request; they are valid until the next call.
func (s *stream) take(n int) []byte {
	if s.err == nil && (n < 0 || n > maxField || int64(n) > s.left) {
		s.err = errSize
	}
	if s.err == nil && s.w-s.r < n {
		s.fill(n)
	}
	if s.err != nil {
		return nil
	}
	b := s.buf[s.r : s.r+n]
	s.r += n
	s.left -= int64(n)
	return b
}

func (s *stream) fill(n int) {
	if len(s.buf)-s.r < n || s.r == s.w {
		s.w = copy(s.buf, s.buf[s.r:s.w])
		s.r = 0
	}
	for s.w-s.r < n && s.err == nil {
		var got int
		got, s.err = s.in.Read(s.buf[s.w:])
		s.w += got
	}
}

// skip uses n bytes that nobody looks at.
func (s *stream) skip(n int64) {
	if s.err == nil && (n < 0 || n > s.left) {
		s.err = errSize
	}
	for n > 0 && s.err == nil {
		if s.r == s.w {
			s.r = 0
			s.w, s.err = s.in.Read(s.buf)
			if s.err != nil {
				s.w = 0
				return
			}
		}
		used := min(n, int64(s.w-s.r))
		s.r += int(used)
		s.left -= used
		n -= used
	}
}

func (s *stream) int16() int16 {
	if b := s.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (s *stream) int32() int32 {
	if b := s.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// uvarint reads a length of the flexible encoding.
func (s *stream) uvarint() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := s.take(1)
		if b == nil {
			return 0
		}
		v |= uint32(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return v
		}
	}
	s.err = errSize
	return 0
}

// length reads the length of a string (short), of bytes or of an array; -1 is null.
func (s *stream) length(flexible, short bool) int {
	switch {
	case flexible:
		return int(s.uvarint()) - 1
	case short:
		return int(s.int16())
	default:
		return int(s.int32())
	}
}

// text reads a string or null; the bytes are valid until the next call.
func (s *stream) text(flexible bool) []byte {
	n := s.length(flexible, true)
	if n <= 0 {
		return nil
	}
	return s.take(n)
}

// tags skips the tagged fields that end each structure of the flexible encoding.
func (s *stream) tags(flexible bool) {
	if !flexible {
		return
	}
	for n := s.uvarint(); n > 0 && s.err == nil; n-- {
		s.uvarint()
		s.skip(int64(s.uvarint()))
	}
}

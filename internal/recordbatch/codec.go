package recordbatch

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// The numbers of the codecs in the attributes of a batch: part of the format.
const (
	codecGzip = 1 + iota
	codecSnappy
	codecLz4
	codecZstd
)

// firstZstdProduce is the first version of a produce request whose broker reads zstd (Kafka 2.1).
const firstZstdProduce = 7

// zstdWindow is how far back matches are looked for: a batch, for which consumers need as much memory again.
const zstdWindow = 1 << 20

// A Codec compresses batches with writers that it keeps. It is safe for many goroutines.
type Codec struct {
	number  byte
	begin   func(w io.WriteCloser, dst io.Writer, size int) // nil for snappy, which has no writer
	writers sync.Pool
	buffers sync.Pool
}

// NewCodec returns the codec that librdkafka calls name, with its level, or nil for none. It fails for a name that is none.
//
// librdkafka's levels are those of the C libraries; the Go ones have fewer steps, so the nearest that does at least as much is
// taken.
func NewCodec(name string, level int) (*Codec, error) {
	switch name {
	case "none":
		return nil, nil
	case "gzip":
		if level == 0 {
			return nil, nil // level 0 only stores, which is larger than the batch, and such a batch is sent plain
		}
		if level < 0 {
			level = kgzip.DefaultCompression
		}
		return newGzip(level)
	case "snappy":
		return &Codec{number: codecSnappy}, nil
	case "lz4":
		return newLz4(level), nil
	case "zstd":
		return newZstd(zstdLevel(level)), nil
	}
	return nil, fmt.Errorf("compression.codec=%s is none of none, gzip, snappy, lz4 and zstd", name)
}

func newGzip(level int) (*Codec, error) {
	if _, err := kgzip.NewWriterLevel(nil, level); err != nil {
		return nil, fmt.Errorf("compression.level=%d is no level of gzip: %w", level, err)
	}
	c := &Codec{number: codecGzip}
	c.writers.New = func() any {
		w, _ := kgzip.NewWriterLevel(nil, level) // tried above
		return io.WriteCloser(w)
	}
	c.begin = func(w io.WriteCloser, dst io.Writer, _ int) { w.(*kgzip.Writer).Reset(dst) }
	return c, nil
}

// newLz4 is librdkafka's form: independent blocks of 64 KiB without a checksum, which the
// batch has already. The library's default is blocks of 4 MB, with a table of matches that fits no cache.
//
// liblz4 is fast below level 3; above 9 it only searches longer, which Go's does not.
func newLz4(level int) *Codec {
	options := []lz4.Option{lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false), lz4.ConcurrencyOption(1)}
	if level >= 3 {
		options = append(options, lz4.CompressionLevelOption(lz4.Level1<<(min(level, 9)-1)))
	}
	c := &Codec{number: codecLz4}
	c.writers.New = func() any {
		w := lz4.NewWriter(nil)
		// The options are constants that the library takes; an error would leave its defaults, which are right too.
		_ = w.Apply(options...)
		return io.WriteCloser(w)
	}
	c.begin = func(w io.WriteCloser, dst io.Writer, _ int) { w.(*lz4.Writer).Reset(dst) }
	return c
}

func newZstd(level zstd.EncoderLevel) *Codec {
	c := &Codec{number: codecZstd}
	c.writers.New = func() any {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(false))
		if err != nil {
			return nil
		}
		return io.WriteCloser(w)
	}
	c.begin = func(w io.WriteCloser, dst io.Writer, size int) { w.(*zstd.Encoder).ResetContentSize(dst, int64(size)) }
	return c
}

func zstdLevel(level int) zstd.EncoderLevel {
	switch {
	case level < 0:
		// Compat: compression.level. It is left to the library, and Go's fastest makes lines of a mail log as small as its next one, in two thirds of the time.
		return zstd.SpeedFastest
	case level == 0:
		return zstd.SpeedDefault // libzstd's default, which its level 0 means
	}
	return zstd.EncoderLevelFromZstd(level)
}

// Plain says whether a broker that speaks this version of the produce request cannot read the codec, so that its batches go
// uncompressed.
func (c *Codec) Plain(produceVersion int16) bool {
	return c.number == codecZstd && produceVersion < firstZstdProduce
}

// compress replaces dst[from:] by its compressed form if that is smaller, and says whether it is.
func (c *Codec) compress(dst []byte, from int) (_ []byte, smaller bool) {
	size := len(dst) - from
	out, _ := c.buffers.Get().(*bytes.Buffer)
	if out == nil {
		out = new(bytes.Buffer)
	}
	out.Reset()
	defer c.buffers.Put(out)
	if !c.pack(out, size, dst[from:]) || out.Len() >= size {
		return dst, false
	}
	return dst[:from+copy(dst[from:], out.Bytes())], true
}

// gather appends the compressed form of a batch in pieces, but for its head, to dst. It says whether it is smaller; if not, what it
// has appended means nothing.
func (c *Codec) gather(dst []byte, pieces [][]byte) (_ []byte, smaller bool) {
	size := -Overhead
	for _, piece := range pieces {
		size += len(piece)
	}
	parts := append([][]byte{pieces[0][Overhead:]}, pieces[1:]...)
	out := bytes.NewBuffer(dst)
	before := out.Len()
	if !c.pack(out, size, parts...) {
		return dst, false
	}
	return out.Bytes(), out.Len()-before < size
}

// pack appends the compressed form of parts, of that size together, to out, and says whether it could.
func (c *Codec) pack(out *bytes.Buffer, size int, parts ...[]byte) bool {
	if c.begin == nil {
		src := parts[0]
		if len(parts) > 1 {
			src = bytes.Join(parts, nil)
		}
		out.Grow(s2.MaxEncodedLen(len(src)))
		room := out.AvailableBuffer()
		_, _ = out.Write(s2.EncodeSnappy(room[:cap(room)], src)) // never fails
		return true
	}
	w, ok := c.writers.Get().(io.WriteCloser)
	if !ok {
		return false
	}
	defer c.writers.Put(w)
	c.begin(w, out, size)
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return false
		}
	}
	return w.Close() == nil
}

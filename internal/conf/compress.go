package conf

import (
	"bytes"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// codecThreads compress a batch. The client encodes the requests to one broker one after another, so with one
// thread a core of the machine would be the limit of the broker.
const codecThreads = 2

// A pooledCodec compresses batches with writers that it keeps. It is safe for many goroutines.
type pooledCodec struct {
	writers sync.Pool
	codec   kgo.CompressionCodecType
	begin   func(w io.WriteCloser, dst io.Writer, size int)
}

// fastLz4 is lz4 below level 3, in librdkafka's form: independent blocks of 64 KiB without a checksum, which the
// batch has already. The client's own are of 4 MB, with a table of matches that fits no cache.
func fastLz4() *pooledCodec {
	c := &pooledCodec{codec: kgo.CodecLz4}
	c.writers.New = func() any {
		w := lz4.NewWriter(nil)
		// The options are constants that the library takes; an error would leave its defaults, which are right too.
		_ = w.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false), lz4.ConcurrencyOption(codecThreads))
		return io.WriteCloser(w)
	}
	c.begin = func(w io.WriteCloser, dst io.Writer, _ int) { w.(*lz4.Writer).Reset(dst) }
	return c
}

// pipedZstd is zstd that looks for matches in one block while it encodes those of the one before.
func pipedZstd(level zstd.EncoderLevel) *pooledCodec {
	c := &pooledCodec{codec: kgo.CodecZstd}
	c.writers.New = func() any {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(codecThreads),
			zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(false))
		if err != nil {
			return nil
		}
		return io.WriteCloser(w)
	}
	c.begin = func(w io.WriteCloser, dst io.Writer, size int) { w.(*zstd.Encoder).ResetContentSize(dst, int64(size)) }
	return c
}

// zstdWindow is how far back matches are looked for: a batch, for which consumers need as much memory again.
const zstdWindow = 1 << 20

// Compress implements [kgo.Compressor].
func (c *pooledCodec) Compress(dst *bytes.Buffer, src []byte, flags ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	if c.codec == kgo.CodecZstd && slices.Contains(flags, kgo.CompressDisableZstd) {
		return src, kgo.CodecNone // the broker is older than Kafka 2.1
	}
	w, ok := c.writers.Get().(io.WriteCloser)
	if !ok {
		return nil, kgo.CodecError
	}
	defer c.writers.Put(w)
	c.begin(w, dst, len(src))
	if _, err := w.Write(src); err != nil {
		return nil, kgo.CodecError
	}
	if err := w.Close(); err != nil {
		return nil, kgo.CodecError
	}
	return dst.Bytes(), c.codec
}

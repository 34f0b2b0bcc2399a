package recordbatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// codecNames are librdkafka's names, by their number in the attributes.
var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// maxWindow is what RFC 8878 asks of every decoder of zstd. The library takes as much memory as the frame asks for, before it reads on.
const maxWindow = 8 << 20

var errTooLarge = fmt.Errorf("decompressed they are more than %d MiB", maxPlain>>20)

// decompress returns what src is compressed from: all of src, and at most maxPlain.
func decompress(codec byte, src []byte) ([]byte, error) {
	in := bytes.NewReader(src)
	var from io.Reader
	switch codec {
	case codecSnappy:
		return unsnap(src)
	case codecGzip:
		r, err := kgzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		from = r
	case codecLz4:
		from = lz4.NewReader(in)
	case codecZstd:
		// One thread decodes as it is read, so nothing is left running behind a fault.
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPlain),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		from = r
	}
	// It grows with what is there, not with what the frame announces.
	plain, err := io.ReadAll(io.LimitReader(from, maxPlain+1))
	switch {
	case err != nil:
		return nil, err
	case len(plain) > maxPlain:
		return nil, errTooLarge
	}
	return plain, nil
}

// snappyRatio is the most that snappy expands to: three bytes copy at most 64.
const snappyRatio = 22

// unsnap reads both forms that brokers take: that of librdkafka and this package, which is one block, and that of the Java client, blocks in
// xerial's frame. One block is read to the letter: klauspost's other decoder takes its own extension of the format too, which
// brokers refuse.
func unsnap(src []byte) ([]byte, error) {
	most := min(maxPlain, snappyRatio*len(src))
	if bytes.HasPrefix(src, []byte("\x82SNAPPY\x00")) {
		plain, err := xerial.DecodeCapped(make([]byte, 0, most), src)
		if errors.Is(err, xerial.ErrDstTooSmall) {
			return nil, errTooLarge
		}
		return plain, err
	}
	n, err := snappy.DecodedLen(src)
	switch {
	case err != nil:
		return nil, err
	case n > maxPlain:
		return nil, errTooLarge
	case n > most:
		return nil, fmt.Errorf("%d bytes announce %d", len(src), n)
	}
	return snappy.DecodeStrict(nil, src)
}

package conf

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What our own codecs write is read by the client's, which stand for those of consumers: batches of
// every size, text and noise, from several goroutines at once.
func TestWhatIsCompressedIsReadAgain(t *testing.T) {
	noise := make([]byte, 300<<10)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	batches := map[string][]byte{
		"empty": {}, "a byte": {'x'}, "a line": []byte("delivered to box1@example.org\n"),
		"a block to the byte": bytes.Repeat([]byte("line of a log\n"), 64<<10)[:64<<10],
		"a batch":             []byte(strings.Repeat("{\"status\":\"delivered\",\"ms\":12}\n", 32<<10)),
		"noise":               noise,
	}
	for name, codec := range map[string]*pooledCodec{
		"lz4": fastLz4(), "zstd 1": pipedZstd(zstd.SpeedFastest), "zstd 3": pipedZstd(zstd.SpeedDefault),
		"zstd 7": pipedZstd(zstd.SpeedBetterCompression), "zstd 11": pipedZstd(zstd.SpeedBestCompression),
	} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for what, batch := range batches {
						small, kind := codec.Compress(new(bytes.Buffer), batch)
						if kind != codec.codec {
							t.Errorf("%s is written as codec %d", what, kind)
							continue
						}
						if what == "a batch" && len(small) > len(batch)/10 {
							t.Errorf("%s of %d bytes becomes %d", what, len(batch), len(small))
						}
						got, err := kgo.DefaultDecompressor().Decompress(small, kind)
						if err != nil || !bytes.Equal(got, batch) {
							t.Errorf("%s of %d bytes is read as %d bytes: %v", what, len(batch), len(got), err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func TestABrokerWithoutZstdGetsThePlainBatch(t *testing.T) {
	batch := []byte("batch")
	got, kind := pipedZstd(zstd.SpeedFastest).Compress(new(bytes.Buffer), batch, kgo.CompressDisableZstd)
	if kind != kgo.CodecNone || string(got) != "batch" {
		t.Errorf("codec %d: %q", kind, got)
	}
}

func TestLevelsOfZstd(t *testing.T) {
	for level, want := range map[string]zstd.EncoderLevel{
		"-1": zstd.SpeedFastest, "0": zstd.SpeedDefault, "1": zstd.SpeedFastest, "3": zstd.SpeedDefault,
		"7": zstd.SpeedBetterCompression, "12": zstd.SpeedBestCompression,
	} {
		set := settingsFor(t, "compression.codec", "zstd", "compression.level", level)
		if got := set.zstdLevel(); got != want {
			t.Errorf("level %s is %v, want %v", level, got, want)
		}
	}
}

package intake

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Batches of every length up to some folds of it and of many of larger ones, within the batch's own bytes and as pieces of chunks.
func TestTheChecksumOfCIsThatOfGo(t *testing.T) {
	if !canChecksum {
		t.Skip("this processor has no instructions for it: the checksum is Go's")
	}
	in := open(t, t.Name(), math.MaxInt32, math.MaxInt64/4)
	packer, err := in.NewPacker(NewChooser(Murmur2, HashAll, 0), 1000, math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	defer packer.Close()
	topic, gate, _ := in.Topic("t")
	gate.Open(1)
	packer.Route(topic, 1, nil)
	random := rand.New(rand.NewPCG(1, 2))
	inPieces := 0
	check := func(sizes ...int) {
		for _, size := range sizes {
			value := make([]byte, size)
			for i := range value {
				value[i] = byte(random.Uint32())
			}
			if got := answer(call(t.Name(), string(value))); got != Taken {
				t.Fatal(got)
			}
		}
		for _, c := range in.Take(nil) {
			if n := packer.Pack(c, 0); n != 0 {
				t.Fatalf("%d records are left", n)
			}
			in.Free(c)
		}
		packer.Begun(func(b *Batch) {
			b.Close()
			pieces := b.Pieces(nil)
			inPieces += len(pieces) - 1
			for i := range pieces[0][:61] {
				pieces[0][i] = byte(random.Uint32())
			}
			if c, g := b.checksum(), b.checksumInGo(); c != g {
				t.Fatalf("values of %d bytes in %d pieces: %08x in C, %08x in Go", sizes, len(pieces), c, g)
			}
			packer.Free(b)
		})
	}
	for size := range 1500 {
		check(size)
	}
	for range 300 {
		check(random.IntN(3000), 1024+random.IntN(30_000), 1024+random.IntN(16_000), random.IntN(100), random.IntN(20_000))
	}
	if inPieces < 300 {
		t.Errorf("only %d pieces of chunks were seen", inPieces)
	}
}

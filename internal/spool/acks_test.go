package spool_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/halon-extras/kafka/internal/spool"
)

// The set against a map, with chunks that fill, ranges that cross them, and a frontier that jumps.
func TestAcksAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const span = 3*4096 + 100
		first := rapid.Uint64Range(1, 9000).Draw(t, "first")
		a := spool.NewAcks(first)
		set := map[uint64]bool{}
		in := func(seq uint64) bool { return seq < first || set[seq] }
		seqs := rapid.Uint64Range(max(1, first-min(first, 100)), first+span)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				seq := seqs.Draw(t, "seq")
				if got, want := a.Set(seq), !in(seq); got != want {
					t.Fatalf("set %d says %v, want %v", seq, got, want)
				}
				set[seq] = true
			},
			"setRange": func(t *rapid.T) {
				from := seqs.Draw(t, "from")
				to := from + rapid.Uint64Range(0, 5000).Draw(t, "length")
				var want uint64
				for seq := from; seq < to; seq++ {
					if !in(seq) {
						want++
						set[seq] = true
					}
				}
				if got := a.SetRange(from, to); got != want {
					t.Fatalf("set %d..%d says %d, want %d", from, to, got, want)
				}
			},
			"copy": func(t *rapid.T) {
				limit := rapid.SampledFrom([]int{0, 3, 20, 1 << 16}).Draw(t, "limit")
				b := a.Copy(limit)
				for seq := a.Frontier(); seq < first+span; seq += 1 + seq%7 {
					if b.Has(seq) && !a.Has(seq) || limit == 1<<16 && a.Has(seq) != b.Has(seq) {
						t.Fatalf("after a copy through %d bytes, %d is %v, was %v", limit, seq, b.Has(seq), a.Has(seq))
					}
				}
			},
			"": func(t *rapid.T) {
				frontier, above := first, uint64(0)
				for in(frontier) {
					frontier++
				}
				for seq := range set {
					if seq >= frontier {
						above++
					}
				}
				if a.Frontier() != frontier || a.Above() != above {
					t.Fatalf("frontier %d and %d above, want %d and %d", a.Frontier(), a.Above(), frontier, above)
				}
				from := seqs.Draw(t, "count from")
				to := from + rapid.Uint64Range(0, 9000).Draw(t, "count length")
				var n uint64
				for seq := from; seq < to; seq++ {
					if in(seq) {
						n++
					}
				}
				if got := a.Count(from, to); got != n {
					t.Fatalf("count %d..%d is %d, want %d", from, to, got, n)
				}
				open := from
				for in(open) {
					open++
				}
				if got := a.NextClear(from); got != open {
					t.Fatalf("next clear from %d is %d, want %d", from, got, open)
				}
			},
		})
	})
}

func TestAcksOfTenMillionBehindOneRecordStaySmall(t *testing.T) {
	a := spool.NewAcks(1)
	const n = 10_000_000
	bytes := testing.AllocsPerRun(1, func() {
		for seq := uint64(2); seq < n; seq++ {
			a.Set(seq)
		}
	})
	if bytes > 2*n/4096 {
		t.Errorf("%v allocations", bytes)
	}
	if a.Frontier() != 1 || a.Copy(100).Above() != n-2 {
		t.Error("one run of acknowledgements does not fit a hundred bytes")
	}
	a.Set(1)
	if a.Frontier() != n || a.Above() != 0 {
		t.Errorf("frontier %d with %d above, want %d with none", a.Frontier(), a.Above(), n)
	}
}

// The gap that a segment's name may tell is not walked.
func TestAcksOfAnImpossibleRangeCostNothing(t *testing.T) {
	a := spool.NewAcks(1)
	if n := a.SetRange(5000, 1<<62); n != 1<<62-5000 || a.Above() != n || a.Has(4999) || !a.Has(1<<61) {
		t.Errorf("%d resolved, %d above", n, a.Above())
	}
	if b := a.Copy(100); b.Above() != a.Above() || b.NextClear(6000) != 1<<62 {
		t.Errorf("%d above after a copy", b.Above())
	}
}

package plan

import (
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	mail = Place{Topic: "mail", ID: [16]byte{0: 0xaa, 15: 0xbb}, Partition: 3}
	ours = Epoch{Producer: 4000, Number: 1}
)

func batch(first, bound int, spans ...Span) *Batch {
	b := &Batch{Place: mail, Epoch: ours, First: int32(first), Bound: int64(bound), Spans: spans}
	for _, s := range spans {
		b.Count += int32(s.Count)
	}
	return b
}

// golden has one note a line, with comments.
func golden(t testing.TB) (notes []byte) {
	t.Helper()
	text, err := os.ReadFile("testdata/notes-v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, b...)
	}
	return notes
}

// These bytes are on customers' disks. When this fails, the format needs a new version, not a new testdata.
func TestTheNotesOfVersion1Stay(t *testing.T) {
	notes := AppendPlan(nil, batch(0, -1, Span{41, 2}, Span{50, 1}))
	notes = AppendDone(notes, &mail, ours, 0, 3, 103)
	notes = AppendPlan(notes, batch(3, 103, Span{51, 300}))
	notes = AppendVoid(notes, &mail, ours, 3)
	notes = appendPartition(notes, &mail, &Partition{Epoch: ours, Next: 3, Bound: 103})
	notes = appendPosition(notes, 9)
	if want := golden(t); !bytes.Equal(notes, want) {
		t.Errorf("the bytes have changed\n%s", hex.Dump(notes))
	}
	var l Ledger
	if err := l.Apply(golden(t)); err != nil {
		t.Fatal(err)
	}
	want := Ledger{Position: 9, Partitions: map[Place]*Partition{mail: {Epoch: ours, Next: 3, Bound: 103, Batches: []*Batch{batch(0, -1, Span{41, 2}, Span{50, 1})}}}}
	want.Partitions[mail].Batches[0].Done = true
	if !reflect.DeepEqual(l, want) {
		t.Errorf("%+v, want %+v", l, want)
	}
}

func TestALedger(t *testing.T) {
	raised := *batch(0, 7, Span{10, 5})
	raised.Number++
	for _, test := range []struct {
		sentence string
		notes    [][]byte
		open     []int32 // first sequences of what is not done
		next     int32
	}{
		{"a plan is open", [][]byte{AppendPlan(nil, batch(0, 7, Span{1, 10}))}, []int32{0}, 10},
		{"what is done is not open", [][]byte{AppendPlan(nil, batch(0, 7, Span{1, 10})), AppendDone(nil, &mail, ours, 0, 10, 17)}, nil, 10},
		{"the halves of a batch take its place", [][]byte{
			AppendPlan(nil, batch(0, 7, Span{1, 10})), AppendPlan(nil, batch(10, 7, Span{11, 1})),
			AppendPlan(nil, batch(0, 7, Span{1, 5})), AppendPlan(nil, batch(5, 7, Span{6, 5})),
		}, []int32{0, 5, 10}, 11},
		{"a half whose other half is not noted again leaves what is behind them", [][]byte{
			AppendPlan(nil, batch(0, 7, Span{1, 10})), AppendPlan(nil, batch(10, 7, Span{11, 1})), AppendPlan(nil, batch(0, 7, Span{1, 5})),
		}, []int32{0, 10}, 11},
		{"a new epoch takes the place of what is not done", [][]byte{
			AppendPlan(nil, batch(0, 7, Span{1, 9})), AppendPlan(nil, batch(9, 7, Span{10, 5})), AppendDone(nil, &mail, ours, 0, 9, 17), AppendPlan(nil, &raised),
		}, []int32{0}, 5},
		{"a void batch is not open", [][]byte{AppendPlan(nil, batch(4, 7, Span{1, 10})), AppendPlan(nil, batch(14, 7, Span{11, 1})), AppendVoid(nil, &mail, ours, 14)}, []int32{4}, 14},
		{"sequences begin again behind the largest", [][]byte{AppendPlan(nil, batch(math.MaxInt32-1, 7, Span{1, 4})), AppendPlan(nil, batch(2, 7, Span{5, 4}))}, []int32{math.MaxInt32 - 1, 2}, 6},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			var l Ledger
			for _, n := range test.notes {
				if err := l.Apply(n); err != nil {
					t.Fatal(err)
				}
			}
			check := func(l *Ledger) {
				var open []int32
				for _, b := range l.Partitions[mail].Batches {
					if !b.Done {
						open = append(open, b.First)
					}
				}
				if !reflect.DeepEqual(open, test.open) || l.Partitions[mail].Next != test.next {
					t.Errorf("open %v, next %d", open, l.Partitions[mail].Next)
				}
			}
			check(&l)
			var again Ledger
			if err := again.Apply(l.Snapshot()); err != nil {
				t.Fatal(err)
			}
			check(&again)
		})
	}
}

// A partition that its broker did not let go on under the first id has another one. Neither is the next one's: the second may have been refused since, and the first
// partition to come back to the first would give out its sequences again.
func TestTheProducerIsThatOfAllPartitionsAlsoAfterASnapshot(t *testing.T) {
	first, second := Place{Topic: "a"}, Place{Topic: "b"}
	plan := func(p Place, id int64, seq uint64) []byte {
		return AppendPlan(nil, &Batch{Place: p, Epoch: Epoch{Producer: id}, Count: 1, Bound: -1, Spans: []Span{{seq, 1}}})
	}
	for _, test := range []struct {
		sentence string
		notes    [][]byte
		want     int64
	}{
		{"nothing was sent", nil, -1},
		{"one id", [][]byte{plan(first, 5000, 1), plan(second, 5000, 2)}, 5000},
		{"the second partition is refused", [][]byte{plan(first, 5000, 1), plan(second, 5000, 2), plan(second, 4000, 2)}, -1},
		{"and the first one is noted last", [][]byte{plan(first, 5000, 1), plan(second, 5000, 2), plan(second, 4000, 2), plan(first, 5000, 1)}, -1},
		{"both are refused", [][]byte{plan(first, 5000, 1), plan(second, 5000, 2), plan(second, 4000, 2), plan(first, 4000, 1)}, 4000},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			var l, again Ledger
			for _, n := range test.notes {
				if err := l.Apply(n); err != nil {
					t.Fatal(err)
				}
			}
			if err := again.Apply(l.Snapshot()); err != nil {
				t.Fatal(err)
			}
			if l.Producer() != test.want || again.Producer() != test.want {
				t.Errorf("%d, after a snapshot %d, want %d", l.Producer(), again.Producer(), test.want)
			}
		})
	}
}

func TestWhatIsSettledIsForgotten(t *testing.T) {
	var l Ledger
	notes := AppendPlan(AppendPlan(nil, batch(0, 7, Span{1, 3}, Span{8, 1})), batch(4, 7, Span{9, 2}))
	if err := l.Apply(notes); err != nil {
		t.Fatal(err)
	}
	l.Forget(func(seq uint64) bool { return seq < 10 }, 12)
	if part := l.Partitions[mail]; len(part.Batches) != 1 || part.Batches[0].First != 4 || part.Next != 6 || l.Position != 12 {
		t.Errorf("%+v", part)
	}
}

// A snapshot says what the notes say, whatever they are.
func TestASnapshotIsTheSameLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		seq := uint64(1)
		for range rapid.IntRange(1, 30).Draw(t, "notes") {
			p := Place{Topic: rapid.SampledFrom([]string{"a", "b", strings.Repeat("x", 200)}).Draw(t, "topic"), Partition: rapid.Int32Range(0, 1).Draw(t, "partition")}
			part := l.Partitions[p]
			if part == nil {
				part = &Partition{Bound: -1, Next: rapid.SampledFrom([]int32{0, math.MaxInt32 - 3}).Draw(t, "first")}
			}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0, 1:
				b := &Batch{Place: p, Epoch: part.Epoch, First: part.Next, Bound: part.Bound}
				if seq > 20 && rapid.Bool().Draw(t, "earlier records") {
					b.Spans, b.Count = Grow(b.Spans, seq-20), 1
				}
				for range rapid.IntRange(1, 5).Draw(t, "records") {
					b.Spans, b.Count = Grow(b.Spans, seq), b.Count+1
					seq += rapid.Uint64Range(1, 2).Draw(t, "step")
				}
				if rapid.IntRange(0, 5).Draw(t, "raise") == 0 {
					b.Number, b.First = b.Number+1, 0
				}
				must(t, l.Apply(AppendPlan(nil, b)))
			case 2:
				for _, b := range part.Batches {
					if !b.Done {
						must(t, l.Apply(AppendDone(nil, &p, b.Epoch, b.First, b.Count, int64(seq))))
						break
					}
				}
			case 3:
				for _, b := range part.Batches {
					if !b.Done && b.Epoch == part.Epoch {
						must(t, l.Apply(AppendVoid(nil, &p, b.Epoch, b.First)))
						break
					}
				}
			}
		}
		var again Ledger
		must(t, again.Apply(l.Snapshot()))
		if one, two := l.Snapshot(), again.Snapshot(); !bytes.Equal(one, two) {
			t.Fatalf("%x\n%x", one, two)
		}
	})
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// No bytes make Apply panic, and what it takes can be written again.
func FuzzLedger(f *testing.F) {
	f.Add(golden(f))
	f.Add([]byte{1, 1})
	f.Fuzz(func(t *testing.T, notes []byte) {
		var l, again Ledger
		if l.Apply(notes) == nil {
			if err := again.Apply(l.Snapshot()); err != nil {
				t.Error(err)
			}
		}
	})
}

// It goes to the log, and halon-kafka shows it.
func TestWhatIsWrongWithANoteIsOneLine(t *testing.T) {
	note := AppendPlan(nil, batch(0, 7, Span{1, 3}))
	for n := 1; n < len(note)-1; n++ {
		var l Ledger
		if err := l.Apply(append([]byte{byte(n)}, note[1:1+n]...)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

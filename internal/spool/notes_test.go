package spool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A listed is the simplest fold: the numbers that were noted, in order. Its notes are eight bytes each.
type listed struct{ numbers []uint64 }

func (f *listed) Apply(notes []byte) error {
	if len(notes)%8 != 0 {
		return errors.New("not eight bytes")
	}
	for ; len(notes) > 0; notes = notes[8:] {
		f.numbers = append(f.numbers, binary.LittleEndian.Uint64(notes))
	}
	return nil
}

func (f *listed) Snapshot() (notes []byte) {
	for _, n := range f.numbers {
		notes = binary.LittleEndian.AppendUint64(notes, n)
	}
	return notes
}

func noteOf(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// firsts says whether f has 1, 2, 3 and so on.
func (f *listed) firsts() bool {
	for i, n := range f.numbers {
		if n != uint64(i)+1 {
			return false
		}
	}
	return true
}

func openNotes(t testing.TB, fsys *faultfs.FS) (n *spool.Notes, f *listed, found bool, damage error) {
	t.Helper()
	f = &listed{}
	n, found, damage, err := spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: fsys, Fold: f})
	if err != nil {
		t.Fatal(err)
	}
	return n, f, found, damage
}

func note(t testing.TB, n *spool.Notes, number uint64) {
	t.Helper()
	answer := make(chan error, 1)
	n.Add(noteOf(number), func(err error) { answer <- err })
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
}

func goldenNotes() []byte {
	b := spool.SegmentHead(goldenSalt, 3, 17, goldenTime)
	b = spool.AppendFrame(b, goldenSalt, 17, goldenTime, noteOf(1)) // the snapshot
	return spool.AppendFrame(b, goldenSalt, 18, goldenTime+1, append(noteOf(2), noteOf(3)...))
}

// These bytes are on customers' disks. When this fails, the format needs a new version, not a new testdata.
func TestTheNotesOfVersion1AreRead(t *testing.T) {
	if want := golden(t, "plans-v1.hex"); !bytes.Equal(goldenNotes(), want) {
		t.Errorf("the bytes have changed\n%s", hex.Dump(goldenNotes()[spool.SegmentStart:]))
	}
	fsys := faultfs.New(1)
	fsys.Put("/spool/0000000003.plans", golden(t, "plans-v1.hex"))
	n, f, found, damage := openNotes(t, fsys)
	if !found || damage != nil || len(f.numbers) != 3 || !f.firsts() {
		t.Fatalf("%v, %v, %v", f.numbers, found, damage)
	}
	n.Start()
	note(t, n, 4)
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := fsys.Names("/spool", ".plans"); len(names) != 1 || names[0] != "0000000004.plans" {
		t.Errorf("files %v", names)
	}
	if _, f, _, _ = openNotes(t, fsys); len(f.numbers) != 4 || !f.firsts() {
		t.Errorf("%v", f.numbers)
	}
}

func TestNotesAreWrittenAndFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		_ = fsys.MkdirAll("/spool")
		n, _, found, damage := openNotes(t, fsys)
		if found || damage != nil {
			t.Fatalf("an empty folder: %v, %v", found, damage)
		}
		n.Start()
		for i := range uint64(200_000) { // more than a file holds
			n.AddLater(noteOf(i + 1))
			if i%1000 == 0 {
				synctest.Wait()
			}
		}
		if err := n.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, f, found, damage := openNotes(t, fsys)
		if !found || damage != nil || len(f.numbers) != 200_000 || !f.firsts() {
			t.Errorf("%d numbers, %v, %v", len(f.numbers), found, damage)
		}
		if names := fsys.Names("/spool", ".plans"); len(names) != 1 {
			t.Errorf("files %v", names)
		}
		if err := spool.RemoveNotes(fsys, "/spool"); err != nil || len(fsys.Names("/spool", ".plans")) > 0 {
			t.Errorf("removing: %v", err)
		}
	})
}

// The first note goes to the disk at once; those that come soon after it share a sync.
func TestNotesThatComeSoonShareASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		_ = fsys.MkdirAll("/spool")
		const every = 5 * time.Millisecond
		n, _, _, err := spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: fsys, Fold: &listed{}, Every: every})
		if err != nil {
			t.Fatal(err)
		}
		n.Start()
		var syncs atomic.Int32
		onSync(fsys, func() { syncs.Add(1) })
		start := time.Now()
		note(t, n, 1)
		if took := time.Since(start); took != 0 {
			t.Errorf("the first note took %v", took)
		}
		done := make(chan error, 9)
		for i := range uint64(9) {
			n.Add(noteOf(2+i), func(err error) { done <- err })
			time.Sleep(every / 10)
		}
		for range 9 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != every || syncs.Load() != 2 {
			t.Errorf("%d syncs of ten notes in %v", syncs.Load(), took)
		}
		if err := n.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestDamagedNotesAreTold(t *testing.T) {
	whole := goldenNotes()
	for _, test := range []struct {
		sentence string
		damage   func(b []byte) []byte
		numbers  int
		damaged  bool
	}{
		{"nothing is wrong", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, 3, false},
		{"the last commit was torn", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, 1, false},
		{"the last commit is half there", func(b []byte) []byte { return b[:len(b)-12] }, 1, false},
		{"a commit before the last has changed", func(b []byte) []byte {
			b = spool.AppendFrame(b, goldenSalt, 19, goldenTime, noteOf(4))
			b[len(b)-50] ^= 1
			return b
		}, 1, true},
		{"the snapshot has changed", func(b []byte) []byte { b[spool.SegmentStart+33] ^= 1; return b }, 0, true},
		{"both headers have changed", func(b []byte) []byte {
			b[9] ^= 1
			b[12] ^= 1
			b[512+12] ^= 1
			b[8] = 1
			b[9] = 0
			return b
		}, 0, true},
		{"one header has changed", func(b []byte) []byte { b[12] ^= 1; return b }, 3, false},
		{"a commit is no notes", func(b []byte) []byte { return spool.AppendFrame(b, goldenSalt, 19, goldenTime, []byte("x")) }, 3, true},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			fsys := faultfs.New(1)
			fsys.Put("/spool/0000000003.plans", test.damage(bytes.Clone(whole)))
			_, f, _, damage := openNotes(t, fsys)
			if len(f.numbers) != test.numbers || (damage != nil) != test.damaged {
				t.Errorf("%d numbers, %v", len(f.numbers), damage)
			}
			if kept := fsys.Names("/spool", ".plans.bad"); (len(kept) > 0) != test.damaged {
				t.Errorf("kept %v", kept)
			}
		})
	}
	t.Run("a newer file was cut short in the making", func(t *testing.T) {
		fsys := faultfs.New(1)
		fsys.Put("/spool/0000000003.plans", bytes.Clone(whole))
		fsys.Put("/spool/0000000004.plans", spool.SegmentHead(goldenSalt, 4, 19, goldenTime))
		if _, f, _, damage := openNotes(t, fsys); len(f.numbers) != 3 || damage != nil {
			t.Errorf("%d numbers, %v", len(f.numbers), damage)
		}
	})
	t.Run("a later version", func(t *testing.T) {
		fsys := faultfs.New(1)
		b := bytes.Clone(whole)
		spool.SealSegmentHead(b, 2)
		fsys.Put("/spool/0000000003.plans", b)
		if _, _, _, err := spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: fsys, Fold: &listed{}}); err == nil || !strings.Contains(err.Error(), "another version") {
			t.Errorf("%v", err)
		}
	})
}

// A power cut, or a disk that fails, at every call: what was answered is found again, with all that was added before it.
func TestNotesSurviveAFaultAtEveryCall(t *testing.T) {
	for _, fault := range []faultfs.Fault{{Crash: true}, {Err: errors.New("the disk has failed")}, {Err: errors.New("a short write"), Short: true}} {
		for at, more := 1, true; more; at++ {
			for seed := range either(uint64(6), 1) {
				more = crashNotes(t, fault, at, seed)
			}
		}
	}
}

func crashNotes(t *testing.T, fault faultfs.Fault, at int, seed uint64) (came bool) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(seed)
		_ = fsys.MkdirAll("/spool")
		r := rand.New(rand.NewPCG(seed, 3))
		base := fsys.Calls()
		fsys.Intercept(func(c faultfs.Call) faultfs.Fault {
			if c.N == base+at {
				came = true
				return fault
			}
			return faultfs.Fault{}
		})
		next, answered := uint64(1), uint64(0)
		for life := 0; life < 3; life++ {
			f := &listed{}
			n, _, damage, err := spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: fsys, Fold: f})
			switch {
			case fsys.Crashed():
			case err != nil && !fault.Crash: // the folder could not be read: it is opened again
			case err != nil || damage != nil && fault.Crash:
				t.Fatalf("call %d, seed %d: %v, %v", at, seed, err, damage)
			case damage != nil: // a read failed, and the file is kept
				return
			case !f.firsts() || uint64(len(f.numbers)) < answered:
				t.Fatalf("call %d, seed %d: %v after %d were answered", at, seed, f.numbers, answered)
			default:
				next = uint64(len(f.numbers)) + 1
			}
			if err == nil {
				n.Start()
				for range 1 + r.IntN(6) {
					last := next
					if r.IntN(3) == 0 {
						n.AddLater(noteOf(last))
					} else {
						n.Add(noteOf(last), func(err error) {
							if err == nil {
								answered = max(answered, last)
							}
						})
					}
					next++
					if r.IntN(2) == 0 {
						synctest.Wait()
					}
				}
				_ = n.Close(context.Background())
			}
			if fsys.Crashed() {
				fsys = fsys.Reboot()
			}
		}
	})
	return came
}

func ExampleNotes() {
	fsys := faultfs.New(1)
	_ = fsys.MkdirAll("/spool")
	n, _, _, _ := spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: fsys, Fold: &listed{}})
	n.Start()
	n.AddLater(noteOf(1))
	_ = n.Close(context.Background())
	f := &listed{}
	_, _, _, _ = spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: fsys, Fold: f})
	fmt.Println(f.numbers)
	// Output: [1]
}

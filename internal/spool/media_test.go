package spool_test

import (
	"bytes"
	"math/rand/v2"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A sync of the position fails once. The kernel drops the pages and the next sync of that file says that all is fine, so another file must
// be written: whatever was acknowledged two seconds ago is not delivered again after a power cut.
func TestAFailedSyncOfThePositionIsNotTriedAgainOnTheSameFile(t *testing.T) {
	for _, op := range []faultfs.Op{faultfs.Sync, faultfs.Write} {
		for seed := range either(uint64(30), 2) {
			synctest.Test(t, func(t *testing.T) {
				const records = 4000
				fsys := faultfs.New(seed)
				s := open(t, spool.Options{Dir: "/spool", FS: fsys})
				put(t, s, numbered(0, records)...)
				order := rand.New(rand.NewPCG(seed, 5)).Perm(records) // a slot of many sectors
				for i, n := range order[:records/2] {
					if i == records/4 {
						failed := false
						fsys.Intercept(func(c faultfs.Call) faultfs.Fault {
							if c.Op == op && c.Name == "/spool/position" && !failed {
								failed = true
								return faultfs.Fault{Err: syscall.EIO, Short: true}
							}
							return faultfs.Fault{}
						})
						time.Sleep(2 * time.Second)
					}
					s.Ack(uint64(n + 1))
				}
				time.Sleep(3 * time.Second)
				fsys.Crash()
				_ = s.Close(t.Context())
				s = open(t, spool.Options{Dir: "/spool", FS: fsys.Reboot()})
				if st := s.Stats(); st.Pending != records/2 || st.Missing != 0 {
					t.Errorf("%s, seed %d: pending %d, missing %d", op, seed, st.Pending, st.Missing)
				}
				closeSpool(t, s)
			})
		}
	}
}

// A file of which nothing can be read, while the others can: it is set aside, also the last one, and the host starts.
func TestAFileThatCannotBeReadAtAllIsSetAside(t *testing.T) {
	m := newImage(t, 60, 3)
	for i, name := range m.segments() {
		for _, op := range []faultfs.Op{faultfs.Read, faultfs.Open} {
			synctest.Test(t, func(t *testing.T) {
				fsys := m.disk()
				failIf(fsys, syscall.EIO, func(c faultfs.Call) bool { return c.Op == op && c.Name == "/spool/"+name })
				s := open(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
				put(t, s, "new")
				c := s.NewCursor()
				var got []string
				for len(got) == 0 || got[len(got)-1] != "new" {
					more, _ := take(t, c, 1)
					got = append(got, more...)
				}
				c.Close()
				lost := missing(t, got[:len(got)-1], m.records)
				st := s.Stats()
				if len(lost) == 0 || st.Missing != uint64(len(lost)) || st.Corrupt != 1 {
					t.Errorf("segment %d, %s: %d are lost, %+v", i, op, len(lost), st)
				}
				closeSpool(t, s)
				if kept, ok := fsys.Get("/spool/" + name + ".bad"); !ok || !bytes.Equal(kept, m.files[name]) {
					t.Errorf("segment %d, %s: it is not kept", i, op)
				}
			})
		}
	}
}

// A disk that fails for a while at the start costs time only.
func TestADiskThatCannotBeReadAtTheStartForAWhileLosesNothing(t *testing.T) {
	m := newKilledImage(t, 60, 3)
	synctest.Test(t, func(t *testing.T) {
		fsys := m.disk()
		back := time.Now().Add(3 * time.Second)
		failIf(fsys, syscall.EIO, func(c faultfs.Call) bool {
			return c.Op == faultfs.Read && c.Name != "/spool/position" && time.Now().Before(back)
		})
		got, st := drain(t, fsys)
		same(t, got, m.records)
		if st.Missing > 0 || st.Corrupt > 0 {
			t.Errorf("%+v", st)
		}
	})
}

// Zeros in the middle of the last segment, more of them than a commit has: what stands behind them is found, without a position too.
func TestALongHoleInTheLastSegmentHidesNothingBehindIt(t *testing.T) {
	const hole = 9 << 20
	b := spool.SegmentHead(goldenSalt, 1, 1, 1)
	b = spool.AppendFrame(b, goldenSalt, 1, 1, []byte("before"))
	b = append(b, make([]byte, hole)...)
	b = spool.AppendFrame(b, goldenSalt, 7, 1, []byte("behind"))
	b = append(b, make([]byte, 1<<20)...)
	m := image{files: map[string][]byte{spool.SegmentName(1, 1): b}}
	fsys := m.disk()
	if check, err := spool.Check(fsys, "/spool"); err != nil || check.Frames != 2 || check.Missing != 5 {
		t.Errorf("check: %v, %+v", err, check)
	}
	got, st := drainWith(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 64 << 20})
	same(t, got, []string{"before", "behind"})
	if st.Missing != 5 || st.Corrupt != 1 {
		t.Errorf("%+v", st)
	}
}

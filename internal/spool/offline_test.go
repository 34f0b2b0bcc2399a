package spool_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// snapshot returns every file of a folder.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(dir + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

func TestInspectCheckAndExportOnlyReadAndWorkWhileThePluginRuns(t *testing.T) {
	dir := t.TempDir()
	opts := spool.Options{Dir: dir, MaxBytes: 1 << 20, SegmentBytes: 4 << 10, Program: "smtpd"}
	s := open(t, opts)
	var want []string
	for _, r := range numbered(0, 100) {
		want = append(want, r+strings.Repeat("_", 100))
	}
	put(t, s, want...)
	for seq := range uint64(20) {
		s.Ack(seq + 1)
	}
	for running := range 2 {
		if running == 1 {
			closeSpool(t, s)
		}
		before := snapshot(t, dir)
		report, err := spool.Inspect(spool.OS{}, dir)
		if err != nil {
			t.Fatal(err)
		}
		if report.Running != (running == 0) || running == 0 && report.Program != "smtpd" || report.Next != 101 ||
			report.Oldest.IsZero() || report.Free == 0 || report.Position != "" {
			t.Errorf("%+v", report)
		}
		// While it runs, the position file may be that of any moment since the first acknowledgement.
		if report.Pending < 80 || report.Pending > 100 || running == 1 && report.Pending != 80 {
			t.Errorf("pending %d", report.Pending)
		}
		check, err := spool.Check(spool.OS{}, dir)
		if err != nil || !intact(&check) || check.Frames < 80 || check.Frames > 100 {
			t.Errorf("%v, %+v", err, check)
		}
		var got []string
		if err := spool.Export(spool.OS{}, dir, false, func(f spool.Frame) error {
			got = append(got, string(f.Payload))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		same(t, got, want[100-len(got):])
		if plan, err := spool.Repair(spool.OS{}, dir, false); err != nil || len(plan.Steps) > 0 {
			t.Errorf("a plan for a good folder: %v, %v", plan, err)
		}
		if _, err := spool.Repair(spool.OS{}, dir, true); (running == 0) != errors.Is(err, spool.ErrLocked) {
			t.Errorf("repair: %v", err)
		}
		if running == 1 {
			after := snapshot(t, dir)
			delete(after, "owner")
			delete(before, "owner")
			if !reflect.DeepEqual(before, after) {
				t.Error("reading has changed the folder")
			}
		}
	}
}

func TestAFolderWithoutASpoolIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/mail.log", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, inspect := spool.Inspect(spool.OS{}, dir)
	_, check := spool.Check(spool.OS{}, dir)
	_, repair := spool.Repair(spool.OS{}, dir, true)
	export := spool.Export(spool.OS{}, dir, true, func(spool.Frame) error { return nil })
	for _, err := range []error{inspect, check, repair, export} {
		if !errors.Is(err, spool.ErrNoSpool) {
			t.Errorf("%v", err)
		}
	}
	if files := snapshot(t, dir); len(files) != 1 {
		t.Errorf("%v", files)
	}
	if _, err := spool.Inspect(spool.OS{}, dir+"/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestExportEndsWithTheErrorOfItsCaller(t *testing.T) {
	m := newImage(t, 10, 0)
	stop, calls := errors.New("stop"), 0
	err := spool.Export(m.disk(), "/spool", true, func(spool.Frame) error {
		calls++
		return stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// Each kind of damage: the plan changes nothing, the repair keeps what it cuts, and Check is clean behind it.
func TestRepairPlansThenActsAndKeepsWhatItCuts(t *testing.T) {
	m := newImage(t, 60, 0)
	names := m.segments()
	last := names[len(names)-1]
	for _, damage := range []struct {
		what   string
		file   string
		change func([]byte) []byte
		action spool.Action
		lost   int
	}{
		{"a payload", names[1], func(b []byte) []byte { b[spool.SegmentStart+40] ^= 1; return b }, spool.ActionFill, 1},
		{"a frame header", names[1], func(b []byte) []byte { b[spool.SegmentStart+9] ^= 1; return b }, spool.ActionFill, 1},
		{"the end of a segment", names[1], func(b []byte) []byte { return b[:len(b)-8] }, spool.ActionFill, 1},
		{"the end of the last segment", last, func(b []byte) []byte { return append(b[:len(b)-8], make([]byte, 9000)...) }, spool.ActionCut, 1},
		{"one copy of a header", names[0], func(b []byte) []byte { b[20] ^= 1; return b }, spool.ActionHeader, 0},
		{"both copies", names[0], func(b []byte) []byte { b[20] ^= 1; b[532] ^= 1; return b }, spool.ActionHeader, 0},
		{"a whole segment", names[0], func(b []byte) []byte { return bytes.Repeat([]byte("?"), len(b)) }, spool.ActionSetAside, 15},
		{"a whole segment that is as long as a header", names[0], func([]byte) []byte { return bytes.Repeat([]byte("?"), spool.SegmentStart) }, spool.ActionSetAside, 15},
		{"a copy out of order that is as long as a header", spool.SegmentName(900, 1), func([]byte) []byte { return m.files[names[0]][:spool.SegmentStart] }, spool.ActionSetAside, 0},
		{"a header of another segment", names[1], func(b []byte) []byte { copy(b, m.files[names[0]][:spool.SegmentStart]); return b }, spool.ActionHeader, 0},
		{"both slots", "position", func([]byte) []byte { return bytes.Repeat([]byte("?"), 2*spool.PositionSlot) }, spool.ActionSetAside, 0},
	} {
		t.Run(damage.what, func(t *testing.T) {
			damaged := m.with(damage.file, damage.change)
			fsys := damaged.disk()
			check, err := spool.Check(fsys, "/spool")
			if err != nil || intact(&check) {
				t.Fatalf("not seen: %v, %+v", err, check)
			}
			plan, err := spool.Repair(fsys, "/spool", false)
			if err != nil || len(plan.Steps) != 1 || plan.Applied || plan.Steps[0].Action != damage.action ||
				!strings.Contains(plan.Steps[0].String(), damage.file) {
				t.Fatalf("%v, %+v", err, plan)
			}
			for name, want := range damaged.files {
				if got, _ := fsys.Get("/spool/" + name); !bytes.Equal(got, want) {
					t.Errorf("the plan changed %s", name)
				}
			}
			if plan, err = spool.Repair(fsys, "/spool", true); err != nil || !plan.Applied {
				t.Fatalf("%v, %+v", err, plan)
			}
			step := plan.Steps[0]
			if step.Kept != "" {
				whole := damaged.files[damage.file]
				kept, ok := fsys.Get("/spool/" + step.Kept)
				if want := whole[step.From:min(step.To, int64(len(whole)))]; !ok || !bytes.Equal(kept, want) {
					t.Errorf("%s is not what was cut", step.Kept)
				}
			}
			check, err = spool.Check(fsys, "/spool")
			if err != nil || len(check.Damage) > 0 || check.Position != "" {
				t.Errorf("after the repair: %v, %+v", err, check)
			}
			got, _ := drain(t, fsys)
			if lost := missing(t, got, m.records); len(lost) > damage.lost {
				t.Errorf("%d records are lost, want at most %d", len(lost), damage.lost)
			}
		})
	}
}

func TestDeadLettersGoBackToTheQueueWithoutTheirReason(t *testing.T) {
	fsys := faultfs.New(1)
	live := open(t, small(fsys))
	deadOpts := small(fsys)
	deadOpts.Dir = "/spool/" + spool.DeadFolder
	dead := open(t, deadOpts)
	var letters []string
	for _, r := range numbered(0, 120) {
		letters = append(letters, string(spool.AppendLetter(nil, "too large", []byte(r))))
	}
	put(t, dead, letters...)
	n, err := spool.Requeue(t.Context(), dead, live)
	if err != nil || n != 120 {
		t.Fatalf("%d moved, %v", n, err)
	}
	c := live.NewCursor()
	got, _ := take(t, c, 120)
	same(t, got, numbered(0, 120))
	c.Close()
	if p := dead.Stats().Pending; p != 0 {
		t.Errorf("%d letters are left", p)
	}

	put(t, dead, letters[0], "x")
	if n, err = spool.Requeue(t.Context(), dead, live); n != 1 || !errors.Is(err, spool.ErrLetter) {
		t.Errorf("%d moved, %v", n, err)
	}
	if p := dead.Stats().Pending; p != 1 {
		t.Errorf("%d letters are left, want the one that is none", p)
	}
	closeSpool(t, dead)
	closeSpool(t, live)
}

// intact reports whether nothing is wrong.
func intact(r *spool.CheckReport) bool {
	return len(r.Damage) == 0 && r.Missing == 0 && r.Position == ""
}

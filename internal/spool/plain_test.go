package spool_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
)

// What may stand under the name of a file. Each of them once held or misled whoever opened it.
var notPlain = map[string]func(t *testing.T, name string) error{
	"a FIFO":              func(_ *testing.T, name string) error { return syscall.Mkfifo(name, 0o600) },
	"a folder":            func(_ *testing.T, name string) error { return os.Mkdir(name, 0o700) },
	"a link to nothing":   func(_ *testing.T, name string) error { return os.Symlink(name+".target", name) },
	"a link to itself":    func(_ *testing.T, name string) error { return os.Symlink(name, name) },
	"a link to a folder":  func(_ *testing.T, name string) error { return os.Symlink(filepath.Dir(name), name) },
	"a link to a device":  func(_ *testing.T, name string) error { return os.Symlink("/dev/zero", name) },
	"a link to its bytes": func(_ *testing.T, name string) error { return os.Symlink(name+".moved", name) },
	"a socket": func(t *testing.T, name string) error {
		short := filepath.Join(t.TempDir(), "s") // a socket's name must be short
		l, err := net.Listen("unix", short)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = l.Close() })
		return os.Rename(short, name)
	},
}

// atOnce fails when what it calls hangs.
func atOnce(t *testing.T, what string, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatalf("%s hangs", what)
		return nil
	}
}

func TestWhatIsNoPlainFileIsNeitherWaitedForNorFollowed(t *testing.T) {
	m := newImage(t, 60, 3)
	names := m.segments()
	for kind, make := range notPlain {
		for _, file := range []string{"owner", "position", names[0], names[1], names[len(names)-1]} {
			t.Run(kind+" as "+file, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "spool")
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				for name, content := range m.files {
					if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				odd := filepath.Join(dir, file)
				if err := os.Rename(odd, odd+".moved"); err != nil {
					t.Fatal(err)
				}
				if err := make(t, odd); err != nil {
					t.Fatal(err)
				}
				var check spool.CheckReport
				var opened *spool.Spool
				errs := map[string]error{
					"status": atOnce(t, "status", func() error { _, err := spool.Inspect(spool.OS{}, dir); return err }),
					"check": atOnce(t, "check", func() (err error) {
						check, err = spool.Check(spool.OS{}, dir)
						return err
					}),
					"export": atOnce(t, "export", func() error {
						return spool.Export(spool.OS{}, dir, true, func(spool.Frame) error { return nil })
					}),
					"repair": atOnce(t, "repair", func() error { _, err := spool.Repair(spool.OS{}, dir, false); return err }),
					"start": atOnce(t, "start", func() (err error) {
						opened, err = spool.Open(spool.Options{Dir: dir, MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
						return err
					}),
				}
				for command, err := range errs {
					if file == "owner" && (!errors.Is(err, spool.ErrNotPlain) || !strings.Contains(err.Error(), odd) || strings.Contains(err.Error(), "\n")) {
						t.Errorf("%s: %v", command, err)
					}
					if file != "owner" && err != nil {
						t.Errorf("%s: %v", command, err)
					}
				}
				if _, err := os.Lstat(odd + ".target"); err == nil {
					t.Error("the link was followed")
				}
				if file == "owner" {
					return
				}
				if intact(&check) {
					t.Errorf("check finds nothing: %+v", check)
				}
				c := opened.NewCursor()
				want := m.records
				if file == "position" {
					want = newImageRecords(60) // all is delivered again
				}
				lost := check.Missing
				got, _ := take(t, c, len(want)-int(lost))
				if n := len(missing(t, got, want)); n != int(lost) || n > 0 != strings.HasSuffix(file, ".seg") {
					t.Errorf("%d are lost, and check has found %d", n, lost)
				}
				if next, err := c.TryNext(); next != nil || err != nil {
					t.Errorf("more comes: %v, %v", next, err)
				}
				c.Close()
				if st := opened.Stats(); st.Missing != lost {
					t.Errorf("%d counted, %d lost", st.Missing, lost)
				}
				closeSpool(t, opened)
				if _, err := os.Lstat(odd + ".bad"); err != nil {
					t.Errorf("it is not set aside: %v", err)
				}
			})
		}
	}
}

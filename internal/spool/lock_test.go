package spool_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
)

// A folder has more than one name where there are symbolic links. Its lock is not taken for another process's while this one is giving it back.
func TestAFolderThatIsBeingClosedIsKnownByAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, names := range [][2]string{{dir, dir}, {dir, link}, {link, dir}} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s := open(t, spool.Options{Dir: names[0]})
		notes, _, _, err := spool.OpenNotes(spool.NotesOptions{Dir: names[0], Fold: &listed{}})
		if err != nil {
			t.Fatal(err)
		}
		notes.Start()
		s.GiveBackAfter(notes)
		now, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if err := s.Close(now); err == nil {
			t.Error("it is given back before its plans are written")
		}
		cancel()
		if next, err := spool.Open(spool.Options{Dir: names[1]}); !errors.Is(err, spool.ErrClosing) || errors.Is(err, spool.ErrLocked) {
			t.Errorf("opened by %v: %v, %v", names, next, err)
		}
		if err := notes.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		closeSpool(t, s)
		closeSpool(t, open(t, spool.Options{Dir: names[1]}))
	}
}

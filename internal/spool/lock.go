package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ownerName is the lock of a folder. Its text names the process that holds it; the text may be stale, the lock
// is not. It is never removed: a process that waits for the old file would lock one that has no name.
const ownerName = "owner"

type owner struct {
	fs      FS
	dir     string
	program string
	file    File
}

// closing has the folders that a spool of this process is giving back. flock(2) does not tell a lock of one's own from another's, and the text in
// the file is no proof: in two containers that share a folder, two processes may have one number.
var closing sync.Map // of place

// A place is a folder, whatever name it is reached by.
type place struct {
	fs   FS
	real string
}

// takeOwnership locks dir for this process.
func takeOwnership(fsys FS, dir, program string) (*owner, error) {
	o := &owner{fs: fsys, dir: dir, program: program}
	// The offline tool holds the lock for an instant when it asks whether somebody has it. So does a child of the process that
	// had it, between its fork and its exec.
	var err error
	for try := 0; ; try++ {
		if o.file, err = fsys.Lock(filepath.Join(dir, ownerName)); err == nil {
			break
		}
		if !errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("spool %s: the file %s cannot be opened for writing: %w", dir, ownerName, err)
		}
		if try == 25 {
			if _, own := closing.Load(place{fsys, fsys.Real(dir)}); own {
				return nil, fmt.Errorf("spool %s: an earlier queue of this process has not closed it yet, because the disk is slow or does not answer: %w", dir, ErrClosing)
			}
			return nil, fmt.Errorf("spool %s: it is in use by %s: stop that process, or give this one a path of its own: %w",
				dir, readOwner(fsys, dir), err)
		}
		time.Sleep(2 * time.Millisecond)
	}
	// Who holds the lock is a service to the next one who asks; a full disk must not stop a spool that has records to deliver.
	if o.file.Truncate(0) == nil {
		_, _ = o.file.WriteAt(fmt.Appendf(nil, "%d %s\n", os.Getpid(), program), 0)
	}
	return o, nil
}

// check makes sure that the lock still guards the folder: when the folder was removed and came back, the locked
// file has no name any more and another process could lock the new one.
func (o *owner) check() error {
	if linked, err := o.file.Linked(); err == nil && linked {
		return nil
	}
	again, err := takeOwnership(o.fs, o.dir, o.program)
	if err != nil {
		return err
	}
	_ = o.file.Close()
	o.file = again.file
	return nil
}

func (o *owner) release() {
	_ = o.file.Truncate(0)
	_ = o.file.Close()
}

// readOwner says who holds the folder, in a sentence.
func readOwner(fsys FS, dir string) string {
	pid, program := ownerOf(fsys, dir)
	if pid == "" {
		return "another process"
	}
	return fmt.Sprintf("process %s (%s)", pid, program)
}

func ownerOf(fsys FS, dir string) (pid, program string) {
	f, err := fsys.OpenRead(filepath.Join(dir, ownerName))
	if err != nil {
		return "", ""
	}
	defer f.Close()
	b := make([]byte, 512)
	n, err := readFull(f, b, 0)
	if err != nil {
		return "", ""
	}
	pid, program, _ = strings.Cut(strings.TrimSpace(string(b[:n])), " ")
	return pid, program
}

func programName() string {
	if name, err := os.Executable(); err == nil {
		return filepath.Base(name)
	}
	return "unknown program"
}

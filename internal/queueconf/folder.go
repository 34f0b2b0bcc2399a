package queueconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/spool"
)

// folder is the spool folder of a queue that was read.
type folder struct {
	queue    string
	path     string // as configured
	resolved string // without symbolic links
	dead     string // its folder of dead letters, resolved
}

// folder judges the folder of a spool as the start needs it, and changes nothing: the start makes a missing one.
func (r *reader) folder(p place, s *Spool) {
	if err := usable(s.Path); err != nil {
		r.problem(p, "spool: path: %q %v", s.Path, err)
		return
	}
	if s.DeadLetter {
		if dead := filepath.Join(s.Path, spool.DeadFolder); usable(dead) != nil {
			r.problem(p, "spool: path: %q, where dead letters go, %v", dead, usable(dead))
			return
		}
	}
	for _, path := range []string{s.Path, filepath.Join(s.Path, spool.DeadFolder)} {
		if text := Exposed(path, uint32(os.Geteuid())); text != "" {
			r.warn(p, "spool: path: %s", text)
		}
	}
	// Also without dead letters: the commands for a spool look for them there, and the next configuration may have them.
	mine := folder{queue: p.queue, path: s.Path, resolved: resolve(s.Path), dead: resolve(filepath.Join(s.Path, spool.DeadFolder))}
	s.folder = mine
	for _, other := range r.config.folders {
		switch {
		case other.resolved == mine.resolved:
			r.problem(p, "spool: path: %q is the folder of queue %s, give each its own", s.Path, other.queue)
			return
		case other.dead == mine.resolved || mine.dead == other.resolved:
			r.problem(p, "spool: path: %q and %q of queue %s: one holds the dead letters of the other, give each its own", s.Path, other.path, other.queue)
			return
		case other.dead == mine.dead:
			r.problem(p, "spool: path: %q and %q of queue %s have the same folder %s, give each its own", s.Path, other.path, other.queue, mine.dead)
			return
		}
	}
	r.config.folders = append(r.config.folders, mine)
}

// Overlaps reports whether two queues with these spools cannot run side by side: they have one folder, or one holds the dead letters of
// the other. Both come from [Read] or [ReadApp].
func (s *Spool) Overlaps(other *Spool) bool {
	a, b := s.folder, other.folder
	return a.resolved == b.resolved || a.dead == b.resolved || b.dead == a.resolved || a.dead == b.dead
}

// SameFolder reports whether two spools, which come from [Read] or [ReadApp], are at one folder.
func (s *Spool) SameFolder(other *Spool) bool { return s.folder.resolved == other.folder.resolved }

// usable says why a folder cannot be used or made by this process, or returns nil.
func usable(path string) error {
	const all = 7 // read, write and search, as access(2) numbers them
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return errors.New("is a file, name a folder")
	case err == nil:
		if err := access(path, all); err != nil {
			return fmt.Errorf("cannot be read and written: %w", err)
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("cannot be looked at: %w", conf.Cause(err))
	}
	if _, err := os.Lstat(path); err == nil {
		return errors.New("is a symbolic link to nothing, remove it or make what it names")
	}
	parent := filepath.Dir(path)
	for ; ; parent = filepath.Dir(parent) {
		if _, err := os.Lstat(parent); err == nil || parent == filepath.Dir(parent) {
			break
		}
	}
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		return fmt.Errorf("cannot be made: %s is not a folder", parent)
	}
	if err := access(parent, all&^4); err != nil {
		return fmt.Errorf("does not exist and cannot be made in %s: %w", parent, err)
	}
	if holdsNoFiles(parent) {
		return fmt.Errorf("does not exist and cannot be made: %s is on a file system of the kernel", parent)
	}
	return nil
}

// Exposed says who but the user me may change what is in a folder, and what to do about it; "" is nobody, or that it is not there.
// Whoever may write a folder can remove, replace and rename the files in it.
func Exposed(path string, me uint32) string {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return ""
	}
	if of, ok := info.Sys().(*syscall.Stat_t); ok && of.Uid != me {
		return fmt.Sprintf("%q belongs to user %d, who can remove and replace its files, and the mail server is user %d: chown it to that one", path, of.Uid, me)
	}
	const others = 0o022
	if mode := info.Mode().Perm(); mode&others != 0 {
		return fmt.Sprintf("%q may be written by others (mode %04o), who can remove and replace its files: chmod it to 0700", path, mode)
	}
	return ""
}

// holdsNoFiles knows the file systems on which even root, whom access lets do all, can make nothing.
func holdsNoFiles(path string) bool {
	var stat syscall.Statfs_t
	if syscall.Statfs(path, &stat) != nil {
		return false
	}
	switch uint32(stat.Type) {
	case 0x9fa0, 0x62656572, 0x1cd1: // proc, sysfs, devpts, as statfs(2) numbers them
		return true
	}
	return false
}

// access asks for the rights of the user that this process acts as.
func access(path string, mode uint32) error {
	const atFDCWD, atEAccess = -0x64, 0x200 // part of the ABI of Linux
	return syscall.Faccessat(atFDCWD, path, mode, atEAccess)
}

// resolve follows symbolic links as far as the path exists.
func resolve(path string) string {
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if known, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(known, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

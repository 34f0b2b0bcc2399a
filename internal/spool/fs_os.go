package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// OS is the file system of the operating system. It keeps no state.
type OS struct{}

// The folder holds what customers wrote in their mails: nobody but the owner may read it.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

// Part of Linux's statfs(2): the numbers by which network file systems tell themselves apart.
const (
	magicNFS  = 0x6969
	magicSMB  = 0x517b
	magicSMB2 = 0xfe534d42
	magicCIFS = 0xff534d42
)

// MkdirAll implements [FS]. Nobody but the owner may enter what it creates.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, dirMode) }

// Real implements [FS].
func (OS) Real(dir string) string {
	if known, err := filepath.EvalSymlinks(dir); err == nil {
		return known
	}
	return dir
}

// ReadDir implements [FS].
func (OS) ReadDir(dir string) ([]Entry, error) {
	d, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY, 0) // a FIFO would be waited for
	if err != nil {
		return nil, err
	}
	found, err := d.ReadDir(-1)
	if err = errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(found))
	for _, e := range found {
		if !e.Type().IsRegular() {
			entries = append(entries, Entry{Name: e.Name()})
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // unlinked by a running plugin while the offline tool looks
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{Name: e.Name(), Size: info.Size()})
	}
	return entries, nil
}

// Open implements [FS].
func (OS) Open(name string) (File, error) { return openOS(name, os.O_RDWR) }

// OpenRead implements [FS].
func (OS) OpenRead(name string) (File, error) { return openOS(name, os.O_RDONLY) }

// Create implements [FS].
func (OS) Create(name string) (File, error) {
	return openOS(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// openOS opens a plain file and nothing else. To open a FIFO waits for its other end, to open a device may do anything, and a symbolic
// link may lead out of the folder: whoever may write the folder could hold or mislead the mail server, and a root who looks at it.
func openOS(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, fileMode)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.EISDIR) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNotPlain}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotPlain}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return osFile{f}, nil
}

// Rename implements [FS].
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements [FS].
func (OS) Remove(name string) error { return os.Remove(name) }

// SyncDir implements [FS].
func (OS) SyncDir(dir string) error {
	d, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lock implements [FS] with flock(2).
func (OS) Lock(name string) (File, error) {
	f, err := openOS(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := f.(osFile).flock(syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Locked implements [FS] with a shared flock(2), held for an instant.
func (OS) Locked(name string) (bool, error) {
	f, err := openOS(name, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = cmp.Or(f.(osFile).flock(syscall.LOCK_SH), f.Close())
	if errors.Is(err, ErrLocked) {
		return true, nil
	}
	return false, err
}

func (o osFile) flock(how int) error {
	err := o.ignoringEINTR("flock", func(fd int) error { return syscall.Flock(fd, how|syscall.LOCK_NB) })
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// Space implements [FS].
func (OS) Space(dir string) (Space, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Space{}, fmt.Errorf("statfs %s: %w", dir, err)
	}
	s := Space{Free: int64(st.Bavail) * st.Bsize}
	switch uint32(st.Type) {
	case magicNFS, magicSMB, magicSMB2, magicCIFS:
		s.Network = true
	}
	return s, nil
}

type osFile struct{ *os.File }

func (o osFile) Sync() error {
	return o.ignoringEINTR("fdatasync", func(fd int) error { return syscall.Fdatasync(fd) })
}

// Preallocate falls back to a sparse file where the file system cannot reserve blocks: a full disk is then found
// by the write, which the syncer handles as well.
func (o osFile) Preallocate(size int64) error {
	err := o.ignoringEINTR("fallocate", func(fd int) error { return syscall.Fallocate(fd, 0, 0, size) })
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return o.Truncate(size)
	}
	return err
}

func (o osFile) ignoringEINTR(call string, fn func(fd int) error) error {
	for {
		err := fn(int(o.Fd()))
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return &fs.PathError{Op: call, Path: o.Name(), Err: err}
		}
		return nil
	}
}

func (o osFile) Size() (int64, error) {
	info, err := o.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (o osFile) Linked() (bool, error) {
	info, err := o.Stat()
	if err != nil {
		return false, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || st.Nlink > 0, nil
}

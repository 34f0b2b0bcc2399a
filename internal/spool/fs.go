package spool

import "errors"

// FS is the spool's only way to the disk. Names are full paths. The operating system's is [OS]; the tests use one
// in memory that forgets, tears and fails.
type FS interface {
	// MkdirAll creates dir and its parents where they are missing.
	MkdirAll(dir string) error
	// Real returns the name of dir without symbolic links.
	Real(dir string) string
	// ReadDir lists what is in dir in no particular order. What is no plain file has no size.
	ReadDir(dir string) ([]Entry, error)
	// Open opens an existing file for reading and writing. Here and below, what is no plain file is not opened and not waited for, a
	// symbolic link is not followed, and the error is [ErrNotPlain].
	Open(name string) (File, error)
	// OpenRead opens an existing file for reading.
	OpenRead(name string) (File, error)
	// Create makes a new file for reading and writing; it fails with fs.ErrExist when there is one.
	Create(name string) (File, error)
	// Rename and Remove are durable only after SyncDir, as is Create.
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error
	// Lock opens name, creates it if need be, and holds it for this process until the file is closed or the
	// process ends; [ErrLocked] when somebody else holds it.
	Lock(name string) (File, error)
	// Locked reports whether somebody holds the lock, without creating the file. It may hold the lock for an
	// instant, which is why [Open] asks more than once.
	Locked(name string) (bool, error)
	// Space describes the file system that holds dir.
	Space(dir string) (Space, error)
}

// File is one open file.
type File interface {
	ReadAt(p []byte, off int64) (int, error)
	// WriteAt writes all of p or returns an error; after an error any part of p may have been written.
	WriteAt(p []byte, off int64) (int, error)
	// Sync makes the content and the size durable (fdatasync), not the name.
	Sync() error
	// Preallocate makes the file size bytes long and reserves its blocks, so that a full disk is found now.
	Preallocate(size int64) error
	Truncate(size int64) error
	Size() (int64, error)
	// Linked reports whether the file still has a name: what is written to a file that somebody removed is lost.
	Linked() (bool, error)
	Close() error
}

// Entry is one file of a folder.
type Entry struct {
	Name string
	Size int64
}

// Space is what the file system of a folder says about itself.
type Space struct {
	Free    int64 // bytes that this process may still use
	Network bool  // NFS, SMB and the like, where a lock and a sync may mean less than on a local disk
}

// ErrNotPlain is for a symbolic link, a FIFO, a socket, a device or a folder under the name of a file.
var ErrNotPlain = errors.New("it is not a plain file, remove it")

// ErrClosing is returned by [Open] when an earlier spool of this process has the folder, and its [Spool.Close] is not done.
var ErrClosing = errors.New("look at the disk")

// ErrLocked is returned by [FS.Lock] when another process, or another spool of this one, holds the lock.
var ErrLocked = errors.New("locked by another process")

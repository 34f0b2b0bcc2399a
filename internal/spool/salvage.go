package spool

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// Bytes that the spool does not understand are kept beside the segment that they were in, for a person to look
// at: NAME.seg.OFFSET.bad from the middle, NAME.seg.OFFSET.torn from the end of the last segment, NAME.seg.bad for
// a whole segment. Nothing reads them, and nothing but a person removes them.
const (
	badSuffix  = ".bad"
	tornSuffix = ".torn"
)

func keptName(segment string, off int64, suffix string) string {
	return fmt.Sprintf("%s.%d%s", segment, off, suffix)
}

// keepBytes copies from..to of f to a file called name in dir and makes it durable. A file of that name is the
// rest of a copy that a crash cut short, or the same bytes: it is written again.
func keepBytes(fsys FS, dir, name string, f File, from, to int64) error {
	path := filepath.Join(dir, name)
	if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := fsys.Create(path)
	if err != nil {
		return err
	}
	if _, err = io.Copy(io.NewOffsetWriter(out, 0), io.NewSectionReader(f, from, to-from)); err == nil {
		err = out.Sync()
	}
	err = cmp.Or(err, out.Close())
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		_ = fsys.Remove(path)
	}
	return err
}

// lastNonZero returns the end of the content of f between from and to: preallocated space is not worth keeping.
func lastNonZero(f File, from, to int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for to > from {
		n := min(int64(len(buf)), to-from)
		got, err := readFull(f, buf[:n], to-n)
		if err != nil {
			return 0, err
		}
		to -= n
		if content := bytes.TrimRight(buf[:got], "\x00"); len(content) > 0 {
			return to + int64(len(content)), nil
		}
	}
	return from, nil
}

package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// read fills the fold from the newest file that has a snapshot.
//
// A new file gets its snapshot before the old one is removed, so a file without one beside an older one was cut short in the making. Alone, it has lost
// what it had.
func (n *Notes) read() (found bool, damage, err error) {
	files, err := listNotes(n.opts.FS, n.opts.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, fmt.Errorf("spool %s: the folder cannot be read: %w", n.opts.Dir, err)
	}
	for _, f := range files {
		n.ord = max(n.ord, f.ord+1)
	}
	var unread, unmade error
	var bad []string
	defer func() {
		if err == nil { // else the folder is left as it is
			n.keep(bad)
		}
	}()
	for _, f := range files {
		whole, damage, err := n.readFile(f)
		switch {
		case errors.Is(err, errSegmentVersion):
			return false, nil, fmt.Errorf("spool %s: the file %s was written by another version of this program, and is left alone: "+
				"install that version, or move the folder away: %w", n.opts.Dir, f.name, err)
		case err != nil:
			unread = errors.Join(unread, fmt.Errorf("%s cannot be read: %w", f.name, err))
			bad = append(bad, f.name)
		case whole && unread == nil:
			if damage != nil {
				bad = append(bad, f.name)
			}
			return true, damage, nil
		case whole:
			return true, unread, nil // a newer one was there, and cannot be read
		case damage != nil:
			unmade = errors.Join(unmade, damage)
			bad = append(bad, f.name)
		}
	}
	unread = errors.Join(unread, unmade)
	return unread != nil, unread, nil
}

// keep sets files aside for a person to look at.
func (n *Notes) keep(names []string) {
	for _, name := range names {
		path := filepath.Join(n.opts.Dir, name)
		if n.opts.FS.Rename(path, path+badSuffix) == nil {
			_ = n.opts.FS.SyncDir(n.opts.Dir)
		}
	}
}

// readFile applies what one file has. whole says whether its snapshot is there. damage is what is wrong where something durable
// may be lost; err is that of a disk that cannot be read.
func (n *Notes) readFile(file notesFile) (whole bool, damage, err error) {
	f, err := n.opts.FS.OpenRead(filepath.Join(n.opts.Dir, file.name))
	if err != nil {
		return false, nil, err
	}
	defer f.Close()
	head, _, err := readSegmentHead(f)
	switch {
	case errors.Is(err, errSegmentEmpty):
		return false, nil, nil
	case errors.Is(err, errSegmentHeader):
		return false, fmt.Errorf("%s: %w", file.name, err), nil
	case err != nil:
		return false, nil, err
	}
	source := newBlocks(chunkBytes)
	sc := newScanner(f, head, source)
	defer sc.release()
	sc.limit = file.size
	for {
		got, err := sc.next()
		if err != nil {
			return whole, nil, err
		}
		switch got.what {
		case foundFrame:
			if damage != nil {
				// The commit behind was written after the one before was synced.
				return whole, damage, nil
			}
			if err := n.opts.Fold.Apply(got.payload); err != nil {
				return true, fmt.Errorf("%s: commit %d: %w", file.name, got.head.seq, err), nil
			}
			whole = true
			n.seq = max(n.seq, got.head.seq+1)
		case foundBad:
			damage = fmt.Errorf("%s: %d bytes at %d: %w", file.name, got.to-got.from, got.from, got.reason)
		case foundEnd:
			if whole {
				return true, nil, nil // what is bad at the end was never answered
			}
			return false, damage, nil
		}
	}
}

package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sort"
)

// recover reads what the last process left. Its cost does not grow with the backlog: the position file, the names
// of the segments, and the part of the last segment behind the hint in the position file.
//
// No segment is ever appended to again. What a crash may have torn is then always the end of the segment that was
// the last one, and a start needs no space on the disk. [Notes] do, before what they are for goes on.
func (s *Spool) recover() error {
	s.k.ended = make(chan struct{})
	segs, err := listSegments(s.fs, s.opts.Dir)
	if err != nil {
		return fmt.Errorf("spool %s: the folder cannot be read: %w", s.opts.Dir, err)
	}
	pos, err := s.loadPosition()
	if err != nil {
		return err
	}
	s.found = pos.generation
	s.w.ord = pos.hint.ord + 1 // also when nothing is left: an unlinked segment may come back with a power cut
	for _, g := range segs {
		s.w.ord = max(s.w.ord, g.ord+1)
	}
	s.next = max(pos.next, 1)
	segs, odd := inOrder(s.fs, s.opts.Dir, segs, pos.hint, s.disk)
	for _, g := range odd {
		s.next = max(s.next, g.first) // if it is the last one, what was given out before it
		if err := s.setAside(g, errSegmentOrder); err != nil {
			s.say("disorder", "a segment that is left out cannot be set aside", fmt.Errorf("segment %s: %w", s.path(g.name), err))
		}
	}
	s.begun, s.hint = pos.hint, pos.hint
	if n := len(segs); n > 0 {
		last := segs[n-1]
		// Even when the file turns out to be empty, its name says that everything before was given out.
		s.next = max(s.next, last.first)
		if err := s.recoverLast(last, pos.hint); err != nil {
			return err
		}
		s.next = max(s.next, last.end)
	}
	s.answered = s.next - 1
	s.w.durable = s.answered

	s.acks = pos.acks
	s.resolveOutside(segs, pos.hint)
	s.segs = slices.Clone(segs)
	for _, g := range segs {
		s.bytes += g.size
		g.acked = s.acks.count(g.first, g.end)
		s.retireLocked(g)
	}
	return nil
}

// loadPosition reads the position file. Damage in it costs duplicates only, and is logged. But a file that cannot
// be read now must not come back later: sequences above the last one in the segments may be given out again, and
// its acknowledgements would then hide new records. So it is set aside.
func (s *Spool) loadPosition() (position, error) {
	none := position{acks: newAcks(1)}
	f, err := s.fs.Open(s.path(positionName))
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err == nil {
		var p position
		var slot int
		var damage error
		p, slot, damage, err = readPosition(f)
		if slot >= 0 {
			s.k.file, s.k.generation, s.k.slot = f, p.generation, 1-slot
			if damage != nil {
				s.say("position-slot", "one slot of the position is damaged and the other one serves, records may be delivered again", damage)
			}
			return p, nil
		}
		_ = f.Close()
		switch {
		case err == nil:
			return none, nil
		case errors.Is(err, errPositionVersion):
			return none, fmt.Errorf("spool %s: the file %s was written by another version of this program, and is left alone: "+
				"install that version, or move the folder away: %w", s.opts.Dir, positionName, err)
		}
	}
	s.say("position-lost", "the checkpoint is unreadable, records that were delivered may be delivered again; it is kept as "+
		positionName+badSuffix, err)
	if rerr := s.fs.Rename(s.path(positionName), s.path(positionName+badSuffix)); rerr != nil {
		return none, fmt.Errorf("spool %s: the file %s can neither be read nor set aside: %w", s.opts.Dir, positionName, errors.Join(err, rerr))
	}
	if rerr := s.fs.SyncDir(s.opts.Dir); rerr != nil {
		return none, fmt.Errorf("spool %s: the folder cannot be synced: %w", s.opts.Dir, rerr)
	}
	return none, nil
}

// listSegments returns the segments of dir by ordinal.
func listSegments(fsys FS, dir string) ([]*segment, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segs []*segment
	for _, e := range entries {
		if ord, first, ok := parseSegmentName(e.Name); ok {
			segs = append(segs, &segment{name: e.Name, ord: ord, first: first, size: e.Size})
		}
	}
	slices.SortFunc(segs, func(a, b *segment) int { return cmp.Or(cmp.Compare(a.ord, b.ord), cmp.Compare(a.first, b.first)) })
	return segs, nil
}

// inOrder parts segments, which are in the order of their ordinals, into those whose first sequences are in order, too, and the others: no
// run of this program leaves such a folder, somebody copied a file into it. One whose header is that of another segment is odd; without
// that, the fewest are. The last one is odd, too, when all that is in it belongs to another: it would end the range of the one before.
// It sets the ranges of the good ones.
func inOrder(fsys FS, dir string, segs []*segment, h hint, source *blocks) (good, odd []*segment) {
	if !slices.IsSortedFunc(segs, func(a, b *segment) int { return cmp.Compare(a.first, b.first) }) {
		segs = slices.DeleteFunc(segs, func(g *segment) bool {
			another := namesAnother(fsys, dir, g)
			if another {
				odd = append(odd, g)
			}
			return another
		})
	}
	for n := len(segs) - 1; n >= 0; n-- {
		segs[n].end = openEnd
		if !namesAnother(fsys, dir, segs[n]) || !stranger(fsys, dir, segs[n], h, source) {
			break
		}
		segs, odd = segs[:n], append(odd, segs[n])
	}
	// The longest run in order: ends[n] is the index of the segment that ends the best one of n+1 segments, before[i] what stands before i in its own.
	var ends []int
	before := make([]int, len(segs))
	for i, g := range segs {
		n := sort.Search(len(ends), func(n int) bool { return segs[ends[n]].first > g.first })
		if before[i] = -1; n > 0 {
			before[i] = ends[n-1]
		}
		ends = slices.Replace(ends, n, min(n+1, len(ends)), i)
	}
	in := make([]bool, len(segs))
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i >= 0; i = before[i] {
			in[i] = true
		}
	}
	for i, g := range segs {
		if !in[i] {
			odd = append(odd, g)
			continue
		}
		if n := len(good); n > 0 {
			good[n-1].end = g.first
		}
		g.end = openEnd
		good = append(good, g)
	}
	return good, odd
}

// namesAnother reports whether the header of g is whole and not that which its name tells.
func namesAnother(fsys FS, dir string, g *segment) bool {
	head, err := headOf(fsys, filepath.Join(dir, g.name))
	return err == nil && (head.ord != g.ord || head.first != g.first)
}

// headOf reads the header of a segment.
func headOf(fsys FS, path string) (segmentHead, error) {
	f, err := fsys.OpenRead(path)
	if err != nil {
		return segmentHead{}, err
	}
	defer f.Close()
	head, _, err := readSegmentHead(f)
	return head, err
}

// stranger reports whether no frame of g belongs to its name.
func stranger(fsys FS, dir string, g *segment, h hint, source *blocks) bool {
	f, err := fsys.OpenRead(filepath.Join(dir, g.name))
	if err != nil {
		return false
	}
	defer f.Close()
	_, _, err = readHead(f, g, h, source, false)
	return errors.Is(err, errSegmentName)
}

var errSegmentOrder = errors.New("it does not belong between the segments before and after it")

// setAside renames a segment that cannot be read, with all that is in it. What was in it is resolved by the caller.
func (s *Spool) setAside(g *segment, why error) error {
	err := s.fs.Rename(s.path(g.name), s.path(g.name+badSuffix))
	if err == nil {
		err = s.fs.SyncDir(s.opts.Dir)
	}
	if err != nil {
		return errors.Join(why, err)
	}
	s.mu.Lock()
	s.damagedLocked(g, g.size, false)
	s.mu.Unlock()
	s.say("set-aside", "a segment cannot be read and is kept as "+g.name+badSuffix, why)
	return nil
}

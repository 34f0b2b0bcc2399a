package spool

import (
	"errors"
	"io/fs"
)

// CheckReport is what Check finds.
type CheckReport struct {
	Report
	Frames  uint64 // good ones, acknowledged or not
	Damage  []Damage
	Missing uint64 // pending records that no segment has
}

// Damage is a place in a segment that holds no frames but should.
type Damage struct {
	Segment  string
	From, To int64
	Reason   string
	Torn     bool // at the end of the last segment: what was being written when the machine stopped
	Header   bool // of the segment: one or both of its two copies, or all of the file
	Foreign  bool // another version of this program wrote it
	end      bool // nothing follows in the file
	whole    bool // nothing in the file can be read, or nothing in it belongs here
}

// Check reads every frame of every segment. It changes nothing. While a plugin runs on the folder, a write that is
// under way at the end of the last segment is not called damage.
func Check(fsys FS, dir string) (CheckReport, error) {
	o, err := look(fsys, dir)
	if err != nil {
		return CheckReport{Report: o.report}, err
	}
	return o.walk(func(found) error { return nil })
}

// walk visits every frame of every segment in order, and reports what else it finds.
func (o *offline) walk(visit func(found) error) (report CheckReport, err error) {
	report = CheckReport{Report: o.report, Missing: o.lost}
	for _, g := range o.odd {
		report.Damage = append(report.Damage, Damage{Segment: g.name, To: g.size, Reason: errSegmentOrder.Error(), Header: true, whole: true})
	}
	// gap counts the pending records among from..to-1, which should have been there.
	gap := func(from, to uint64) {
		if from < to {
			report.Missing += to - from - o.pos.acks.count(from, to)
		}
	}
	for i, g := range o.segs {
		last := i == len(o.segs)-1
		want := g.first
		err := o.with(g, func(f File, head segmentHead, damage string) error {
			if damage != "" {
				report.Damage = append(report.Damage, Damage{Segment: g.name, To: segmentStart, Reason: damage, Header: true})
			}
			sc := newScanner(f, head, o.source)
			defer sc.release()
			sc.limit, sc.hi = g.size, g.end
			if last {
				sc.limit = o.tail.good // as the start does, so that both see the same in what is before it
			}
			for end := false; !end; {
				got, err := sc.next()
				if err != nil {
					return err
				}
				switch got.what {
				case foundEnd:
					end = true
				case foundFrame:
					report.Frames++
					gap(want, got.head.seq)
					want = got.head.seq + 1
					if err := visit(got); err != nil {
						return err
					}
				case foundBad:
					report.Damage = append(report.Damage, Damage{
						Segment: g.name, From: got.from, To: got.to, Reason: got.reason.Error(), end: got.to == sc.limit,
					})
				}
			}
			// No good frame follows: whatever it is, it is one torn end. While a plugin runs it is a write that is under way.
			if t := o.tail; last && t.torn > t.good && !o.report.Running {
				report.Damage = append(report.Damage, Damage{Segment: g.name, From: t.good, To: t.torn, Reason: t.reason.Error(), Torn: true, end: true})
			}
			return nil
		})
		switch {
		case err == nil:
			gap(want, g.end)
		case !unreadable(err):
			return report, err
		case errors.Is(err, errSegmentVersion):
			report.Damage = append(report.Damage, Damage{
				Segment: g.name, To: g.size, Header: true, Foreign: true,
				Reason: "another version of this program wrote it, which is needed to deliver what is in it: " + errors.Unwrap(err).Error(),
			})
		case errors.Is(err, errSegmentEmpty):
			gap(want, g.end) // its creation was cut short, or all of it was zeroed
		case !o.report.Running || errors.Is(err, errSegmentHeader):
			report.Damage = append(report.Damage, Damage{Segment: g.name, To: g.size, Reason: reason(err), Header: true, whole: true})
			gap(want, g.end)
		}
	}
	return report, nil
}

// reason is err without the names of the folder and the file.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return errors.Unwrap(err).Error()
}

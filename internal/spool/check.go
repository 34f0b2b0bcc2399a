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
	Header   bool // of the segment: all of it when From..To is the whole file, one or both of its two copies otherwise
	Foreign  bool // another version of this program wrote it
	end      bool // nothing follows in the file
}

// Check reads every frame of every segment. It changes nothing. While a plugin runs on the folder, a write that is
// under way at the end of the last segment is not called damage.
func Check(fsys FS, dir string) (CheckReport, error) {
	o, err := look(fsys, dir)
	report := CheckReport{Report: o.report}
	if err != nil {
		return report, err
	}
	err = o.walk(func(_ *segment, got found) error {
		if got.what == foundFrame {
			report.Frames++
		}
		return nil
	}, &report)
	return report, err
}

// walk visits everything in every segment in order. When report is given, damage and gaps go there.
func (o *offline) walk(visit func(*segment, found) error, report *CheckReport) error {
	if report != nil {
		report.Missing += o.lost
		for _, g := range o.odd {
			report.Damage = append(report.Damage, Damage{Segment: g.name, To: g.size, Reason: errSegmentOrder.Error(), Header: true})
		}
	}
	for i, g := range o.segs {
		last := i == len(o.segs)-1
		want := g.first
		err := o.with(g, func(f File, head segmentHead, damage string) error {
			if damage != "" && report != nil {
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
				switch end = got.what == foundEnd; {
				case got.what == foundFrame:
					o.gap(report, want, got.head.seq)
					want = got.head.seq + 1
				case got.what == foundBad && report != nil:
					report.Damage = append(report.Damage, Damage{
						Segment: g.name, From: got.from, To: got.to, Reason: got.reason.Error(), end: got.to == sc.limit,
					})
				}
				if err := visit(g, got); err != nil {
					return err
				}
			}
			// No good frame follows: whatever it is, it is one torn end. While a plugin runs it is a write that is under way.
			if t := o.tail; last && report != nil && t.torn > t.good && !o.report.Running {
				report.Damage = append(report.Damage, Damage{Segment: g.name, From: t.good, To: t.torn, Reason: t.reason.Error(), Torn: true, end: true})
			}
			return nil
		})
		switch {
		case err == nil:
			o.gap(report, want, g.end)
		case !unreadable(err):
			return err
		case report != nil && errors.Is(err, errSegmentVersion):
			report.Damage = append(report.Damage, Damage{
				Segment: g.name, To: g.size, Header: true, Foreign: true,
				Reason: "another version of this program wrote it, which is needed to deliver what is in it: " + errors.Unwrap(err).Error(),
			})
		case report != nil && errors.Is(err, errSegmentEmpty):
			o.gap(report, want, g.end) // its creation was cut short, or all of it was zeroed
		case report != nil && (!o.report.Running || errors.Is(err, errSegmentHeader)):
			report.Damage = append(report.Damage, Damage{Segment: g.name, To: g.size, Reason: reason(err), Header: true})
			o.gap(report, want, g.end)
		}
	}
	return nil
}

// reason is err without the names of the folder and the file.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return errors.Unwrap(err).Error()
}

// gap counts the pending records among from..to-1, which should have been there.
func (o *offline) gap(report *CheckReport, from, to uint64) {
	if report != nil && from < to {
		report.Missing += to - from - o.pos.acks.count(from, to)
	}
}

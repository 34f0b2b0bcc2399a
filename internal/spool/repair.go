package spool

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// Action is one kind of repair.
type Action string

// The kinds of repairs. Each keeps a copy of what it changes.
const (
	ActionCut      Action = "cut"       // the torn end of the last segment, kept as .torn
	ActionFill     Action = "fill"      // a damaged place, kept as .bad, then marked as a place to skip
	ActionHeader   Action = "header"    // the damaged copy of a segment header is written from the other
	ActionSetAside Action = "set aside" // a file that nothing can read is renamed to .bad
)

// Step is one repair.
type Step struct {
	Action   Action
	File     string // in the folder
	From, To int64
	Kept     string // file that keeps the bytes; empty when none are lost
	Why      string
}

func (s Step) String() string {
	text := fmt.Sprintf("%s %s, bytes %d to %d: %s", s.Action, s.File, s.From, s.To, s.Why)
	if s.Kept != "" {
		text += "; kept as " + s.Kept
	}
	return text
}

// Plan is what Repair would do, or has done.
type Plan struct {
	Steps   []Step
	Applied bool
	Missing uint64 // pending records that no repair brings back
}

// Repair plans what makes Check come out clean, and does it only when apply is true. A plugin works on a damaged
// spool without it: it steps over the same places. It then refuses while another process holds the folder, and
// does not undo what it did before an error; a second run does the rest.
func Repair(fsys FS, dir string, apply bool) (Plan, error) {
	if apply {
		dir = filepath.Clean(dir)
		if _, err := Inspect(fsys, dir); err != nil {
			return Plan{}, err // not a spool: leave no owner file behind
		}
		own, err := takeOwnership(fsys, dir, "repair")
		if err != nil {
			return Plan{}, err
		}
		defer own.release()
	}
	plan, o, err := planRepair(fsys, dir)
	if err != nil || !apply {
		return plan, err
	}
	all := Plan{Missing: plan.Missing, Applied: true}
	// A file that is set aside bounds the one before it no more, and what comes to light there may be damaged, too.
	for round := 0; len(plan.Steps) > 0 && round < repairRounds; round++ {
		for _, step := range plan.Steps {
			all.Steps = append(all.Steps, step)
			if err := o.apply(step); err != nil {
				return all, fmt.Errorf("spool %s: %s: %w", dir, step, err)
			}
		}
		if plan, o, err = planRepair(fsys, dir); err != nil {
			return all, err
		}
	}
	return all, nil
}

const repairRounds = 4

func planRepair(fsys FS, dir string) (Plan, *offline, error) {
	o, err := look(fsys, dir)
	if err != nil {
		return Plan{}, nil, err
	}
	o.report.Running = false // if it is this process, the end of the last segment stands still
	report, err := o.walk(func(found) error { return nil })
	if err != nil {
		return Plan{}, nil, err
	}
	plan := Plan{Missing: report.Missing}
	for _, d := range report.Damage {
		if d.Foreign {
			continue // it is whole, and not ours to judge
		}
		// No frame is that small, so nothing is lost in such a place, and no filler fits in: it stays.
		if d.end || d.Torn || d.Header || d.To-d.From >= frameHeader {
			plan.Steps = append(plan.Steps, stepFor(d))
		}
	}
	if report.Position != "" && !o.later {
		plan.Steps = append(plan.Steps, Step{
			Action: ActionSetAside, File: positionName, To: positionBytes, Kept: positionName + badSuffix,
			Why: "every record will be delivered again: " + report.Position,
		})
	}
	return plan, o, nil
}

func stepFor(d Damage) Step {
	step := Step{File: d.Segment, From: d.From, To: d.To, Why: d.Reason}
	switch {
	case d.whole:
		step.Action, step.Kept = ActionSetAside, d.Segment+badSuffix
	case d.Header:
		step.Action = ActionHeader
	case d.Torn:
		step.Action, step.Kept = ActionCut, keptName(d.Segment, d.From, tornSuffix)
	default:
		step.Action, step.Kept = ActionFill, keptName(d.Segment, d.From, badSuffix)
	}
	return step
}

// apply does one step. The order within it is: keep, sync, change, sync.
func (o *offline) apply(step Step) error {
	path := filepath.Join(o.dir, step.File)
	if step.Action == ActionSetAside {
		if err := o.fs.Rename(path, path+badSuffix); err != nil {
			return err
		}
		return o.fs.SyncDir(o.dir)
	}
	f, err := o.fs.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	i := slices.IndexFunc(o.segs, func(g *segment) bool { return g.name == step.File })
	if i < 0 {
		return errors.New("it is no segment")
	}
	head, _, err := readHead(f, o.segs[i], o.pos.hint, o.source, true)
	if err != nil {
		return err
	}
	if step.Kept != "" {
		if err := keepBytes(o.fs, o.dir, step.Kept, f, step.From, step.To); err != nil {
			return err
		}
	}
	switch step.Action {
	case ActionHeader:
		_, err = f.WriteAt(head.encode(), 0)
	case ActionCut:
		err = f.Truncate(step.From)
	case ActionFill:
		err = fill(f, head, step.From, step.To)
	}
	if err == nil {
		err = f.Sync()
	}
	return err
}

// fill writes one frame over from..to that says: skip this. Where none fits, it is the end of the file, and is cut.
func fill(f File, head segmentHead, from, to int64) error {
	length := to - from - frameHeader
	if length < 0 || length > MaxPayload || (to-from)%frameAlign != 0 {
		size, err := f.Size()
		if err != nil {
			return err
		}
		if to < size {
			return fmt.Errorf("%d bytes follow a place of %d bytes that no frame can fill", size-to, to-from)
		}
		return f.Truncate(from)
	}
	b := appendFrame(nil, head.salt, header{kind: kindFiller, seq: head.first, time: head.created}, make([]byte, length))
	_, err := f.WriteAt(b, from)
	return err
}

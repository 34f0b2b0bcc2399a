package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/spool"
)

const spoolCheckHelp = `usage: halon-kafka spool check [--json] DIR

Reads every record of a queue's spool and of its dead letters, and says what is wrong: each damaged place with its
file and bytes, records that should be there and are not, and records that this program cannot read. DIR is the path
in the queue's configuration. It only reads, also while the mail server runs.

Damage costs the records in it and no others: the plugin steps over it, counts it and keeps the bytes. What is torn at
the end of the last segment was being written when the machine stopped, and the write was never acknowledged.

  --json   one JSON object:
             {"dir":"...","running":false,"frames":60,"segments":4,"pending":60,"missing":1,"position":"",
              "damage":[{"file":"...","from":1024,"to":1064,"torn":false,"reason":"..."}],
              "unreadable":[{"seq":7,"reason":"..."}],"warnings":["..."],"dead":{...}}
           frames counts good records, also those that are acknowledged; missing counts pending records that no file
           has; warnings are about who may write the folder, and change no exit status; dead is the same of the dead letters, null when there are none

Exit status: 0 fine, 1 something is wrong, 2 usage, or no spool in that folder.
`

func spoolCheck(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	asJSON := fs.Bool("json", false, "")
	dir, status, ok := spoolFlags(fs, args, t)
	if !ok {
		return status
	}
	p := t.progress(fs.Name())
	size, letters := p.bytesOf(dir), p.bytesOf(deadFolder(dir))
	p.begin(size, size, letters, letters)
	live, err := checkFolder(dir, false, p)
	if err != nil {
		p.end()
		return spoolFailed(t, fs.Name(), err)
	}
	dead, err := checkFolder(deadFolder(dir), true, p)
	p.end()
	if err != nil && !noSpool(err) {
		return spoolFailed(t, fs.Name(), err)
	}
	if err == nil {
		live.Dead = dead
	}
	if *asJSON {
		err = writeJSON(t.Out, live)
	} else {
		err = live.write(t.Out)
	}
	if err != nil {
		return spoolFailed(t, fs.Name(), err)
	}
	if !live.fine() {
		return exitWrong
	}
	return exitFine
}

// checked is what check found. Its JSON is part of the interface.
type checked struct {
	Dir        exact            `json:"dir"`
	Running    bool             `json:"running"`
	Frames     uint64           `json:"frames"`
	Segments   int              `json:"segments"`
	Pending    uint64           `json:"pending"`
	Missing    uint64           `json:"missing"`
	Position   exact            `json:"position"`
	Damage     []damageJSON     `json:"damage"`
	Unreadable []unreadableJSON `json:"unreadable"`
	Warnings   []exact          `json:"warnings"`
	Dead       *checked         `json:"dead"`
}

type damageJSON struct {
	File   exact `json:"file"`
	From   int64 `json:"from"`
	To     int64 `json:"to"`
	Torn   bool  `json:"torn"`
	Reason exact `json:"reason"`
}

type unreadableJSON struct {
	Seq    uint64 `json:"seq"`
	Reason exact  `json:"reason"`
}

// checkFolder walks the frames, and then the records in those that are good: a frame can be whole and hold what
// another version wrote.
func checkFolder(dir string, letters bool, p *progress) (*checked, error) {
	r, err := spool.Check(p.reads(), dir)
	p.next()
	if err != nil {
		return nil, err
	}
	c := &checked{
		Dir: exact(r.Dir), Running: r.Running, Frames: r.Frames, Segments: len(r.Segments), Pending: r.Pending, Missing: r.Missing,
		Position: exact(r.Position), Damage: []damageJSON{}, Unreadable: []unreadableJSON{}, Warnings: []exact{},
	}
	if text := queueconf.Exposed(dir, userOf(dir)); text != "" {
		c.Warnings = append(c.Warnings, exact(text))
	}
	for _, d := range r.Damage {
		c.Damage = append(c.Damage, damageJSON{exact(d.Segment), d.From, d.To, d.Torn, exact(d.Reason)})
	}
	err = spool.Export(p.reads(), dir, false, func(f spool.Frame) error {
		var r record.Record
		if _, err := decodeFrame(f, letters, &r); err != nil {
			c.Unreadable = append(c.Unreadable, unreadableJSON{f.Seq, exact(err.Error())})
			if len(c.Unreadable) == maxUnreadable {
				return errEnough
			}
		}
		return nil
	})
	p.next()
	if errors.Is(err, errEnough) {
		err = nil
	}
	return c, err
}

// maxUnreadable bounds the list: a spool of another version has nothing else.
const maxUnreadable = 100

var errEnough = errors.New("enough")

func (c *checked) fine() bool {
	return len(c.Damage) == 0 && len(c.Unreadable) == 0 && c.Missing == 0 && c.Position == "" && (c.Dead == nil || c.Dead.fine())
}

// write prints a line for each thing that is wrong, and one for each folder.
func (c *checked) write(w io.Writer) error {
	dir := oneLine(string(c.Dir))
	if c.Position != "" {
		fmt.Fprintf(w, "%s: the file position cannot be used, all records will be sent again: %s\n", dir, c.Position)
	}
	for _, text := range c.Warnings {
		fmt.Fprintf(w, "%s: warning: %s\n", dir, oneLine(string(text)))
	}
	for _, d := range c.Damage {
		torn := ""
		if d.Torn {
			torn = ", torn at the end: it was being written when the machine stopped"
		}
		fmt.Fprintf(w, "%s: %s, bytes %d to %d: %s%s\n", dir, d.File, d.From, d.To, d.Reason, torn)
	}
	for _, u := range c.Unreadable {
		fmt.Fprintf(w, "%s: sequence %d: %s\n", dir, u.Seq, u.Reason)
	}
	if len(c.Unreadable) == maxUnreadable {
		fmt.Fprintf(w, "%s: no more unreadable records are listed than these %d\n", dir, maxUnreadable)
	}
	_, err := fmt.Fprintf(w, "%s: %s in %s, %d pending, %s, %s missing\n", dir, plural(int(c.Frames), "record"), plural(c.Segments, "segment"),
		c.Pending, plural(len(c.Damage), "damaged place"), plural(int(c.Missing), "record"))
	if c.Dead != nil && err == nil {
		err = c.Dead.write(w)
	}
	return err
}

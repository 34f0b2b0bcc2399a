package operator

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/spool"
)

const spoolStatusHelp = `usage: halon-kafka spool status [--json] DIR

Says what is in a queue's spool and who uses it. DIR is the path in the queue's configuration. It only reads, also
while the mail server runs, and reads little, however large the backlog is: spool check is the one that reads all.

  --json   one JSON object:
             {"dir":"...","running":true,"pid":"4711","program":"smtpd","pending":80,"bytes":67108864,"segments":1,
              "oldest":"2026-01-02T15:04:05Z","oldest_age_seconds":133,"frontier":21,"next":101,"position":"",
              "kept":[{"name":"...","bytes":40}],"free_bytes":123456,
              "files":[{"name":"...","first":1,"end":101,"bytes":67108864,"pending":80}],"dead":{...}}
           pending counts records that Kafka has not acknowledged; oldest is when the oldest of them was
           appended, null when none is pending; position says why the file position cannot be used; kept are files with
           damaged bytes that were set aside for a person; dead is the same of the dead letters, null when there are none

Exit status: 0 fine, 1 something is wrong, 2 usage, or no spool in that folder.
`

func spoolStatus(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	asJSON := fs.Bool("json", false, "")
	dir, status, ok := spoolFlags(fs, args, t)
	if !ok {
		return status
	}
	live, err := spool.Inspect(disk, dir)
	if err != nil {
		return spoolFailed(t, fs.Name(), err)
	}
	var dead *spool.Report
	letters, err := spool.Inspect(disk, deadFolder(dir))
	switch {
	case err == nil:
		dead = &letters
	case !noSpool(err):
		return spoolFailed(t, fs.Name(), err)
	}
	now := time.Now()
	if *asJSON {
		out := statusOf(&live, now)
		if dead != nil {
			out.Dead = statusOf(dead, now)
		}
		err = writeJSON(t.Out, out)
	} else {
		err = writeStatus(t.Out, &live, dead, now)
	}
	if err != nil {
		return spoolFailed(t, fs.Name(), err)
	}
	if live.Position != "" || dead != nil && dead.Position != "" {
		return exitWrong
	}
	return exitFine
}

// writeStatus is the table for people.
func writeStatus(w io.Writer, live, dead *spool.Report, now time.Time) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(tw, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("spool", "%s", oneLine(live.Dir))
	row("owner", "%s", ownerText(live))
	row("pending", "%s", pendingText(live, "record", now))
	row("on disk", "%s in %s; %s free", report.Size(live.Bytes), plural(len(live.Segments), "segment"), report.Size(live.Free))
	row("sequences", "all below %d are acknowledged; the next is %d", live.Frontier, live.Next)
	if dead == nil {
		row("dead letters", "none")
	} else {
		row("dead letters", "%s", pendingText(dead, "letter", now))
	}
	row("damage", "%s", damageText(live, dead))
	return tw.Flush()
}

func ownerText(r *spool.Report) string {
	switch {
	case r.Running:
		return "in use by " + holder(r)
	case r.PID != "":
		return "not in use; " + holder(r) + " used it last, and its shutdown was unclean"
	}
	return "not in use"
}

func pendingText(r *spool.Report, noun string, now time.Time) string {
	text := plural(int(r.Pending), noun)
	if r.Pending == 0 {
		return "none"
	}
	if !r.Oldest.IsZero() {
		text += fmt.Sprintf(", the oldest %s old (%s)", report.Age(now.Sub(r.Oldest)), r.Oldest.Format(time.RFC3339))
	}
	return text
}

// damageText says what can be seen without reading everything.
func damageText(live, dead *spool.Report) string {
	var all []string
	for _, r := range []*spool.Report{live, dead} {
		if r == nil {
			continue
		}
		in := ""
		if r == dead {
			in = " in " + spool.DeadFolder
		}
		if r.Position != "" {
			all = append(all, "the file position"+in+" cannot be used: "+r.Position)
		}
		if len(r.Kept) > 0 {
			var bytes int64
			for _, k := range r.Kept {
				bytes += k.Size
			}
			all = append(all, fmt.Sprintf("%s%s with %s that were set aside, such as %s", plural(len(r.Kept), "file"), in, report.Size(bytes), r.Kept[0].Name))
		}
	}
	if len(all) == 0 {
		return "none seen; spool check reads all"
	}
	return strings.Join(all, "; ")
}

// statusJSON is the JSON of spool status.
type statusJSON struct {
	Dir      exact         `json:"dir"`
	Running  bool          `json:"running"`
	PID      exact         `json:"pid"`
	Program  exact         `json:"program"`
	Pending  uint64        `json:"pending"`
	Bytes    int64         `json:"bytes"`
	Segments int           `json:"segments"`
	Oldest   *string       `json:"oldest"`
	Age      *int64        `json:"oldest_age_seconds"`
	Frontier uint64        `json:"frontier"`
	Next     uint64        `json:"next"`
	Position exact         `json:"position"`
	Kept     []keptJSON    `json:"kept"`
	Free     int64         `json:"free_bytes"`
	Files    []segmentJSON `json:"files"`
	Dead     *statusJSON   `json:"dead"`
}

type keptJSON struct {
	Name  exact `json:"name"`
	Bytes int64 `json:"bytes"`
}

type segmentJSON struct {
	Name    string `json:"name"`
	First   uint64 `json:"first"`
	End     uint64 `json:"end"`
	Bytes   int64  `json:"bytes"`
	Pending uint64 `json:"pending"`
}

func statusOf(r *spool.Report, now time.Time) *statusJSON {
	out := &statusJSON{
		Dir: exact(r.Dir), Running: r.Running, PID: exact(r.PID), Program: exact(r.Program), Pending: r.Pending, Bytes: r.Bytes,
		Segments: len(r.Segments), Frontier: r.Frontier, Next: r.Next, Position: exact(r.Position), Free: r.Free,
		Kept: []keptJSON{}, Files: []segmentJSON{},
	}
	if !r.Oldest.IsZero() {
		at, seconds := r.Oldest.UTC().Format(time.RFC3339), int64(max(now.Sub(r.Oldest), 0)/time.Second)
		out.Oldest, out.Age = &at, &seconds
	}
	for _, k := range r.Kept {
		out.Kept = append(out.Kept, keptJSON{exact(k.Name), k.Size})
	}
	for _, g := range r.Segments {
		out.Files = append(out.Files, segmentJSON(g))
	}
	return out
}

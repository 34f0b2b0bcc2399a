package operator

import (
	"fmt"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/smtpdconf"
)

// status is the exit status for the findings: notes change nothing, and warnings only where they count as problems.
func (f *findings) status(strict bool) int {
	problems, warnings := f.count()
	if problems > 0 || strict && warnings > 0 {
		return exitWrong
	}
	return exitFine
}

// count returns how many problems and warnings there are, with those of the clusters.
func (f *findings) count() (problems, warnings int) {
	problems, warnings = len(f.problems), len(f.warnings)
	for _, q := range f.queues {
		wrong, doubtful := q.cluster.count()
		problems, warnings = problems+wrong, warnings+doubtful
	}
	return problems, warnings
}

// write prints the problems, then the warnings, the notes, and what the clusters said.
func (f *findings) write(t Terminal, name string) error {
	for _, kind := range []struct {
		name string
		all  smtpdconf.Errors
	}{{"", f.problems}, {"warning: ", f.warnings}, {"note: ", f.notes}} {
		for _, one := range kind.all {
			named := *one
			named.Msg = kind.name + one.Msg
			fmt.Fprintln(t.Out, named.Error())
		}
	}
	for _, q := range f.queues {
		q.cluster.write(t.Out, q.id+": ")
	}
	problems, warnings := f.count()
	_, err := fmt.Fprintf(t.Out, "%s: %s, %s, %s, %s\n", name, plural(len(f.queues), "queue"),
		plural(problems, "problem"), plural(warnings, "warning"), plural(len(f.notes), "note"))
	return err
}

// finding is a problem, warning or note in JSON.
type finding struct {
	File   exact `json:"file"`
	Line   int   `json:"line"`
	Column int   `json:"column"`
	Path   exact `json:"path"`
	Text   exact `json:"text"`
}

// findingsJSON is the JSON of check -c.
type findingsJSON struct {
	Problems []finding   `json:"problems"`
	Warnings []finding   `json:"warnings"`
	Notes    []finding   `json:"notes"`
	Queues   []queueJSON `json:"queues"`
}

type queueJSON struct {
	ID      exact    `json:"id"`
	Cluster *cluster `json:"cluster,omitempty"`
}

func (f *findings) json() findingsJSON {
	out := findingsJSON{toJSON(f.problems), toJSON(f.warnings), toJSON(f.notes), []queueJSON{}}
	for _, q := range f.queues {
		out.Queues = append(out.Queues, queueJSON{exact(q.id), q.cluster})
	}
	return out
}

func toJSON(all smtpdconf.Errors) []finding {
	out := []finding{}
	for _, e := range all {
		out = append(out, finding{exact(e.File), e.Line, e.Column, exact(e.Path), exact(e.Msg)})
	}
	return out
}

// didYouMean is the end of an error about a property that does not exist.
func didYouMean(name string) string {
	if meant := conf.Meant(name); meant != "" {
		return " (" + meant + ")"
	}
	return ""
}

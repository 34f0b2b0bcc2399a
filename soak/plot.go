package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/halon-extras/kafka/bench/gnuplot"
)

//go:embed soak.gp
var script []byte

// table has the samples, in a block for each host.
func (r *run) table() []byte {
	var out bytes.Buffer
	for host, kind := range kinds {
		if host > 0 {
			out.WriteString("\n\n")
		}
		fmt.Fprintf(&out, "# %s queue\tminute\tqueued", kind)
		for _, rule := range rules {
			fmt.Fprintf(&out, "\t%s", rule.name)
		}
		out.WriteByte('\n')
		for _, s := range r.samples {
			if s.host != host {
				continue
			}
			fmt.Fprintf(&out, "%s\t%.3f\t%d", kind, s.at.Minutes(), s.queued)
			for series, rule := range rules {
				fmt.Fprintf(&out, "\t%.6g", s.series[series]/rule.unit)
			}
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// plot writes the table and draws it, and puts the picture into docs where the run has passed. Without gnuplot there is no plot, and a
// line says so.
func (r *run) plot(folder, docs string, passed bool, title string) error {
	picture, err := gnuplot.Draw(filepath.Join(folder, "soak"), title, r.table(), script)
	switch {
	case errors.Is(err, gnuplot.ErrMissing) && docs == "":
		fmt.Fprintln(os.Stderr, err)
		return nil
	case err != nil || docs == "" || !passed:
		return err
	}
	return os.WriteFile(filepath.Join(docs, "soak.svg"), picture, 0o644)
}

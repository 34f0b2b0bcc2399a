package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed soak.gp
var script []byte

// write puts the samples into soak.tsv, in a block for each host.
func (r *run) write(folder string) error {
	var out bytes.Buffer
	for host, kind := range kinds {
		if host > 0 {
			out.WriteString("\n\n") // a new block, for gnuplot
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
	return os.WriteFile(filepath.Join(folder, "soak.tsv"), out.Bytes(), 0o644)
}

// plot draws soak.tsv, and puts a copy into docs where the run passed. Without gnuplot there is no plot, and a line says so.
func (r *run) plot(folder, docs string, passed bool, title string) error {
	picture := filepath.Join(folder, "soak.svg")
	if _, err := exec.LookPath("gnuplot"); err != nil {
		if docs != "" {
			return fmt.Errorf("the plot needs gnuplot (Debian: gnuplot-nox): %w", err)
		}
		fmt.Fprintln(os.Stderr, "soak: no plot, as there is no gnuplot (Debian: gnuplot-nox)")
		return nil
	}
	recipe := filepath.Join(folder, "soak.gp")
	if err := os.WriteFile(recipe, script, 0o644); err != nil {
		return err
	}
	command := exec.Command("gnuplot", "-e", fmt.Sprintf("data=%q; out=%q; headline=%q", filepath.Join(folder, "soak.tsv"), picture, title), recipe)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("gnuplot: %w", err)
	}
	if docs == "" || !passed {
		return nil
	}
	text, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "soak.svg"), text, 0o644)
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/bench/gnuplot"
)

// example has figures for every point; the value of a figure is what `value` says for its axis, point and side.
func example(value func(figure string, s situation, ours bool) float64) scaleReport {
	r := scaleReport{Pairs: 3, Seconds: 1.5, Machine: host{CPU: "a & b", Cores: 2, Arch: "amd64", Kernel: "6.18.44-x"}}
	for _, a := range axes {
		m := measured{Axis: a.name, Label: a.label}
		for _, n := range a.points {
			p := point{At: n, situation: a.at(n)}
			for _, f := range scaleFigures {
				ours, baseline := value(f.suffix, p.situation, true), value(f.suffix, p.situation, false)
				p.Figures = append(p.Figures, row{
					Name: f.suffix, Ours: spreadOf([]float64{ours}), Baseline: spreadOf([]float64{baseline}),
					Ratio: spreadOf([]float64{ours / baseline}),
				})
			}
			m.Points = append(m.Points, p)
		}
		r.Axes = append(r.Axes, m)
	}
	return r
}

// grown is a cost that grows with everything, over several powers of ten.
func grown(figure string, s situation, ours bool) float64 {
	cost := 0.21 + float64(s.Topics+s.Partitions+s.Queues+s.Threads)/40
	if !ours {
		cost *= 1.9
	}
	if figure == ".msgs" {
		return 1.1e6 / cost
	}
	return cost
}

func TestAnAxisChangesOneThingAndBeginsWithOneOfEach(t *testing.T) {
	for _, a := range axes {
		seen := map[situation]bool{}
		for _, n := range a.points {
			s := a.at(n)
			if s.Topics*s.Partitions*s.Queues*s.Threads != n || s.Topics+s.Partitions+s.Queues+s.Threads != n+3 {
				t.Errorf("%s %d is %+v", a.name, n, s)
			}
			seen[s] = true
		}
		if !seen[situation{1, 1, 1, 1}] || len(seen) != len(a.points) {
			t.Errorf("%s has the situations %v", a.name, seen)
		}
	}
	c := situation{3, 5, 7, 9}.cell("x", 0.5)
	if want := "--headers 2 --topics 3 --queues 7 --threads 9 --warmup 50000 --seconds 0.5"; c.args != want || c.partitions != 5 {
		t.Errorf("the driver gets %q with %d partitions, want %q", c.args, c.partitions, want)
	}
}

func TestAxesAreChosenByName(t *testing.T) {
	chosen, err := chooseAxes("threads, topics")
	if err != nil || len(chosen) != 2 || chosen[0].name != "topics" || chosen[1].name != "threads" {
		t.Errorf("chose %v: %v", chosen, err)
	}
	if _, err := chooseAxes("topics,sat"); err == nil || !strings.Contains(err.Error(), `"sat"`) {
		t.Errorf("an axis that is none gave %v", err)
	}
}

func TestTheDocumentKeepsWhatStandsAroundTheMarkers(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "performance.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := example(grown)
	write("# Title\n\n" + scaleBegin + "\nold\n" + scaleEnd + "\n\nAfter.\n")
	for range 2 { // again on its own work
		if err := r.document(dir, []byte("<svg/>")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	if !strings.HasPrefix(text, "# Title\n\n"+scaleBegin+"\n\n![") || !strings.HasSuffix(text, "\n\n"+scaleEnd+"\n\nAfter.\n") || strings.Contains(text, "old") {
		t.Errorf("the page is now\n%s", text)
	}
	rows := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			rows++
			if n := strings.Count(line, "|"); n != len(scaleHeads)+3 {
				t.Errorf("%d columns in %s", n-1, line)
			}
		}
	}
	if rows != 2+4+4+4+5 {
		t.Errorf("%d rows in the table", rows)
	}
	if !strings.Contains(text, "| topics | 1,000 | 43504 : 22897 (1.9) |") {
		t.Errorf("no row for 1,000 topics in\n%s", text)
	}
	if _, err := os.Stat(filepath.Join(dir, "scale.svg")); err != nil {
		t.Error(err)
	}

	write("# Title\n" + scaleEnd + "\n")
	if err := r.document(dir, nil); err == nil || !strings.Contains(err.Error(), scaleBegin) {
		t.Errorf("a page without a marker gave %v", err)
	}
}

// The table has a block for each axis. Where there is a gnuplot, the picture has both lines of each panel.
func TestThePlotHasAPanelForEachAxisAndQuantity(t *testing.T) {
	name := filepath.Join(t.TempDir(), "it's a plot")
	picture, err := example(grown).plot(name)
	table, tableErr := os.ReadFile(name + ".tsv")
	if tableErr != nil {
		t.Fatal(tableErr)
	}
	if blocks := strings.Split(string(table), "\n\n\n"); len(blocks) != 4 || !strings.HasPrefix(blocks[3], "threads\thost threads\t1\t") || strings.Count(blocks[3], "\n") != 5 {
		t.Errorf("the table is\n%s", table)
	}
	if errors.Is(err, gnuplot.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"host threads (log scale)", "Messages a second, in millions", "CPU time, microseconds a message", "kafka.so", "librdkafka"} {
		if !strings.Contains(string(picture), word) {
			t.Errorf("the plot has no %q", word)
		}
	}
	if panels := strings.Count(string(picture), "(log scale)</tspan>"); panels < 8 {
		t.Errorf("%d panels", panels)
	}
}

func TestTheCommandSaysWhatItTookFromTheEnvironment(t *testing.T) {
	environment := func(values map[string]string) func(string) string {
		return func(name string) string { return values[name] }
	}
	for want, got := range map[string]string{
		"go run ./bench/run -build build": command([]string{"-build", "build"}, environment(nil)),
		"CELLS=sat,lz4 PAIRS=3 go run ./bench/run": command(nil,
			environment(map[string]string{"CELLS": "sat,lz4", "PAIRS": "3"})),
		`CELLS='sat, it'\''s' go run ./bench/run -v ''`: command([]string{"-v", ""}, environment(map[string]string{"CELLS": "sat, it's"})),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/halon-extras/kafka/bench/gnuplot"
)

// situation is how much there is of what a queue's cost can grow with. It is a key: what two axes share is measured once.
type situation struct {
	Topics     int `json:"topics"`
	Partitions int `json:"partitions"` // of each topic
	Queues     int `json:"queues"`
	Threads    int `json:"threads"` // of the host
}

// axis changes one number of a situation; the others are 1.
type axis struct {
	name, label string
	points      []int
	at          func(n int) situation
}

var axes = []axis{
	{"topics", "topics", []int{1, 10, 100, 1000}, func(n int) situation { return situation{n, 1, 1, 1} }},
	{"partitions", "partitions of the topic", []int{1, 10, 100, 1000}, func(n int) situation { return situation{1, n, 1, 1} }},
	{"queues", "queues", []int{1, 5, 20, 50}, func(n int) situation { return situation{1, 1, n, 1} }},
	{"threads", "host threads", []int{1, 2, 8, 32, 64}, func(n int) situation { return situation{1, 1, 1, n} }},
}

// cell is a situation at full speed. The warm-up reaches each topic, partition and queue many times: a new one costs more than
// the messages after the first.
func (s situation) cell(name string, seconds float64) cell {
	shape := fmt.Sprintf("--headers 2 --topics %d --queues %d --threads %d", s.Topics, s.Queues, s.Threads)
	return cell{
		name: name, partitions: s.Partitions,
		args:    shape + " --warmup 50000 --seconds " + strconv.FormatFloat(seconds, 'f', -1, 64),
		own:     shape + " --messages 1000000",
		figures: scaleFigures,
	}
}

// scaleFigures are those of a cell up to the 99th percentile: a rarer call has too few samples in a point's time.
var scaleFigures = produced[:4]

// point is one situation on an axis, with a row for each of the figures.
type point struct {
	At int `json:"at"`
	situation
	Figures []row `json:"figures"`
}

// others is the part of a core that other processes took, in the worst run.
func (p point) others() float64 {
	most := 0.0
	for _, x := range p.Figures {
		most = max(most, x.Others)
	}
	return most
}

// measured is an axis with its points, without those that could not be measured.
type measured struct {
	Axis   string  `json:"axis"`
	Label  string  `json:"label"`
	Points []point `json:"points"`
}

// scaleReport is build/bench-scale.json.
type scaleReport struct {
	Machine host       `json:"machine"`
	Pairs   int        `json:"pairs"`
	Seconds float64    `json:"seconds"` // of calls for each point
	Command string     `json:"command"`
	Axes    []measured `json:"axes"`
}

// measureScale runs the axes, prints their table, and writes it, with the plot, into the build folder and, if docs names one, into
// a folder of documents. It reports whether a point could not be measured; then the documents stay as they are.
func measureScale(b bench, names string, seconds float64, docs string) (failed bool, err error) {
	chosen, err := chooseAxes(names)
	if err != nil {
		return false, err
	}
	if docs != "" && len(chosen) < len(axes) {
		return false, fmt.Errorf("CELLS=%s: the documents want all axes", names)
	}
	if seconds <= 0 {
		return false, fmt.Errorf("-seconds %v: want more than 0", seconds)
	}
	r := scaleReport{Machine: machine(b), Pairs: b.pairs, Seconds: seconds, Command: command(os.Args[1:], os.Getenv)}
	r.head(os.Stdout)
	done := map[situation][]row{}
	for _, a := range chosen {
		m := measured{Axis: a.name, Label: a.label}
		for _, n := range a.points {
			s := a.at(n)
			if done[s] == nil {
				if done[s], err = b.measure(s.cell(a.name+"-"+strconv.Itoa(n), seconds)); err != nil {
					fmt.Printf("%-10s %5d  not measured: %v\n", a.name, n, err)
					failed = true
					continue
				}
			}
			p := point{At: n, situation: s, Figures: done[s]}
			p.print(os.Stdout, a.name)
			m.Points = append(m.Points, p)
		}
		r.Axes = append(r.Axes, m)
	}
	if err := writeJSON(filepath.Join(b.build, "bench-scale.json"), r); err != nil {
		return failed, err
	}
	picture, err := r.plot(filepath.Join(b.build, "bench-scale"))
	switch {
	case errors.Is(err, gnuplot.ErrMissing) && docs == "":
		fmt.Fprintln(os.Stderr, err)
		return failed, nil
	case err != nil || docs == "" || failed:
		return failed, err
	}
	return false, r.document(docs, picture)
}

//go:embed scale.gp
var scaleScript []byte

// plot draws the report; a block of the table is an axis.
func (r scaleReport) plot(name string) ([]byte, error) {
	var table bytes.Buffer
	for i, m := range r.Axes {
		if i > 0 {
			table.WriteString("\n\n")
		}
		for _, p := range m.Points {
			fmt.Fprintf(&table, "%s\t%s\t%d", m.Axis, m.Label, p.At)
			for _, x := range p.Figures[:2] {
				fmt.Fprintf(&table, "\t%s\t%s", x.Ours.exact(), x.Baseline.exact())
			}
			table.WriteByte('\n')
		}
	}
	return gnuplot.Draw(name, "How the cost grows: one thread, queue, topic and partition but for what the axis says; 200-byte values, two headers", table.Bytes(), scaleScript)
}

// exact is the median for a program to read.
func (s *spread) exact() string {
	if s == nil {
		return "-"
	}
	return strconv.FormatFloat(s.Median, 'g', 6, 64)
}

// chooseAxes finds axes by name; none means all.
func chooseAxes(names string) ([]axis, error) {
	if names == "" {
		return axes, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var chosen []axis
	for _, a := range axes {
		if wanted[a.name] {
			chosen = append(chosen, a)
			delete(wanted, a.name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("no axis %q: want topics, partitions, queues or threads", name)
	}
	return chosen, nil
}

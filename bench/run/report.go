package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// report is build/bench.json, and the table that is printed while it fills.
type report struct {
	Machine host   `json:"machine"`
	Pairs   int    `json:"pairs"`
	Command string `json:"command"`
	Cells   []row  `json:"cells"`
}

const line = "%-20s %-12s %-30s %-30s %-20s %-9s %-8s %s\n"

func (r report) head(w io.Writer, b bench) {
	m := r.Machine
	fmt.Fprintf(w, "machine   %s, %d cores, %s MiB, Linux %s\n", m.CPU, m.Cores, number(m.MemoryMiB), m.Kernel)
	fmt.Fprintf(w, "compared  %s with %s, %d pairs a cell, one after the other in turns\n", b.ours, b.baseline, r.Pairs)
	fmt.Fprintf(w, "command   %s\n\n", r.Command)
	fmt.Fprintf(w, line, "cell", "unit", "ours [min..max]", "baseline [min..max]", "ratio [min..max]", "driver", "of wire", "goal")
}

func (r report) rows(w io.Writer, rows []row) {
	for _, x := range rows {
		driver, share, verdict := "", "", ""
		if x.Driver != nil {
			driver = number(*x.Driver)
		}
		if x.WireShare != nil {
			share = fmt.Sprintf("%.1f %%", 100**x.WireShare)
		}
		if g, ok := goalOf(x.Name); ok && x.Ratio != nil {
			sign, met := "<=", "met"
			if g.atLeast {
				sign = ">="
			}
			if !g.met(x.Ratio.Median) {
				met = "NOT MET"
			}
			verdict = fmt.Sprintf("%s %s %s", sign, number(g.ratio), met)
		}
		if floor, ok := floors[x.Name]; ok && x.Ours != nil {
			met := "met"
			if x.Ours.Median < floor {
				met = "NOT MET"
			}
			verdict = fmt.Sprintf(">= %s/s %s", number(floor), met)
		}
		fmt.Fprintf(w, line, x.Name, x.Unit, x.Ours.text(), x.Baseline.text(), x.Ratio.text(), driver, share, verdict)
		if x.Others > noisy && strings.HasSuffix(x.Name, ".msgs") {
			fmt.Fprintf(w, "%-20s other processes took up to %.2f cores meanwhile\n", "", x.Others)
		}
	}
}

// noisy is the part of a core from which on other processes have spoilt a figure.
const noisy = 0.15

func (r report) foot(w io.Writer) {
	fmt.Fprint(w, `
.msgs   messages that arrived a second, the drain included      .p50 .p99 .p999  time of a call, of all accepted calls
.cpu    user and system time of the process, less "driver": what the driver takes with a plugin that does nothing
durable-N, logger-64: answers a second of N that wait, each after its sync; .answer50 .answer99  time from a call to its answer
ratio   ours to the baseline's within each pair; medians count  of wire  share of what the loopback carries of such messages
`)
}

func writeJSON(name string, r any) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}

func (s *spread) text() string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%s [%s..%s]", number(s.Median), number(s.Min), number(s.Max))
}

// number writes three digits, as many as a measurement is worth.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e6:
		return fmt.Sprintf("%.2fM", v/1e6)
	case a >= 1e5:
		return fmt.Sprintf("%.0fk", v/1e3)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 1:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

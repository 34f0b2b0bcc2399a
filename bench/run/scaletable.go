package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// What stands around the part of performance.md that the bench writes.
const (
	scaleBegin = "<!-- scale: begin -->"
	scaleEnd   = "<!-- scale: end -->"
)

// scaleHeads are the columns of scaleFigures.
var scaleHeads = [...]string{"messages/s", "CPU, us/message", "call p50, ns", "call p99, ns"}

const scaleLine = "%-10s %5s   %-25s   %-25s   %-25s   %s\n"

func (r scaleReport) head(w io.Writer) {
	m := r.Machine
	fmt.Fprintf(w, "machine   %s, %d cores, %s MiB, Linux %s\n", m.CPU, m.Cores, number(m.MemoryMiB), m.Kernel)
	fmt.Fprintf(w, "compared  %s with %s, %d pair%s a point, one after the other in turns\n", m.Ours, m.Baseline, r.Pairs, plural(r.Pairs))
	fmt.Fprintf(w, "command   %s\n\n", r.Command)
	cells := []any{"axis", "point"}
	for _, head := range scaleHeads {
		cells = append(cells, head)
	}
	fmt.Fprintf(w, scaleLine, cells...)
	side := "ours  baseline  (ratio)"
	fmt.Fprintf(w, scaleLine, "", "", side, side, side, side)
}

func (p point) print(w io.Writer, axis string) {
	cells := []any{axis, grouped(p.At)}
	for _, x := range p.Figures {
		cells = append(cells, fmt.Sprintf("%-8s %-8s (%s)", x.Ours.middle(), x.Baseline.middle(), x.Ratio.middle()))
	}
	fmt.Fprintf(w, scaleLine, cells...)
	if others := p.others(); others > noisy {
		fmt.Fprintf(w, "%16s   other processes took up to %.2f cores meanwhile\n", "", others)
	}
}

// table is the same in Markdown.
func (r scaleReport) table() string {
	var w strings.Builder
	fmt.Fprint(&w, "| axis | point |")
	for _, head := range scaleHeads {
		fmt.Fprintf(&w, " %s |", head)
	}
	fmt.Fprint(&w, "\n|---|--:|"+strings.Repeat("---|", len(scaleHeads))+"\n")
	worst := 0.0
	for _, m := range r.Axes {
		for _, p := range m.Points {
			fmt.Fprintf(&w, "| %s | %s |", m.Label, grouped(p.At))
			for _, x := range p.Figures {
				fmt.Fprintf(&w, " %s : %s (%s) |", x.Ours.middle(), x.Baseline.middle(), x.Ratio.middle())
			}
			fmt.Fprintln(&w)
			worst = max(worst, p.others())
		}
	}
	m := r.Machine
	fmt.Fprintf(&w, "\nA cell is `kafka.so` : librdkafka (ratio). %s, %d cores, %s, Linux %s; %d pair%s a point of %v s each; %s.",
		m.CPU, m.Cores, m.Arch, release(m.Kernel), r.Pairs, plural(r.Pairs), r.Seconds, m.Time.Format("2006-01-02"))
	if worst > noisy {
		fmt.Fprintf(&w, " Other processes took up to %.2f cores meanwhile.", worst)
	}
	fmt.Fprintln(&w)
	return w.String()
}

// document puts the plot beside performance.md and the table between its markers.
func (r scaleReport) document(folder string, picture []byte) error {
	page := filepath.Join(folder, "performance.md")
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	filled, err := between(text, scaleBegin, scaleEnd,
		"![Messages a second and CPU time a message by topics, partitions, queues and threads](scale.svg)\n\n"+r.table())
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "scale.svg"), picture, 0o644); err != nil {
		return err
	}
	return os.WriteFile(page, filled, 0o644)
}

// between replaces what stands between two lines of a text.
func between(text []byte, begin, end, middle string) ([]byte, error) {
	head, rest, ok := bytes.Cut(text, []byte(begin+"\n"))
	if !ok {
		return nil, fmt.Errorf("no line %s", begin)
	}
	_, foot, ok := bytes.Cut(rest, []byte(end))
	if !ok {
		return nil, fmt.Errorf("no %s after %s", end, begin)
	}
	return []byte(string(head) + begin + "\n\n" + middle + "\n" + end + string(foot)), nil
}

// middle is the median alone.
func (s *spread) middle() string {
	if s == nil {
		return "-"
	}
	return number(s.Median)
}

// grouped writes 1000 as 1,000; no point is a million.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// release is the part of a kernel's release that matters to who compares figures.
func release(kernel string) string {
	parts := strings.SplitN(kernel, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

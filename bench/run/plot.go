package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
)

// The plot is one SVG: a row of panels for each quantity, a panel for each axis. It brings its own background, so that it can be
// read on any page, and a second set of colours for readers who want dark ones.
//
//	title                              legend
//	what the axes leave as it is
//	quantity and unit
//	[topics] [partitions] [queues] [threads]
//	quantity and unit
//	[topics] [partitions] [queues] [threads]

// All in pixels.
const (
	plotWidth   = 1080
	panelWidth  = 196
	panelHeight = 150
	columnStep  = 264
	firstColumn = 62 // leaves room for the numbers of the first panel
	firstRow    = 102
	rowStep     = 238
	inset       = 12 // from a panel's sides to its first and last point
	plotHeight  = firstRow + rowStep + panelHeight + 54
)

const plotStyle = `
svg { background: #ffffff; font: 12px Helvetica, Arial, sans-serif; }
.page { fill: #ffffff; }
text { fill: #1f2328; }
.number { font-size: 11px; fill: #57606a; }
.title { font-size: 16px; font-weight: bold; }
.frame { fill: none; stroke: #8c959f; }
.grid { stroke: #d8dee4; }
.ours { stroke: #0969da; fill: #0969da; }
.baseline { stroke: #bc4c00; fill: #bc4c00; }
polyline { stroke-width: 2; }
polyline.ours, polyline.baseline { fill: none; }
polyline.baseline { stroke-dasharray: 6 3; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; }
.page { fill: #0d1117; }
text { fill: #e6edf3; }
.number { fill: #9da7b3; }
.frame { stroke: #6e7681; }
.grid { stroke: #30363d; }
.ours { stroke: #58a6ff; fill: #58a6ff; }
.baseline { stroke: #f0883e; fill: #f0883e; }
}
`

// quantity is a row of panels. All its panels have one scale, so that a height means the same in each.
type quantity struct {
	title string
	index int     // in scaleFigures
	unit  float64 // that the figures are divided by
	log   bool
}

var quantities = [...]quantity{
	{title: "Messages a second, in millions", index: 0, unit: 1e6},
	{title: "CPU time, microseconds a message (log scale)", index: 1, unit: 1, log: true},
}

// sides are the two lines of a panel.
var sides = [...]struct {
	class, name string
	of          func(row) *spread
}{
	{"ours", "kafka.so", func(r row) *spread { return r.Ours }},
	{"baseline", "librdkafka", func(r row) *spread { return r.Baseline }},
}

// drawing is an SVG that grows. Coordinates have one decimal: less is seen, and more is noise in a diff.
type drawing struct{ bytes.Buffer }

func (d *drawing) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(d, "<text class=%q text-anchor=%q x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, anchor, x, y, html.EscapeString(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x1, y1, x2, y2)
}

// marker is a disc for ours and a square for the baseline, so that nobody has to tell the colours apart.
func (d *drawing) marker(class string, x, y float64) {
	if class == "ours" {
		fmt.Fprintf(d, "<circle class=%q cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>\n", class, x, y)
		return
	}
	fmt.Fprintf(d, "<rect class=%q x=\"%.1f\" y=\"%.1f\" width=\"6\" height=\"6\"/>\n", class, x-3, y-3)
}

func (d *drawing) polyline(class string, points []string) {
	fmt.Fprintf(d, "<polyline class=%q points=%q/>\n", class, strings.Join(points, " "))
}

// plot draws the report.
func (r scaleReport) plot() []byte {
	d := &drawing{}
	fmt.Fprintf(d, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %[1]d %[2]d\" role=\"img\">\n", plotWidth, plotHeight)
	fmt.Fprintf(d, "<style>%s</style>\n<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n", plotStyle)
	d.text("title", "start", 20, 28, "How the cost grows")
	d.text("number", "start", 20, 48, "one thread, queue, topic and partition but for what the axis says; 200-byte values, two headers")
	for i, side := range sides {
		x := float64(plotWidth - 250 + 110*i)
		d.polyline(side.class, []string{fmt.Sprintf("%.1f,24.0", x), fmt.Sprintf("%.1f,24.0", x+28)})
		d.marker(side.class, x+14, 24)
		d.text("name", "start", x+34, 28, side.name)
	}
	for i, q := range quantities {
		top := float64(firstRow + i*rowStep)
		d.text("name", "start", 20, top-16, q.title)
		s := q.scale(r.Axes)
		for j, m := range r.Axes {
			d.panel(q, m, s, float64(firstColumn+j*columnStep), top)
		}
	}
	fmt.Fprintln(d, "</svg>")
	return d.Bytes()
}

// panel draws one quantity along one axis.
func (d *drawing) panel(q quantity, m measured, s scale, left, top float64) {
	fmt.Fprintln(d, "<g>")
	for _, tick := range s.ticks {
		y := top + panelHeight*(1-s.at(tick))
		d.line(left, y, left+panelWidth, y)
		d.text("number", "end", left-6, y+4, fmt.Sprintf("%.4g", tick))
	}
	fmt.Fprintf(d, "<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n", left, top, panelWidth, panelHeight)
	place := m.place()
	x := func(p point) float64 { return left + inset + (panelWidth-2*inset)*place(p.At) }
	for _, p := range m.Points {
		d.text("number", "middle", x(p), top+panelHeight+16, grouped(p.At))
	}
	d.text("name", "middle", left+panelWidth/2, top+panelHeight+36, m.Label+" (log scale)")
	for _, side := range sides {
		var line []string
		var marks drawing
		for _, p := range m.Points {
			v, ok := q.of(p, side.of)
			if !ok {
				continue
			}
			y := top + panelHeight*(1-s.at(v))
			line = append(line, fmt.Sprintf("%.1f,%.1f", x(p), y))
			marks.marker(side.class, x(p), y)
		}
		d.polyline(side.class, line)
		_, _ = d.Write(marks.Bytes())
	}
	fmt.Fprintln(d, "</g>")
}

// of is the figure of a side at a point in the unit of the plot. A log scale has no place for zero.
func (q quantity) of(p point, side func(row) *spread) (float64, bool) {
	if q.index >= len(p.Figures) {
		return 0, false
	}
	s := side(p.Figures[q.index])
	if s == nil || q.log && s.Median <= 0 {
		return 0, false
	}
	return s.Median / q.unit, true
}

// place maps a point of the axis to its share of the panel's width, by logarithms.
func (m measured) place() func(n int) float64 {
	if len(m.Points) < 2 {
		return func(int) float64 { return 0.5 }
	}
	low, high := math.Log(float64(m.Points[0].At)), math.Log(float64(m.Points[len(m.Points)-1].At))
	return func(n int) float64 { return (math.Log(float64(n)) - low) / (high - low) }
}

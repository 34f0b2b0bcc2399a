package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
)

// The parts of the plot that the tests look at.
type box struct{ x, y, width, height float64 }

func (b box) holds(x, y float64) bool {
	return x >= b.x && x <= b.x+b.width && y >= b.y && y <= b.y+b.height
}

type svgPanel struct {
	Frame box
	Lines map[string][][2]float64
	Marks map[string]int
}

type svgText struct {
	box
	text string
}

// readPlot reads a plot as XML, to its end, and gives its panels and texts.
func readPlot(t *testing.T, picture []byte) (panels []svgPanel, texts []svgText) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(picture))
	for inPanel := false; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return panels, texts
		}
		if err != nil {
			t.Fatalf("the plot is no XML: %v", err)
		}
		if end, ok := token.(xml.EndElement); ok && end.Name.Local == "g" {
			inPanel = false
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		num := func(name string) float64 {
			v, err := strconv.ParseFloat(attr[name], 64)
			if err != nil {
				t.Fatalf("%s has %s=%q", e.Name.Local, name, attr[name])
			}
			return v
		}
		switch e.Name.Local {
		case "g":
			inPanel = true
			panels = append(panels, svgPanel{Lines: map[string][][2]float64{}, Marks: map[string]int{}})
		case "text":
			var text string
			if err := d.DecodeElement(&text, &e); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, textBox(attr["class"], attr["text-anchor"], num("x"), num("y"), text))
		}
		if !inPanel {
			continue
		}
		p := &panels[len(panels)-1]
		switch {
		case attr["class"] == "frame":
			p.Frame = box{num("x"), num("y"), num("width"), num("height")}
		case e.Name.Local == "polyline":
			for pair := range strings.FieldsSeq(attr["points"]) {
				var x, y float64
				if _, err := fmt.Sscanf(pair, "%f,%f", &x, &y); err != nil {
					t.Fatalf("point %q: %v", pair, err)
				}
				p.Lines[attr["class"]] = append(p.Lines[attr["class"]], [2]float64{x, y})
			}
		case e.Name.Local == "circle", e.Name.Local == "rect":
			p.Marks[attr["class"]]++
		}
	}
}

// textBox is about what a text covers: letters of a wide sans-serif font are 0.6 of their size wide on average, bold ones 0.75.
func textBox(class, anchor string, x, y float64, text string) svgText {
	size := map[string]float64{"title": 16, "name": 12, "number": 11}[class]
	width := float64(len(text)) * size * 0.6
	if class == "title" {
		width *= 1.25
	}
	switch anchor {
	case "middle":
		x -= width / 2
	case "end":
		x -= width
	}
	return svgText{box{x, y - 0.8*size, width, size}, text}
}

func TestEveryPointOfThePlotIsInsideItsPanel(t *testing.T) {
	for name, value := range map[string]func(string, situation, bool) float64{
		"grown": grown,
		"flat":  func(string, situation, bool) float64 { return 1 },
		"on powers of ten": func(_ string, s situation, ours bool) float64 {
			if ours {
				return 1000
			}
			return float64(s.Partitions)
		},
		"tiny": func(_ string, s situation, _ bool) float64 { return 1e-7 * float64(s.Threads) },
	} {
		panels, _ := readPlot(t, example(value).plot())
		if want := len(quantities) * len(axes); len(panels) != want {
			t.Fatalf("%s: %d panels, want %d", name, len(panels), want)
		}
		for i, p := range panels {
			for _, side := range sides {
				points := p.Lines[side.class]
				if want := len(axes[i%len(axes)].points); len(points) != want || p.Marks[side.class] != want {
					t.Errorf("%s: panel %d draws %d points and %d marks of %s, want %d", name, i, len(points), p.Marks[side.class], side.name, want)
				}
				for j, at := range points {
					if !p.Frame.holds(at[0], at[1]) {
						t.Errorf("%s: panel %d has %v outside of %v", name, i, at, p.Frame)
					}
					if j > 0 && at[0] <= points[j-1][0] {
						t.Errorf("%s: panel %d goes back from %v to %v", name, i, points[j-1], at)
					}
				}
			}
		}
	}
}

// A height is held against the scale's own rule: half of a linear one is half the figure, and equal factors are equal steps of
// a logarithmic one.
func TestHeightsMeanTheSameInEveryPanelOfARow(t *testing.T) {
	panels, _ := readPlot(t, example(func(figure string, s situation, ours bool) float64 {
		switch {
		case figure == ".msgs" && ours:
			return 5e6
		case figure == ".msgs":
			return 2.5e6
		}
		return float64(s.Topics)
	}).plot())
	for i, p := range panels[:len(axes)] {
		height := func(class string) float64 { return p.Frame.y + p.Frame.height - p.Lines[class][0][1] }
		if math.Abs(height("ours")-2*height("baseline")) > 0.2 {
			t.Errorf("panel %d: heights %v and %v for 5 and 2.5", i, height("ours"), height("baseline"))
		}
	}
	topics := panels[len(axes)].Lines["ours"]
	for i := 2; i < len(topics); i++ {
		before, now := topics[i-2][1]-topics[i-1][1], topics[i-1][1]-topics[i][1]
		if math.Abs(before-now) > 0.2 || now <= 0 {
			t.Errorf("ten times as much is %v and then %v higher", before, now)
		}
	}
	if other := panels[len(axes)+1].Lines["ours"][0]; other[1] != topics[0][1] {
		t.Errorf("the same figure is at %v in one panel and at %v in another", topics[0][1], other[1])
	}
}

func TestNoTextOfThePlotCoversAnother(t *testing.T) {
	_, texts := readPlot(t, example(grown).plot())
	page := box{0, 0, plotWidth, plotHeight}
	for i, a := range texts {
		if !page.holds(a.x, a.y) || !page.holds(a.x+a.width, a.y+a.height) {
			t.Errorf("%q leaves the page: %v", a.text, a.box)
		}
		for _, b := range texts[:i] {
			if a.x < b.x+b.width && b.x < a.x+a.width && a.y < b.y+b.height && b.y < a.y+a.height {
				t.Errorf("%q covers %q", a.text, b.text)
			}
		}
	}
	if len(texts) < 40 {
		t.Errorf("only %d texts", len(texts))
	}
}

func TestAPointThatIsMissingLeavesAGap(t *testing.T) {
	r := example(grown)
	r.Axes[0].Points[1].Figures[0].Baseline = nil
	r.Axes[1].Points = nil
	panels, _ := readPlot(t, r.plot())
	if ours, baseline := panels[0].Lines["ours"], panels[0].Lines["baseline"]; len(ours) != 4 || len(baseline) != 3 {
		t.Errorf("%d and %d points, want 4 and 3", len(ours), len(baseline))
	}
	if n := len(panels[1].Lines["ours"]); n != 0 {
		t.Errorf("%d points of an axis that was not measured", n)
	}
}

func TestTicksAreRoundAndHoldTheFigures(t *testing.T) {
	for high, want := range map[float64]string{2.1: "[0 0.5 1 1.5 2 2.5]", 5: "[0 1 2 3 4 5]", 0.07: "[0 0.02 0.04 0.06 0.08]", 12: "[0 5 10 15]"} {
		if got := fmt.Sprintf("%.4g", linearTicks(high)); got != want {
			t.Errorf("up to %v: %s, want %s", high, got, want)
		}
	}
	for want, r := range map[string][2]float64{"[0.5 1 2 5 10]": {0.7, 9.4}, "[1 2]": {1, 1}, "[1000 2000]": {1000, 1001}, "[0.2 0.5]": {0.3, 0.5}} {
		if got := fmt.Sprintf("%.4g", logTicks(r[0], r[1])); got != want {
			t.Errorf("%v: %s, want %s", r, got, want)
		}
	}
}

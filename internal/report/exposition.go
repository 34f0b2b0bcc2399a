package report

import (
	"math"
	"strconv"
	"strings"
)

// Metrics are written by hand: a client library is 0.8 to 3.4 MB of the plugin, and this is what it would print.

// A Family is one metric with its samples. Names and units follow Prometheus' rules: base units, the unit at the end of
// the name, _total behind it for what only grows.
type Family struct {
	Name    string     `json:"name"` // without _total
	Type    FamilyType `json:"type"`
	Unit    string     `json:"unit,omitempty"` // the end of Name
	Help    string     `json:"help"`
	Samples []Sample   `json:"samples"`
}

// FamilyType is what a metric does.
type FamilyType string

// The types.
const (
	Counter         FamilyType = "counter"
	Gauge           FamilyType = "gauge"
	HistogramFamily FamilyType = "histogram"
)

// A Sample is one value.
type Sample struct {
	Labels []Label `json:"labels,omitempty"`
	Value  float64 `json:"value"`
	// Suffix is _bucket, _sum or _count in a histogram.
	Suffix string `json:"suffix,omitempty"`
}

// A Label tells samples of a family apart.
type Label struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Add adds a sample. labels are names and values in turn.
func (f *Family) Add(value float64, labels ...string) {
	f.Samples = append(f.Samples, Sample{Labels: pairs(labels), Value: value})
}

func pairs(labels []string) []Label {
	var all []Label
	for i := 0; i+1 < len(labels); i += 2 {
		all = append(all, Label{labels[i], Printable(labels[i+1])})
	}
	return all
}

// Format is one of the two text formats.
type Format uint8

// The formats, and what they are called on the wire. Halon's monitor speaks the second.
const (
	PrometheusText  Format = iota // 0.0.4
	OpenMetricsText               // 1.0.0

	PrometheusType  = "text/plain; version=0.0.4; charset=utf-8"
	OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// Exposition returns families in a text format. Those without a sample are left out.
func Exposition(families []Family, format Format) []byte {
	var b []byte
	for i := range families {
		f := &families[i]
		if len(f.Samples) == 0 {
			continue
		}
		head := f.Name
		if f.Type == Counter && format == PrometheusText {
			head += totalSuffix
		}
		b = append(b, "# HELP "+head+" "+escapeHelp.Replace(f.Help)+"\n"...)
		b = append(b, "# TYPE "+head+" "+string(f.Type)+"\n"...)
		if f.Unit != "" {
			b = append(b, "# UNIT "+head+" "+f.Unit+"\n"...) // a comment for the older format
		}
		for _, s := range f.Samples {
			b = append(b, f.Name...)
			if f.Type == Counter {
				b = append(b, totalSuffix...)
			}
			b = append(b, s.Suffix...)
			b = appendLabels(b, s.Labels)
			b = append(b, ' ')
			b = appendValue(b, s.Value)
			b = append(b, '\n')
		}
	}
	if format == OpenMetricsText {
		b = append(b, "# EOF\n"...)
	}
	return b
}

const totalSuffix = "_total"

var (
	escapeHelp  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	escapeLabel = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func appendLabels(b []byte, labels []Label) []byte {
	if len(labels) == 0 {
		return b
	}
	for i, l := range labels {
		b = append(b, "{,"[min(i, 1)])
		b = append(b, l.Name+`="`+escapeLabel.Replace(l.Value)+`"`...)
	}
	return append(b, '}')
}

func appendValue(b []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case v == math.Trunc(v) && math.Abs(v) < 1<<53:
		return strconv.AppendInt(b, int64(v), 10)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

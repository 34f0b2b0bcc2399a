package admin

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/report"
)

// setting is a property in JSON. A secret has the value ***, and what has no value null.
type setting struct {
	Name   string   `json:"name"`
	Also   []string `json:"also,omitempty"` // its other names
	Value  *string  `json:"value"`
	Origin string   `json:"origin"`
	Source string   `json:"source,omitempty"` // the file or the variable of a secret
}

// configured is a queue in JSON.
type configured struct {
	ID         string    `json:"id"`
	Client     string    `json:"client"`
	Properties []setting `json:"properties"`
	Spool      []setting `json:"spool,omitempty"`
}

const masked = "***"

func showConfig(c *call) (answer, error) {
	text, all, err := each(c, func(b *strings.Builder, q Queue) (configured, error) {
		one := configured{ID: q.ID(), Client: q.Settings().Name, Properties: []setting{}}
		for _, e := range q.Settings().Effective() {
			if e.Origin != conf.Default || c.flag["--all"] {
				one.Properties = append(one.Properties, settingOf(e))
			}
		}
		one.Spool = spoolSettings(c.Spool(q.ID()))
		nextBlock(b)
		return one, one.write(b)
	})
	return answer{text, inQueues(all)}, err
}

func settingOf(e conf.Effective) setting {
	one := setting{Name: e.Name, Also: e.Also, Origin: string(e.Origin), Source: e.Source}
	switch {
	case e.Hidden:
		one.Value = new(masked)
	case e.Set:
		one.Value = &e.Value
	}
	return one
}

// spoolSettings are all settings of a spool, in the order of the manual; none without one.
func spoolSettings(s *queueconf.Spool) []setting {
	if s == nil {
		return nil
	}
	var all []setting
	for _, e := range s.Effective() {
		origin := string(conf.Default)
		if e.Chosen {
			origin = string(conf.FromConfig)
		}
		all = append(all, setting{Name: e.Name, Value: &e.Value, Origin: origin})
	}
	return all
}

func (q *configured) write(b *strings.Builder) error {
	fmt.Fprintf(b, "queue %s: %s\n", report.Printable(q.ID), report.Printable(q.Client))
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	row := func(prefix string, s setting) {
		value, origin := "(no value)", s.Origin
		if s.Value != nil {
			value = report.Printable(*s.Value)
		}
		if s.Source != "" {
			origin += ": " + report.Printable(s.Source)
		}
		fmt.Fprintf(w, " %s%s\t%s\t%s\n", prefix, strings.Join(append([]string{s.Name}, s.Also...), ", "), value, origin)
	}
	for _, s := range q.Properties {
		row("", s)
	}
	for _, s := range q.Spool {
		row("spool.", s)
	}
	return w.Flush()
}

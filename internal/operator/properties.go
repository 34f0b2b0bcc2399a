package operator

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/halon-extras/kafka/internal/conf"
)

const propertiesHelp = `usage: halon-kafka properties [--json] [NAME ...]

Prints the manual of a property: what it takes, its default, its other names, and what becomes of it here.
Without a name it lists them all.

Exit status: 0 fine, 1 there is no such property, 2 usage.
`

func properties(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	asJSON := fs.Bool("json", false, "")
	names, status, ok := parse(fs, args, t)
	if !ok {
		return status
	}
	rows, missing := conf.Properties(), []string(nil)
	if len(names) > 0 {
		rows = nil
		for _, name := range names {
			p, ok := conf.Lookup(name)
			if !ok {
				missing = append(missing, name)
				continue
			}
			rows = append(rows, p)
		}
	}
	var err error
	switch {
	case *asJSON:
		all := []propertyJSON{}
		for i := range rows {
			all = append(all, describe(&rows[i]))
		}
		err = writeJSON(t.Out, all)
	case len(names) == 0:
		err = printList(t.Out, rows)
	default:
		err = printManual(t.Out, rows)
	}
	if err != nil {
		fmt.Fprintf(t.Err, "halon-kafka properties: %v\n", err)
		return exitUsage
	}
	for _, name := range missing {
		fmt.Fprintf(t.Err, "halon-kafka properties: No such configuration property: \"%s\"%s\n", oneLine(name), didYouMean(name))
		status = exitWrong
	}
	return status
}

// printList writes a line for each property.
func printList(w io.Writer, rows []conf.Property) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "PROPERTY\tTAKES\tDEFAULT\tHERE")
	for i := range rows {
		p := &rows[i]
		if p.Kind == conf.Alias {
			target, _ := conf.Lookup(p.SettableName())
			fmt.Fprintf(tab, "%s\tsee %s\t\t\n", p.SettableName(), target.SettableName())
			continue
		}
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\n", p.SettableName(), brief(p), clip(p.Default), becomes(p))
	}
	return tab.Flush()
}

// brief is what a property takes, for a column.
func brief(p *conf.Property) string {
	switch p.Kind {
	case conf.Int, conf.Double:
		return fmt.Sprintf("%d to %d", p.Min, p.Max)
	case conf.Enum, conf.Flags:
		return p.Kind.String() + fmt.Sprintf(" %d words", len(p.Words))
	}
	return p.Kind.String()
}

// clip keeps one long default from widening the column for all.
func clip(s string) string {
	const most = 30
	if len(s) <= most {
		return s
	}
	return s[:most-3] + "..."
}

// becomes is what happens to a property here.
func becomes(p *conf.Property) string {
	if p.Role == conf.ConsumerRole {
		return "checked and ignored: a consumer's"
	}
	return p.How.String()
}

// printManual writes a paragraph for each property.
func printManual(w io.Writer, rows []conf.Property) error {
	var b strings.Builder
	for i := range rows {
		p := &rows[i]
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s\n  %s\n\n", p.SettableName(), p.Doc)
		for _, line := range manualLines(p) {
			if line.text != "" {
				fmt.Fprintf(&b, "  %-11s %s\n", line.head, strings.ReplaceAll(line.text, "`", ""))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type manualLine struct{ head, text string }

func manualLines(p *conf.Property) []manualLine {
	here := becomes(p)
	if p.Why != "" && p.Role != conf.ConsumerRole {
		here += ": " + p.Why
	}
	return []manualLine{
		{"takes", p.Takes()},
		{"default", defaultOf(p)},
		{"also called", strings.Join(p.Aliases(), ", ")},
		{"belongs to", scopeOf(p)},
		{"importance", p.Importance.String()},
		{"here", here},
		{"remarks", strings.Join(remarks(p), "; ")},
		{"warning", p.Notice},
	}
}

func defaultOf(p *conf.Property) string {
	switch {
	case p.Kind == conf.Pointer || p.Kind == conf.Internal || p.Kind == conf.Java:
		return ""
	case p.Default != "":
		return p.Default
	case p.EmptyDefault:
		return "the empty text"
	}
	return "not set"
}

func scopeOf(p *conf.Property) string {
	switch {
	case p.Scope != conf.TopicScope:
		return ""
	case p.SettableName() != p.Name:
		return "topics"
	}
	return "topics; \"topic.\" may stand before its name"
}

func remarks(p *conf.Property) []string {
	var all []string
	for _, mark := range []struct {
		set  bool
		text string
	}{
		{p.Role == conf.ConsumerRole, "a property of consumers"},
		{p.Secret, "secret: its value is never shown"},
		{p.Hidden, "not in librdkafka's own manual"},
		{p.Deprecated, "deprecated in librdkafka"},
		{p.Experimental, "experimental in librdkafka"},
		{p.Unsupported != "" && p.Kind != conf.Java, "no value is accepted: " + p.Unsupported},
	} {
		if mark.set {
			all = append(all, mark.text)
		}
	}
	return all
}

// propertyJSON is the JSON of a property.
type propertyJSON struct {
	Name         string   `json:"name"`
	Aliases      []string `json:"aliases"`
	AliasOf      string   `json:"alias_of,omitempty"`
	Scope        string   `json:"scope"`
	Kind         string   `json:"kind"`
	Min          *int32   `json:"min,omitempty"`
	Max          *int32   `json:"max,omitempty"`
	Words        []string `json:"words,omitempty"`
	Default      *string  `json:"default"`
	Importance   string   `json:"importance"`
	Here         string   `json:"here"`
	Why          string   `json:"why,omitempty"`
	Consumer     bool     `json:"consumer"`
	Secret       bool     `json:"secret"`
	Deprecated   bool     `json:"deprecated"`
	Experimental bool     `json:"experimental"`
	Hidden       bool     `json:"hidden"`
	Doc          string   `json:"doc"`
}

func describe(p *conf.Property) propertyJSON {
	out := propertyJSON{
		Name: p.SettableName(), Aliases: append([]string{}, p.Aliases()...), Scope: "global", Kind: p.Kind.String(),
		Importance: p.Importance.String(), Here: p.How.String(), Why: p.Why, Consumer: p.Role == conf.ConsumerRole,
		Secret: p.Secret, Deprecated: p.Deprecated, Experimental: p.Experimental, Hidden: p.Hidden, Doc: p.Doc,
	}
	if p.Scope == conf.TopicScope {
		out.Scope = "topic"
	}
	if p.Kind == conf.Alias {
		target, _ := conf.Lookup(p.SettableName())
		out.AliasOf = target.SettableName()
		p = &target
		out.Here, out.Why, out.Importance, out.Doc, out.Secret = p.How.String(), p.Why, p.Importance.String(), p.Doc, p.Secret
	}
	if p.Kind == conf.Int || p.Kind == conf.Double {
		out.Min, out.Max = &p.Min, &p.Max
	}
	for _, w := range p.Words {
		out.Words = append(out.Words, w.Name)
	}
	if p.Default != "" || p.EmptyDefault {
		out.Default = &p.Default
	}
	return out
}

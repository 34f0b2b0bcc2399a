package conf

import (
	"fmt"
	"strings"
)

// Manual returns docs/configuration.md: every property that a producer has, made from the table.
func Manual() string {
	var b strings.Builder
	b.WriteString(manualHead)
	honoured, not := 0, 0
	for i := range properties {
		p := &properties[i]
		if !p.ofProducer() {
			continue
		}
		if p.effective().ignored() {
			not++
		} else {
			honoured++
		}
	}
	fmt.Fprintf(&b, "Of the %d properties of a producer, %d are honoured and %d are not.\n", honoured+not, honoured, not)
	b.WriteString("\n## Ignored\n\n| property | why |\n|---|---|\n")
	for i := range properties {
		p := &properties[i]
		if p.ofProducer() && p.ignored() {
			fmt.Fprintf(&b, "| `%s` | %s |\n", p.Name, p.Why)
		}
	}
	b.WriteString("\n## Properties of a producer\n")
	for i := range properties {
		if p := &properties[i]; p.ofProducer() {
			b.WriteString("\n" + p.Manual())
		}
	}
	b.WriteString("\n## Properties of consumers\n\n" +
		"They are checked as librdkafka checks them, and then ignored with a warning.\n\n")
	for i := range properties {
		if p := &properties[i]; p.Role == ConsumerRole && p.Kind != Pointer {
			kind := " (" + p.kindText() + ")"
			if p.Kind == Alias {
				kind = ""
			}
			fmt.Fprintf(&b, "- `%s`%s: %s\n", p.SettableName(), kind, p.line())
		}
	}
	b.WriteString("\n## Never settable\n\n" +
		"librdkafka takes these from a program, and refuses them as text.\n\n")
	for i := range properties {
		if p := &properties[i]; p.Kind == Pointer || p.Kind == Internal {
			fmt.Fprintf(&b, "- `%s`\n", p.SettableName())
		}
	}
	return b.String()
}

const manualHead = `# Configuration

<!-- Made from the property table by "go generate ./internal/conf". Do not edit. -->

A queue's ` + "`config`" + `, in smtpd.yaml or smtpd-app.yaml, takes librdkafka's properties, as of librdkafka 2.15.0: the same names, values, errors and
warnings. What each does here is described below.

Names count as they are written. A property of topics may be written with ` + "`topic.`" + ` before its name. Numbers may be
decimal, hexadecimal with 0x or octal with 0, and what follows a number is ignored: 10k is 10. Booleans are true, t, 1,
false, f and 0. Words count without regard to case. An empty text gives a text property its default back.

- **honoured**: it has the effect that it has in librdkafka
- **no effect**: as in librdkafka, whose producer shows no effect of it either
- **ignored**: it is accepted and checked, and has no effect here; a line in the log says so when it is set
- **refused**: it is not accepted

`

// ofProducer reports whether p belongs into a producer's manual.
func (p *Property) ofProducer() bool {
	return p.Role != ConsumerRole && p.Kind != Pointer && p.Kind != Internal
}

// ignored reports whether p has no effect here that librdkafka has.
func (p *Property) ignored() bool {
	return p.How == NotHonoured || p.How == Refused && p.Unsupported == ""
}

// effective returns the property that an alias means, and p itself otherwise.
func (p *Property) effective() *Property {
	if p.Kind == Alias {
		return &properties[find(p.Scope, p.Alias)]
	}
	return p
}

// line returns the sentence about p.
func (p *Property) line() string {
	if p.Kind == Alias {
		return "Another name of `" + p.effective().SettableName() + "`."
	}
	return p.Doc
}

// Manual returns the manual of one property, in Markdown.
func (p *Property) Manual() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n", p.SettableName(), p.line())
	if p.Kind == Alias {
		return b.String()
	}
	facts := []string{p.kindText()}
	switch {
	case p.Default != "":
		facts = append(facts, "default `"+p.Default+"`")
	case p.EmptyDefault:
		facts = append(facts, "default empty")
	case p.Kind == String || p.Kind == KafkaString || p.Kind == Patterns || p.Kind == Flags:
		facts = append(facts, "not set by default")
	}
	if p.Kind != Java {
		facts = append(facts, p.Importance.String()+" importance")
	}
	for _, mark := range []struct {
		set  bool
		text string
	}{
		{p.Scope == TopicScope, "of topics"},
		{p.Secret, "secret"},
		{p.Hidden, "not in librdkafka's own manual"},
		{p.Deprecated, "deprecated in librdkafka"},
		{p.Experimental, "experimental in librdkafka"},
	} {
		if mark.set {
			facts = append(facts, mark.text)
		}
	}
	fmt.Fprintf(&b, "\n- %s\n- %s", strings.Join(facts, "; "), p.How)
	if p.Why != "" {
		fmt.Fprintf(&b, ": %s", p.Why)
	}
	b.WriteString("\n")
	return b.String()
}

// kindText returns the kind of p with its range or words.
func (p *Property) kindText() string {
	switch p.Kind {
	case Int, Double:
		text := fmt.Sprintf("%s from %d to %d", p.Kind, p.Min, p.Max)
		for _, w := range p.Words {
			text += fmt.Sprintf(", or `%s` for %d", w.Name, w.Value)
		}
		return text
	case Enum, Flags:
		var words []string
		for _, w := range p.Words {
			words = append(words, "`"+w.Name+"`")
		}
		return p.Kind.String() + " " + strings.Join(words, ", ")
	}
	return p.Kind.String()
}

package conf

import (
	"regexp"
	"strings"
	"time"
)

// Conf is a configuration that is being put together: one value for each row of the table.
// It is not safe for concurrent use.
type Conf struct {
	values []value
	// topic is set once a name was looked up among the topic properties, even in vain: some of
	// librdkafka's checks run only then.
	topic   bool
	secrets *secrets // the properties whose values are kept elsewhere
}

// value is what one property holds. Which field counts follows from the property's Kind.
type value struct {
	number   int32
	double   float64
	text     string
	present  bool // text is set; librdkafka tells the empty text from none
	modified bool // set by the operator, also to its default
	patterns []*regexp.Regexp
}

// New returns a configuration in which every property has its default.
func New() *Conf {
	c := &Conf{values: make([]value, len(properties)), secrets: &secrets{sources: map[string]Source{}, last: map[string]string{}}}
	for i := range properties {
		c.reset(i)
	}
	return c
}

// reset gives property i its default and marks it as not modified.
func (c *Conf) reset(i int) {
	p, v := &properties[i], &c.values[i]
	*v = value{}
	switch p.Kind {
	case Int:
		n, _, _ := strtol(p.Default)
		v.number = int32(n)
	case Double:
		v.double, _, _ = strtod(p.Default)
	case Bool:
		if p.Default == "true" {
			v.number = 1
		}
	case Enum, Flags:
		for word := range strings.SplitSeq(p.Default, ",") {
			for _, w := range p.Words {
				if w.Name == word {
					v.number |= w.Value
				}
			}
		}
	default:
		v.text, v.present = p.Default, p.Default != "" || p.EmptyDefault
	}
}

// Verdict tells why a value was not accepted.
type Verdict string

// The verdicts.
const (
	Unknown Verdict = "UNKNOWN" // there is no such property
	Invalid Verdict = "INVALID" // the property does not take this value
)

// SetError is a refusal by [Conf.Set].
type SetError struct {
	Verdict Verdict
	Text    string // librdkafka's own words; a range error ends in a newline, as it does there
}

// Error returns librdkafka's words.
func (e *SetError) Error() string { return e.Text }

// Set gives the property name a value, as rd_kafka_conf_set does. An alias sets the property it
// means, and errors name that property. The error is a [*SetError]; the value is then unchanged,
// but flags that stand before a bad one have been applied. Set reads no file and blocks on nothing.
func (c *Conf) Set(name, text string) error {
	// C text ends at its first NUL.
	name, _, _ = strings.Cut(name, "\x00")
	text, _, _ = strings.Cut(text, "\x00")
	i := find(GlobalScope, name)
	if i < 0 {
		c.topic = true
		name = strings.TrimPrefix(name, topicPrefix)
		i = find(TopicScope, name)
	}
	if i < 0 {
		return &SetError{Verdict: Unknown, Text: `No such configuration property: "` + name + `"`}
	}
	return c.set(i, text)
}

// Get returns the value of the property name as rd_kafka_conf_get prints it: numbers in decimal,
// booleans as true and false, words in their canonical spelling, flags as a list. It reports false
// for a property that has no value, does not exist, or belongs to topics while no topic property
// has been looked up yet. The prefix "topic." asks for the topic property of that name. Get does
// not hide secrets: see [Property.Secret].
func (c *Conf) Get(name string) (text string, ok bool) {
	i := find(GlobalScope, name)
	if i < 0 && c.topic {
		i = find(TopicScope, strings.TrimPrefix(name, topicPrefix))
	}
	if i < 0 {
		return "", false
	}
	return c.print(i)
}

// number returns the value of an Int, Bool, Enum or Flags property.
func (c *Conf) number(name string) int32 { return c.values[find(GlobalScope, name)].number }

// ms returns the value of an Int property that is a number of milliseconds.
func (c *Conf) ms(name string) time.Duration { return time.Duration(c.number(name)) * time.Millisecond }

// truth returns the value of a Bool property.
func (c *Conf) truth(name string) bool { return c.number(name) != 0 }

// text returns the value of a text property, "" if it has none.
func (c *Conf) text(name string) string { return c.values[find(GlobalScope, name)].text }

// present reports whether a text property has a value, be it empty.
func (c *Conf) present(name string) bool { return c.values[find(GlobalScope, name)].present }

// word returns the canonical spelling of an Enum property's value.
func (c *Conf) word(name string) string {
	text, _ := c.print(find(GlobalScope, name))
	return text
}

// modified reports whether the operator set a property.
func (c *Conf) modified(name string) bool { return c.values[find(GlobalScope, name)].modified }

// global returns the value of a global property for the side effects of Finalize.
func (c *Conf) global(name string) *value { return &c.values[find(GlobalScope, name)] }

// topicValue returns the value of a topic property.
func (c *Conf) topicValue(name string) *value { return &c.values[find(TopicScope, name)] }

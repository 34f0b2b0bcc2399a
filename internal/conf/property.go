package conf

import (
	"slices"
	"strings"
)

// Scope tells where librdkafka keeps a property. A few names exist in both scopes; the global one
// wins, and the other is reached with the prefix "topic.".
type Scope uint8

// The scopes.
const (
	GlobalScope Scope = iota // of the client
	TopicScope               // of the default topic configuration
)

// Role tells which kind of client reads a property.
type Role uint8

// The roles.
const (
	BothRoles Role = iota
	ProducerRole
	ConsumerRole // accepted and checked here, then reported as without effect
)

// Kind is the grammar of a property's value.
type Kind uint8

// The kinds. Their rules are librdkafka's, not Go's: see Conf.Set.
const (
	String      Kind = iota // blanks are cut on the left
	KafkaString             // nothing is cut
	Int                     // strtol in base 0, cut to 32 bits; Words may name values
	Double                  // strtod
	Bool
	Enum     // one of Words
	Flags    // a list of Words with + and -
	Patterns // a list of POSIX extended expressions
	Alias    // another name of the property Alias
	Pointer  // a callback or object of a program: never settable
	Internal // never settable
	Java     // a property of the Java client that librdkafka refuses by name
)

// String returns the name of k as the manual prints it.
func (k Kind) String() string {
	return [...]string{
		String: "text", KafkaString: "text", Int: "integer", Double: "number", Bool: "boolean",
		Enum: "one of", Flags: "list of", Patterns: "list of expressions", Alias: "alias",
		Pointer: "not settable", Internal: "not settable", Java: "not settable",
	}[k]
}

// Importance is librdkafka's own grading of a property.
type Importance uint8

// The grades.
const (
	Low Importance = iota
	Medium
	High
)

// String returns the name of i.
func (i Importance) String() string { return [...]string{"low", "medium", "high"}[i] }

// Honour tells what becomes of a property in this engine.
type Honour uint8

// What becomes of a property.
const (
	Honoured    Honour = iota // it has its effect; a row says nothing then
	NothingToDo               // a producer of librdkafka shows no effect of it either
	NotHonoured               // accepted and checked, but without effect; Why says why
	Refused                   // never accepted, or not where it would matter; Why says why
)

// String returns the words of h in the manual.
func (h Honour) String() string {
	return [...]string{"honoured", "no effect", "ignored", "refused"}[h]
}

// Word is one named value of an Enum, Flags or Int property.
type Word struct {
	Name        string
	Value       int32
	Unsupported string // why librdkafka's release build lacks it
}

// Property is one row of the table: everything that parsing, checking, warning and the manual know
// about one librdkafka property.
type Property struct {
	Name         string
	Scope        Scope
	Role         Role
	Kind         Kind
	Alias        string // Kind Alias: the property that is meant, in the same scope
	Min, Max     int32  // Kind Int and Double
	Default      string // as Set would take it; "" is unset
	EmptyDefault bool   // the default is the empty text and not unset

	// Kind String: the text that is refused by itself, with librdkafka's words for the property, or by the error that refuse returns.
	// Nil refuses nothing. An unset text is refused where invalid is not nil.
	invalid func(text string) bool
	refuse  func(text string) error

	Words        []Word
	Importance   Importance
	Hidden       bool   // not in librdkafka's manual
	Deprecated   bool   // a warning with Notice when it is set
	Experimental bool   // the same
	Notice       string // what librdkafka's warning says after the colon
	Secret       bool   // the value must never be shown
	Unsupported  string // why every value is refused; for Kind Java the whole text
	How          Honour
	Why          string // how it is honoured, or why it is not
	Doc          string // one line for the manual
}

// properties is the table, in librdkafka's order: warnings come in that order.
var properties = table(
	clientProperties,
	socketProperties,
	hostProperties,
	tlsProperties,
	saslProperties,
	extensionProperties,
	consumerProperties,
	producerProperties,
	topicProperties,
)

// table joins the rows, and says of those without a Why what their kind or their role says of all alike.
func table(parts ...[]Property) []Property {
	rows := slices.Concat(parts...)
	for i := range rows {
		switch p := &rows[i]; {
		case p.Why != "" || p.Kind == Alias:
		case p.Kind == Pointer || p.Kind == Internal:
			p.How, p.Why = Refused, "librdkafka takes it from a program only"
			p.Doc = "A callback or an object that a program gives to librdkafka."
		case p.Role == ConsumerRole:
			p.How, p.Why = NothingToDo, "consumers only"
		}
	}
	return rows
}

// Properties returns the table, in librdkafka's order. The caller owns the slice but not the Words
// inside it.
func Properties() []Property { return slices.Clone(properties) }

// Lookup finds a property the way [Conf.Set] does: globally, then for topics with one leading
// "topic." removed, and through aliases.
func Lookup(name string) (Property, bool) {
	i := resolve(name)
	if i < 0 {
		return Property{}, false
	}
	return properties[i], true
}

// resolve returns the row that name means, or -1.
func resolve(name string) int {
	if i := find(GlobalScope, name); i >= 0 {
		return i
	}
	return find(TopicScope, strings.TrimPrefix(name, topicPrefix))
}

// find returns the row of name in one scope, following aliases, or -1.
func find(scope Scope, name string) int {
	for i := range properties {
		p := &properties[i]
		if p.Scope != scope || p.Name != name {
			continue
		}
		if p.Kind == Alias {
			return find(scope, p.Alias)
		}
		return i
	}
	return -1
}

const topicPrefix = "topic."

package smtpdconf

import (
	"strconv"
	"strings"
)

// Form is what a node is made of.
type Form int

// The forms of a node.
const (
	Scalar Form = iota
	List
	Object
)

// Type is the YAML type of a scalar.
type Type int

// The types of a scalar. NoType is that of lists and objects.
const (
	NoType Type = iota
	String
	Number
	Boolean
	Null
)

// Node is a node of the document, with anchors and merges resolved.
type Node struct {
	Form Form
	// Text and Type are those of a scalar: as written, without quotes.
	Text string
	Type Type
	// Env says that the scalar has the tag !Env; Text is then what its variables stand for. Unset is the name of one that is
	// not set and has no default, or "".
	Env   bool
	Unset string
	// Items are those of a list.
	Items []*Node
	// Members are those of an object, in the order of the file.
	Members []Member
	// Line and Column start at 1. What came by an alias has its place at the anchor.
	Line, Column int
}

// Member is a key of an object and its value.
type Member struct {
	Key   *Node
	Value *Node
}

// Get is the value of a key, or nil.
func (n *Node) Get(key string) *Node {
	for _, m := range n.Members {
		if m.Key.Text == key {
			return m.Value
		}
	}
	return nil
}

// path leads from the root to a node: strings are keys, ints are positions.
type path []any

// String writes a key that is more than a word as ["key"].
func (p path) String() string {
	var b strings.Builder
	for _, step := range p {
		switch step := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			switch {
			case !isWord(step):
				b.WriteString("[" + strconv.Quote(step) + "]")
			case b.Len() > 0:
				b.WriteString("." + step)
			default:
				b.WriteString(step)
			}
		}
	}
	return b.String()
}

func isWord(s string) bool {
	for _, c := range s {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

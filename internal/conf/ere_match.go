package conf

import "slices"

// op is what a node of an expression does.
type op uint8

const (
	opSet         op = iota // one character of set
	opSequence              // all of sub, one after the other
	opAlternative           // one of sub
	opRepeat                // sub[0], from..to times; to -1 is no limit
	opAnchor                // a place, told by char
	opNever                 // a reference to a group; see matches
)

// node is a part of a compiled expression.
type node struct {
	op       op
	set      [256]bool
	sub      []*node
	from, to int
	char     byte
}

// escapedClass returns the character class that GNU writes as an escape.
func escapedClass(c byte) func(byte) bool {
	switch c {
	case 'w':
		return isWord
	case 'W':
		return func(c byte) bool { return !isWord(c) }
	case 's':
		return isSpace
	default:
		return func(c byte) bool { return !isSpace(c) }
	}
}

func isWord(c byte) bool { return c == '_' || digit(c) < 36 }

func newSet(has func(byte) bool) *node {
	n := &node{op: opSet}
	for c := range n.set {
		n.set[c] = has(byte(c))
	}
	return n
}

// matches reports whether p matches anywhere in s. It works on sets of positions, so that its time
// grows with the product of both lengths and no expression can hold the caller up. The price is
// that a reference to a group never matches.
func (p *pattern) matches(s string) bool {
	at := make([]bool, len(s)+1)
	for i := range at {
		at[i] = true
	}
	for _, ok := range p.root.ends(s, at) {
		if ok {
			return true
		}
	}
	return false
}

// ends returns the positions at which n can end when it begins at one of the positions at.
func (n *node) ends(s string, at []bool) []bool {
	out := make([]bool, len(at))
	switch n.op {
	case opSet:
		for i := range s {
			out[i+1] = at[i] && n.set[s[i]]
		}
	case opSequence:
		copy(out, at)
		for _, sub := range n.sub {
			out = sub.ends(s, out)
		}
	case opAlternative:
		for _, sub := range n.sub {
			merge(out, sub.ends(s, at))
		}
	case opRepeat:
		return n.repeatEnds(s, at)
	case opAnchor:
		for i := range at {
			out[i] = at[i] && anchored(n.char, s, i)
		}
	}
	return out
}

// repeatEnds makes the rounds that must be, and then goes on only from positions that are new: one
// that was reached in fewer rounds can go as far as one that took more. So it ends soon, however
// large the numbers of the expression are and however many repetitions stand inside each other.
func (n *node) repeatEnds(s string, at []bool) []bool {
	for range n.from {
		next := n.sub[0].ends(s, at)
		if slices.Equal(next, at) {
			break
		}
		at = next
	}
	out := slices.Clone(at)
	for i := n.from; n.to < 0 || i < n.to; i++ {
		at = n.sub[0].ends(s, at)
		if !addNew(out, at) {
			break
		}
	}
	return out
}

// addNew adds the positions of from to out, and takes those out of from that were there already. It
// reports whether any are left.
func addNew(out, from []bool) (left bool) {
	for i, reached := range from {
		from[i] = reached && !out[i]
		out[i] = out[i] || reached
		left = left || from[i]
	}
	return left
}

func merge(into, from []bool) {
	for i, ok := range from {
		into[i] = into[i] || ok
	}
}

// anchored reports whether the anchor c holds at position i of s.
func anchored(c byte, s string, i int) bool {
	before := i > 0 && isWord(s[i-1])
	after := i < len(s) && isWord(s[i])
	switch c {
	case '^', '`':
		return i == 0
	case '$', '\'':
		return i == len(s)
	case '<':
		return !before && after
	case '>':
		return before && !after
	case 'b':
		return before != after
	default:
		return before == after
	}
}

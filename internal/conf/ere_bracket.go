package conf

import "strings"

// bracketParser reads what stands between [ and ].
type bracketParser struct {
	rest string
}

// Bracket tokens: the characters that mean something inside a list.
type bracketToken struct {
	kind byte // 0 end, 'c' character, '-', ']', '^', and '.', '=', ':' after an opening [
	char byte
	size int
}

func (b *bracketParser) peek() bracketToken {
	if b.rest == "" {
		return bracketToken{}
	}
	c := b.rest[0]
	switch c {
	case '[':
		if len(b.rest) > 1 && strings.IndexByte(".=:", b.rest[1]) >= 0 {
			return bracketToken{b.rest[1], b.rest[1], 2}
		}
	case '-', ']', '^':
		return bracketToken{c, c, 1}
	}
	return bracketToken{'c', c, 1}
}

// bracketElement is a character, or what stands in [:name:], [=name=] or [.name.].
type bracketElement struct {
	kind byte // 'c', ':', '=' or '.'
	char byte
	name string
}

// set reads a bracket expression, whose [ is the current token.
func (ps *patternParser) set() *node {
	b := &bracketParser{rest: ps.rest}
	n := &node{op: opSet}
	t := b.peek()
	if t.kind == 0 {
		return ps.fail(badPattern)
	}
	negate := t.kind == '^'
	if negate {
		b.rest = b.rest[t.size:]
		if t = b.peek(); t.kind == 0 {
			return ps.fail(badPattern)
		}
	}
	if t.kind == ']' {
		t.kind = 'c'
	}
	for first := true; ; first = false {
		start, reason := b.element(t, first)
		if reason != "" {
			return ps.fail(reason)
		}
		t = b.peek()
		if start.kind != ':' && start.kind != '=' {
			if t.kind == 0 {
				return ps.fail(badBracket)
			}
			if t.kind == '-' {
				dash := b.rest
				b.rest = b.rest[t.size:]
				end := b.peek()
				switch end.kind {
				case 0:
					return ps.fail(badBracket)
				case ']':
					b.rest = dash // the last dash is a character
					t.kind = 'c'
				default:
					last, reason := b.element(end, true)
					if reason == "" {
						t = b.peek()
						reason = n.addRange(start, last)
					}
					if reason != "" {
						return ps.fail(reason)
					}
					if t.kind == 0 {
						return ps.fail(badBracket)
					}
					if t.kind == ']' {
						return ps.closeSet(n, b, negate)
					}
					continue
				}
			}
		}
		if reason := n.add(start); reason != "" {
			return ps.fail(reason)
		}
		if t.kind == 0 {
			return ps.fail(badBracket)
		}
		if t.kind == ']' {
			return ps.closeSet(n, b, negate)
		}
	}
}

func (ps *patternParser) closeSet(n *node, b *bracketParser, negate bool) *node {
	ps.rest = b.rest[1:]
	if negate {
		for c := range n.set {
			n.set[c] = !n.set[c]
		}
	}
	return n
}

// element reads what token t begins. A dash that is neither first nor last nor a range is an error.
func (b *bracketParser) element(t bracketToken, acceptDash bool) (bracketElement, string) {
	b.rest = b.rest[t.size:]
	switch t.kind {
	case '.', '=', ':':
		return b.named(t.kind)
	case '-':
		if !acceptDash && b.peek().kind != ']' {
			return bracketElement{}, badRange
		}
	}
	return bracketElement{kind: 'c', char: t.char}, ""
}

// named reads up to the closing delimiter and ].
func (b *bracketParser) named(kind byte) (bracketElement, string) {
	const longest = 32
	for i := 0; i < len(b.rest) && i < longest; i++ {
		if b.rest[i] == kind && i+1 < len(b.rest) && b.rest[i+1] == ']' {
			e := bracketElement{kind: kind, name: b.rest[:i]}
			b.rest = b.rest[i+2:]
			return e, ""
		}
	}
	return bracketElement{}, badBracket
}

// add puts one element into the set.
func (n *node) add(e bracketElement) (reason string) {
	switch e.kind {
	case ':':
		is := classNamed(e.name)
		if is == nil {
			return badClass
		}
		for c := range n.set {
			n.set[c] = n.set[c] || is(byte(c))
		}
	case '=', '.':
		// In the C locale a collating element is a single character.
		if len(e.name) != 1 {
			return badCollate
		}
		n.set[e.name[0]] = true
	default:
		n.set[e.char] = true
	}
	return ""
}

// addRange puts the characters from start to end into the set.
func (n *node) addRange(start, end bracketElement) (reason string) {
	if start.kind == ':' || start.kind == '=' || end.kind == ':' || end.kind == '=' {
		return badRange
	}
	for _, e := range []*bracketElement{&start, &end} {
		if e.kind == '.' {
			if len(e.name) != 1 {
				return badCollate
			}
			e.char = e.name[0]
		}
	}
	if start.char > end.char {
		return badRange
	}
	for c := int(start.char); c <= int(end.char); c++ {
		n.set[c] = true
	}
	return ""
}

// classNamed returns a character class of the C locale, or nil.
func classNamed(name string) func(byte) bool {
	alpha := func(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }
	number := func(c byte) bool { return c >= '0' && c <= '9' }
	switch name {
	case "alpha":
		return alpha
	case "digit":
		return number
	case "alnum":
		return func(c byte) bool { return alpha(c) || number(c) }
	case "upper":
		return func(c byte) bool { return c >= 'A' && c <= 'Z' }
	case "lower":
		return func(c byte) bool { return c >= 'a' && c <= 'z' }
	case "space":
		return isSpace
	case "blank":
		return func(c byte) bool { return c == ' ' || c == '\t' }
	case "punct":
		return func(c byte) bool { return c > ' ' && c < 0x7f && !alpha(c) && !number(c) }
	case "print":
		return func(c byte) bool { return c >= ' ' && c < 0x7f }
	case "graph":
		return func(c byte) bool { return c > ' ' && c < 0x7f }
	case "cntrl":
		return func(c byte) bool { return c < ' ' || c == 0x7f }
	case "xdigit":
		return func(c byte) bool { return digit(c) < 16 }
	}
	return nil
}

package conf

import "strings"

// topic.blacklist holds POSIX extended regular expressions, and librdkafka gives them to the C
// library as they are. An expression that the C library refuses must be refused here with the same
// words, and one that it takes must match the same topics, so the grammar is glibc's and not Go's.

// The words of glibc's regerror.
const (
	badPattern  = "Invalid regular expression"
	badCollate  = "Invalid collation character"
	badClass    = "Invalid character class name"
	badEscape   = "Trailing backslash"
	badBackref  = "Invalid back reference"
	badBracket  = "Unmatched [, [^, [:, [., or [="
	badParen    = `Unmatched ( or \(`
	badBrace    = `Unmatched \{`
	badInterval = `Invalid content of \{\}`
	badRange    = "Invalid range end"
	badRepeat   = "Invalid preceding regular expression"
	tooBig      = "Regular expression too big"
)

// maxRepeat is glibc's RE_DUP_MAX.
const maxRepeat = 0x7fff

// pattern is one compiled expression.
type pattern struct {
	text string
	root *node
}

// parsePatterns splits a list at its commas and compiles each item. When one is not an expression
// it returns that item and the C library's reason.
//
// Compat: librdkafka means two commas to stand for one that belongs to the expression, but splits
// at the first of them, so an empty item follows, and that matches every topic. So it is here.
func parsePatterns(list string) (patterns []pattern, bad, reason string) {
	for list != "" {
		item, rest, _ := strings.Cut(list, ",")
		p, why := compilePattern(item)
		if why != "" {
			return nil, item, why
		}
		patterns = append(patterns, p)
		list = rest
	}
	return patterns, "", ""
}

// compilePattern is regcomp(REG_EXTENDED); reason is empty when text is an expression.
func compilePattern(text string) (p pattern, reason string) {
	ps := &patternParser{rest: text}
	ps.next()
	root := ps.alternatives(0)
	return pattern{text: text, root: root}, ps.reason
}

// patternParser reads one expression from left to right. The first reason stops it.
type patternParser struct {
	rest   string // what comes after tok
	tok    token
	groups int
	closed uint // groups that are complete, by bit
	reason string
}

type token struct {
	kind byte // one of the characters below
	char byte
}

// Token kinds: the operators stand for themselves.
const (
	tokEnd     = 0
	tokChar    = 'c'
	tokAnchor  = '^'
	tokBackref = '1'
	tokClass   = 'w' // \w \W \s \S, told by char
	tokSlash   = '\\'
)

func (ps *patternParser) fail(reason string) *node {
	if ps.reason == "" {
		ps.reason = reason
	}
	return nil
}

// next reads a token.
func (ps *patternParser) next() {
	if ps.rest == "" {
		ps.tok = token{}
		return
	}
	c := ps.rest[0]
	ps.rest = ps.rest[1:]
	switch c {
	case '|', '*', '+', '?', '{', '}', '(', ')', '[', '.':
		ps.tok = token{c, c}
	case '^', '$':
		ps.tok = token{tokAnchor, c}
	case '\\':
		if ps.rest == "" {
			ps.tok = token{tokSlash, c}
			return
		}
		c = ps.rest[0]
		ps.rest = ps.rest[1:]
		switch c {
		case '1', '2', '3', '4', '5', '6', '7', '8', '9':
			ps.tok = token{tokBackref, c}
		case '<', '>', 'b', 'B', '`', '\'':
			ps.tok = token{tokAnchor, c}
		case 'w', 'W', 's', 'S':
			ps.tok = token{tokClass, c}
		default:
			ps.tok = token{tokChar, c}
		}
	default:
		ps.tok = token{tokChar, c}
	}
}

// atEnd tells whether a branch ends here. Outside of a group a closing parenthesis is a character.
func (ps *patternParser) atEnd(nest int) bool {
	return ps.tok.kind == tokEnd || ps.tok.kind == '|' || nest > 0 && ps.tok.kind == ')'
}

func (ps *patternParser) alternatives(nest int) *node {
	before := ps.closed
	alt := &node{op: opAlternative}
	alt.sub = append(alt.sub, ps.branch(nest))
	for ps.reason == "" && ps.tok.kind == '|' {
		ps.next()
		if ps.atEnd(nest) {
			alt.sub = append(alt.sub, &node{op: opSequence})
			continue
		}
		// A group of one branch cannot be referred to in another.
		closed := ps.closed
		ps.closed = before
		alt.sub = append(alt.sub, ps.branch(nest))
		ps.closed |= closed
	}
	return alt
}

func (ps *patternParser) branch(nest int) *node {
	seq := &node{op: opSequence}
	for ps.reason == "" && !ps.atEnd(nest) {
		if n := ps.expression(nest); n != nil {
			seq.sub = append(seq.sub, n)
		}
	}
	return seq
}

func (ps *patternParser) expression(nest int) *node {
	var n *node
	switch t := ps.tok; t.kind {
	case '(':
		n = ps.group(nest)
	case '[':
		n = ps.set()
	case '.':
		n = newSet(func(c byte) bool { return c != 0 })
	case tokClass:
		n = newSet(escapedClass(t.char))
	case tokBackref:
		if ps.closed&(1<<(t.char-'1')) == 0 {
			return ps.fail(badBackref)
		}
		n = &node{op: opNever}
	case tokAnchor:
		// An anchor takes no repetition: in "^*" the star has nothing before it.
		ps.next()
		return &node{op: opAnchor, char: t.char}
	case '{', '*', '+', '?':
		return ps.fail(badRepeat)
	case tokSlash:
		return ps.fail(badEscape)
	default:
		n = &node{op: opSet}
		n.set[t.char] = true
	}
	if ps.reason != "" {
		return nil
	}
	ps.next()
	for ps.reason == "" && (ps.tok.kind == '*' || ps.tok.kind == '+' || ps.tok.kind == '?' || ps.tok.kind == '{') {
		n = ps.repeat(n)
	}
	return n
}

func (ps *patternParser) group(nest int) *node {
	number := ps.groups
	ps.groups++
	ps.next()
	n := &node{op: opSequence}
	if ps.tok.kind != ')' {
		n = ps.alternatives(nest + 1)
		if ps.reason == "" && ps.tok.kind != ')' {
			return ps.fail(badParen)
		}
	}
	if number < 9 {
		ps.closed |= 1 << number
	}
	return n
}

func (ps *patternParser) repeat(n *node) *node {
	from, to := 0, -1
	switch ps.tok.kind {
	case '+':
		from = 1
	case '?':
		to = 1
	case '{':
		if from, to = ps.interval(); ps.reason != "" {
			return nil
		}
	}
	ps.next()
	return &node{op: opRepeat, sub: []*node{n}, from: from, to: to}
}

// interval reads "{n}", "{n,}", "{n,m}" or "{,m}". A to of -1 is no limit.
func (ps *patternParser) interval() (from, to int) {
	const none, wrong = -1, -2
	from = ps.count()
	if from == none {
		if ps.tok.char != ',' || ps.tok.kind != tokChar {
			ps.fail(badInterval)
			return 0, 0
		}
		from = 0
	}
	to = wrong
	if from != wrong {
		switch {
		case ps.tok.kind == '}':
			to = from
		case ps.tok.kind == tokChar && ps.tok.char == ',':
			to = ps.count()
		}
	}
	switch {
	case from == wrong || to == wrong:
		if ps.tok.kind == tokEnd {
			ps.fail(badBrace)
		} else {
			ps.fail(badInterval)
		}
	case to != none && from > to || ps.tok.kind != '}':
		ps.fail(badInterval)
	case max(from, to) > maxRepeat:
		ps.fail(tooBig)
	}
	return from, to
}

// count reads digits up to a comma or a brace: -1 without digits, -2 if it is not a number.
func (ps *patternParser) count() int {
	n := -1
	for {
		ps.next()
		c := ps.tok.char
		switch {
		case ps.tok.kind == tokEnd:
			return -2
		case ps.tok.kind == '}' || c == ',':
			return n
		case ps.tok.kind != tokChar || c < '0' || c > '9' || n == -2:
			n = -2
		case n == -1:
			n = int(c - '0')
		default:
			n = min(maxRepeat+1, n*10+int(c-'0'))
		}
	}
}

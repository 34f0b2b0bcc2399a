package hsl

import (
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokEOF tokenKind = iota
	tokName
	tokVar
	tokNumber
	tokString
	tokRegex
	tokOp
)

type token struct {
	kind tokenKind
	pos  Pos
	// text is the name, the variable's name without $, or the operator.
	text  string
	num   Number
	parts []stringPart
	regex *Regex
}

// stringPart is a piece of a string literal: fixed bytes, or a variable where name is set.
type stringPart struct {
	text string
	name string
	pos  Pos
}

func (t token) String() string {
	switch t.kind {
	case tokEOF:
		return "the end of the file"
	case tokVar:
		return "$" + t.text
	case tokNumber:
		return "a number"
	case tokString:
		return "a string"
	case tokRegex:
		return "a regular expression"
	}
	return `"` + t.text + `"`
}

// operators, longest first: the first that fits is taken.
var operators = [...]string{
	">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "??=",
	"=>", "==", "!=", "<=", ">=", "=~", "!~", "++", "--", "**", "<<", ">>", "??", "->", "::",
	"+=", "-=", ".=", "*=", "/=", "%=", "&=", "|=", "^=",
	"+", "-", "*", "/", "%", ".", "=", "<", ">", "!", "&", "|", "^", "~", "?", ":", ",", ";",
	"(", ")", "[", "]", "{", "}",
}

// scanner cuts a script into tokens. It stops at the first error.
type scanner struct {
	file string
	src  string
	off  int
	// line follows off. column is that of columnOff, from which the next place is counted: counting
	// from the start of the line each time takes for ever where a script is one long line.
	line      int
	columnOff int
	column    int
}

func scan(file string, src []byte) ([]token, error) {
	s := &scanner{file: file, src: string(src), line: 1, column: 1}
	var tokens []token
	for {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		if t.kind == tokEOF {
			return tokens, nil
		}
	}
}

// pos is the place of off, which lies in the current line, not before the last place asked for.
func (s *scanner) pos(off int) Pos {
	s.column += utf8.RuneCountInString(s.src[s.columnOff:off])
	s.columnOff = off
	return Pos{s.file, s.line, s.column}
}

// advance moves to off and counts the lines on the way.
func (s *scanner) advance(off int) {
	for {
		i := strings.IndexByte(s.src[s.off:off], '\n')
		if i < 0 {
			break
		}
		s.line++
		s.off += i + 1
		s.columnOff, s.column = s.off, 1
	}
	s.off = off
}

func (s *scanner) errorf(p Pos, msg string) error { return &SyntaxError{p, msg} }

func (s *scanner) rest() string { return s.src[s.off:] }

func (s *scanner) next() (token, error) {
	if err := s.skipBlank(); err != nil {
		return token{}, err
	}
	t := token{pos: s.pos(s.off)}
	rest := s.rest()
	if rest == "" {
		return t, nil
	}
	switch c := rest[0]; {
	case c == '$':
		name := scanName(rest[1:])
		if name == "" {
			return t, s.errorf(t.pos, "a variable needs a name after $")
		}
		t.kind, t.text = tokVar, name
		s.off += 1 + len(name)
		return t, nil
	case isDigit(c):
		return s.number(t)
	case isNameStart(c):
		t.kind, t.text = tokName, scanName(rest)
		s.off += len(t.text)
		return t, nil
	case c == '"':
		return s.quoted(t)
	case c == '\'':
		return s.raw(t)
	case c == '#':
		return s.regexp(t)
	}
	for _, op := range operators {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		if op == "&" && strings.HasPrefix(rest, "&&") {
			return t, s.errorf(t.pos, `"&&" is no operator: write "and"`)
		}
		if op == "|" && strings.HasPrefix(rest, "||") {
			return t, s.errorf(t.pos, `"||" is no operator: write "or"`)
		}
		t.kind, t.text = tokOp, op
		s.off += len(op)
		return t, nil
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return t, s.errorf(t.pos, "unexpected character "+quoteRune(r, rest[0]))
}

// skipBlank skips blanks and comments.
func (s *scanner) skipBlank() error {
	for {
		rest := s.rest()
		switch {
		case rest == "":
			return nil
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			s.advance(s.off + 1)
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			s.off += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return s.errorf(s.pos(s.off), "the comment is not closed: */ is missing")
			}
			s.advance(s.off + 2 + end + 2)
		default:
			return nil
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// scanName is the name that s starts with, or "".
func scanName(s string) string {
	if s == "" || !isNameStart(s[0]) {
		return ""
	}
	n := 1
	for n < len(s) && (isNameStart(s[n]) || isDigit(s[n])) {
		n++
	}
	return s[:n]
}

func quoteRune(r rune, first byte) string {
	if r == utf8.RuneError {
		return string(appendQuoted(nil, string([]byte{first})))
	}
	return string(appendQuoted(nil, string(r)))
}

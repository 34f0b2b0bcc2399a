package hsl

import (
	"regexp"
	"strconv"
	"strings"
)

// number reads a decimal with fraction and exponent, or 0x, 0o and 0b integers. Underscores stand
// between digits only.
func (s *scanner) number(t token) (token, error) {
	t.kind = tokNumber
	rest := s.rest()
	base, set := 0, ""
	switch {
	case strings.HasPrefix(rest, "0x"):
		base, set = 16, "0123456789abcdefABCDEF"
	case strings.HasPrefix(rest, "0o"):
		base, set = 8, "01234567"
	case strings.HasPrefix(rest, "0b"):
		base, set = 2, "01"
	}
	if base != 0 {
		digits, n := scanDigits(rest[2:], set)
		n += 2
		if digits == "" || followedByName(rest[n:]) {
			return t, s.errorf(t.pos, "malformed number")
		}
		v, err := strconv.ParseUint(digits, base, 64)
		if err != nil {
			return t, s.errorf(t.pos, "the number does not fit 64 bits")
		}
		t.num = Number(v)
		s.off += n
		return t, nil
	}
	const decimal = "0123456789"
	digits, n := scanDigits(rest, decimal)
	// A dot that no digit follows is the operator that joins strings.
	if n+1 < len(rest) && rest[n] == '.' && isDigit(rest[n+1]) {
		fraction, m := scanDigits(rest[n+1:], decimal)
		digits, n = digits+"."+fraction, n+1+m
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		sign, m := "", n+1
		if m < len(rest) && (rest[m] == '+' || rest[m] == '-') {
			sign = rest[m : m+1]
			m++
		}
		if exponent, k := scanDigits(rest[m:], decimal); exponent != "" {
			digits, n = digits+"e"+sign+exponent, m+k
		}
	}
	if followedByName(rest[n:]) {
		return t, s.errorf(t.pos, "malformed number")
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return t, s.errorf(t.pos, "the number does not fit a double")
	}
	t.num = Number(f)
	s.off += n
	return t, nil
}

// scanDigits reads digits of set with single underscores between them; n counts both.
func scanDigits(s, set string) (digits string, n int) {
	var b strings.Builder
	for n < len(s) {
		if s[n] == '_' && n > 0 && s[n-1] != '_' && n+1 < len(s) && strings.IndexByte(set, s[n+1]) >= 0 {
			n++
			continue
		}
		if strings.IndexByte(set, s[n]) < 0 {
			break
		}
		b.WriteByte(s[n])
		n++
	}
	return b.String(), n
}

func followedByName(s string) bool { return s != "" && (isNameStart(s[0]) || isDigit(s[0])) }

// quoted reads a "string" with escapes, $name and ${name}.
func (s *scanner) quoted(t token) (token, error) {
	t.kind = tokString
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t.parts = append(t.parts, stringPart{text: text.String()})
			text.Reset()
		}
	}
	i := s.off + 1
	for {
		if i >= len(s.src) {
			return t, s.errorf(t.pos, `the string is not closed: " is missing`)
		}
		switch c := s.src[i]; c {
		case '"':
			flush()
			s.advance(i + 1)
			return t, nil
		case '\\':
			s.advance(i)
			b, n, ok := unescape(s.src[i:])
			if !ok {
				return t, s.errorf(s.pos(i), `unknown escape in the string: the escapes are \\ \" \$ \n \r \t and \xHH`)
			}
			text.WriteByte(b)
			i += n
		case '$':
			s.advance(i)
			name, n, err := s.interpolation(i)
			if err != nil {
				return t, err
			}
			if name == "" {
				text.WriteByte('$')
			} else {
				flush()
				t.parts = append(t.parts, stringPart{name: name, pos: s.pos(i)})
			}
			i += n
		default:
			text.WriteByte(c)
			i++
		}
	}
}

// interpolation reads $name or ${name} at i. A $ before anything else is a $.
func (s *scanner) interpolation(i int) (name string, n int, err error) {
	rest := s.src[i+1:]
	if !strings.HasPrefix(rest, "{") {
		name = scanName(rest)
		return name, 1 + len(name), nil
	}
	name = scanName(rest[1:])
	if name == "" || !strings.HasPrefix(rest[1+len(name):], "}") {
		return "", 0, s.errorf(s.pos(i), `"${" needs the name of a variable and "}"; for a $ write \$`)
	}
	return name, len("${}") + len(name), nil
}

// unescape reads the escape that s starts with, and how many bytes it takes.
func unescape(s string) (b byte, n int, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	switch s[1] {
	case '\\', '"', '$':
		return s[1], 2, true
	case 'n':
		return '\n', 2, true
	case 'r':
		return '\r', 2, true
	case 't':
		return '\t', 2, true
	case 'x':
		if len(s) < 4 {
			return 0, 0, false
		}
		v, err := strconv.ParseUint(s[2:4], 16, 8)
		return byte(v), 4, err == nil
	}
	return 0, 0, false
}

// raw reads a raw string, which ends in the mark that it begins with: two single quotes with a tag or
// nothing between them. Its bytes stand for themselves.
func (s *scanner) raw(t token) (token, error) {
	t.kind = tokString
	rest := s.rest()
	end := 1
	for end < len(rest) && rest[end] > ' ' && rest[end] < 0x7f && rest[end] != '\'' {
		end++
	}
	if end >= len(rest) || rest[end] != '\'' {
		return t, s.errorf(t.pos, `single quotes begin a raw string, ''...'' or 'tag'...'tag'; for a plain string use "`)
	}
	mark := rest[:end+1]
	body := rest[len(mark):]
	n := strings.Index(body, mark)
	if n < 0 {
		return t, s.errorf(t.pos, "the raw string is not closed: "+mark+" is missing")
	}
	if n > 0 {
		t.parts = []stringPart{{text: body[:n]}}
	}
	s.advance(s.off + 2*len(mark) + n)
	return t, nil
}

// regexp reads #/.../flags.
func (s *scanner) regexp(t token) (token, error) {
	t.kind = tokRegex
	rest := s.rest()
	if !strings.HasPrefix(rest, "#/") {
		return t, s.errorf(t.pos, `unexpected character "#"`)
	}
	for i := 2; i < len(rest) && rest[i] != '\n'; i++ {
		switch rest[i] {
		case '\\':
			i++
		case '/':
			n := i + 1
			for n < len(rest) && isNameStart(rest[n]) {
				n++
			}
			re, err := compileRegex(rest[2:i], rest[i+1:n])
			if err != nil {
				return t, s.errorf(t.pos, err.Error())
			}
			t.regex = &Regex{Source: rest[:n], re: re}
			s.off += n
			return t, nil
		}
	}
	return t, s.errorf(t.pos, "the regular expression is not closed: / is missing")
}

// compileRegex compiles a pattern with the flags of PCRE that mean the same here.
func compileRegex(pattern, flags string) (*regexp.Regexp, error) {
	prefix := ""
	for _, f := range flags {
		switch f {
		case 'i', 'm', 's', 'U':
			prefix += string(f)
		case 'u':
			// Patterns and subjects are UTF-8 here with and without it.
		default:
			return nil, errorString("the flag " + strconv.QuoteRune(f) + " of a regular expression is not supported: i, m, s, u and U are")
		}
	}
	if prefix != "" {
		pattern = "(?" + prefix + ")" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, errorString("the regular expression is not supported: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// errorString is an error that is its text.
type errorString string

func (e errorString) Error() string { return string(e) }

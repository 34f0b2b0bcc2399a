package operator

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// exact is a text that JSON must bring back byte for byte. Values come from the command line and from files,
// where nothing says that they are UTF-8, and encoding/json would replace what is not. A byte that is no UTF-8
// is written as the code point U+DC00 plus its value, alone: the notation that Python calls surrogateescape.
type exact string

// MarshalJSON implements [json.Marshaler].
func (s exact) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, len(s)+2), '"')
	for rest := string(s); rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\udc%02x`, rest[0])
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = append(b, rest[:size]...)
		}
		rest = rest[size:]
	}
	return append(b, '"'), nil
}

// writeJSON writes v as one line. Nothing is escaped for HTML: who compares texts would stumble over it.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// oneLine makes a text fit for a line on a terminal: the newline that ends some of librdkafka's texts goes, and
// control characters, which a value may bring into an error, are shown and not obeyed.
func oneLine(s string) string {
	var b []byte
	for _, r := range strings.TrimRight(s, "\n") {
		switch {
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r == 0x2028 || r == 0x2029 || r == 0xfeff || unicode.Is(unicode.Bidi_Control, r):
			b = fmt.Appendf(b, `\u%04x`, r) // line ends too, and what turns the direction of writing
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

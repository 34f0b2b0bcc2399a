package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Printable returns s fit for one line of a log or a terminal: what ends a line, moves the cursor or turns the direction of
// writing, and what is no UTF-8, is written as the bytes \xNN. Names of topics come from scripts, and a script's data from mail;
// the reason of a refused login comes from whoever answers at the broker's address. Without this, they could write lines
// of their own into the log.
func Printable(s string) string {
	if !strings.ContainsFunc(s, func(c rune) bool { return !printable(c) }) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		if printable(c) {
			b.WriteString(s[i : i+n])
		} else {
			for _, raw := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, "\\x%02x", raw)
			}
		}
		i += n
	}
	return b.String()
}

// printable reports whether a character is shown as one and does nothing.
func printable(c rune) bool {
	switch {
	case c == utf8.RuneError || unicode.IsControl(c), // C0, delete, and C1, which some terminals obey
		c == '\u2028' || c == '\u2029', // line and paragraph separators
		unicode.Is(unicode.Bidi_Control, c) || c == '\ufeff':
		return false
	}
	return true
}

// Thousands returns n with commas: 1,204.
func Thousands(n int64) string {
	text := fmt.Sprint(n)
	from := 1
	if n < 0 {
		from = 2
	}
	for i := len(text) - 3; i >= from; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Size returns a number of bytes for people: 512 bytes, 1.5 KiB, 10.0 GiB.
func Size(n int64) string {
	const unit = 1024
	switch {
	case n == 1:
		return "1 byte"
	case n < unit:
		return fmt.Sprintf("%d bytes", n)
	}
	value, names := float64(n)/unit, "KMGTPE"
	for value >= unit && len(names) > 1 {
		value, names = value/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %ciB", value, names[0])
}

// Age returns a duration for people: 12s, 3m20s, 4h10m, 5d3h.
func Age(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	day := 24 * time.Hour
	switch {
	case d < time.Hour:
		return d.String()
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
}

// Lasted returns a duration as sentences have it: 9.5 s, 90 s, 5 min, 30 h, 3 days.
func Lasted(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

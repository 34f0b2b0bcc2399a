package conf

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// librdkafka reads values with the C library, and operators rely on what that accepts: "10k" is 10,
// "0x10" is 16, "08" is 0, and a number beyond 64 bits saturates and is then cut to 32. Go's own
// parsers differ in each of these, so the few C functions are written out here.

// spaces are what isspace matches in the C locale.
const spaces = " \t\n\v\f\r"

// trimLeftSpace cuts spaces from the left.
func trimLeftSpace(s string) string { return strings.TrimLeft(s, spaces) }

// trimSpace cuts spaces from both ends.
func trimSpace(s string) string { return strings.Trim(s, spaces) }

// equalFold is strcasecmp in the C locale: only ASCII letters fold.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// strtol is strtol(s, &end, 0) with a 64-bit long. rest is what stands at end; ok is false where that is all of s.
func strtol(s string) (n int64, rest string, ok bool) {
	sign, s := cutSign(s)
	base := 10
	if s != "" && s[0] == '0' {
		base = 8
		// Without a hex digit behind it, "0x" is the number 0 and the rest is ignored.
		if len(s) > 2 && lower(s[1]) == 'x' && digit(s[2]) < 16 {
			base, s = 16, s[2:]
		}
	}
	return number(sign, s, base)
}

// cutSign cuts spaces and a sign from the left, and returns the sign if it is a minus.
func cutSign(s string) (sign, rest string) {
	s = trimLeftSpace(s)
	switch {
	case strings.HasPrefix(s, "-"):
		return "-", s[1:]
	case strings.HasPrefix(s, "+"):
		return "", s[1:]
	}
	return "", s
}

// number reads the digits that s begins with. What is beyond 64 bits is the largest number, or the least.
func number(sign, s string, base int) (n int64, rest string, ok bool) {
	rest = strings.TrimLeftFunc(s, func(r rune) bool { return r <= unicode.MaxASCII && digit(byte(r)) < base })
	digits := s[:len(s)-len(rest)]
	n, _ = strconv.ParseInt(sign+digits, base, 64)
	return n, rest, digits != ""
}

// digit returns the value of a digit in bases up to 36, or more than that.
func digit(c byte) int {
	switch c = lower(c); {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	}
	return math.MaxInt
}

// atoi is atoi: strtol in base 10, cut to an int. Text without a number is 0.
func atoi(s string) int32 {
	sign, s := cutSign(s)
	n, _, _ := number(sign, s, 10)
	return int32(n)
}

// double is what strtod reads behind blanks and a sign.
var double = regexp.MustCompile(`^(?i:0x([0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(p[+-]?[0-9]+)?|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf(inity)?|nan(\([0-9a-z_]*\))?)`)

// strtod is strtod: the longest prefix that is a decimal or hex number, inf, infinity or nan. rest is what stands at end;
// ok is false where that is all of s.
func strtod(s string) (f float64, rest string, ok bool) {
	sign, s := cutSign(s)
	text := double.FindString(s)
	number, _, _ := strings.Cut(strings.ToLower(text), "(") // of nan
	if strings.HasPrefix(number, "0x") && !strings.Contains(number, "p") {
		number += "p0" // on which Go insists
	}
	// The error can only be the range, and then the value is already what C gives: infinity or 0.
	f, _ = strconv.ParseFloat(number, 64)
	if sign == "-" {
		f = math.Copysign(f, -1)
	}
	return f, s[len(text):], text != ""
}

// formatG is printf's %g.
func formatG(f float64) string {
	switch {
	case math.IsNaN(f):
		if math.Signbit(f) {
			return "-nan"
		}
		return "nan"
	case math.IsInf(f, 0):
		if f < 0 {
			return "-inf"
		}
		return "inf"
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

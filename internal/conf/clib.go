package conf

import (
	"math"
	"strconv"
	"strings"
)

// librdkafka reads values with the C library, and operators rely on what that accepts: "10k" is 10,
// "0x10" is 16, "08" is 0, and a number beyond 64 bits saturates and is then cut to 32. Go's own
// parsers differ in each of these, so the few C functions are written out here.

// isSpace is isspace in the C locale.
func isSpace(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }

// trimLeftSpace cuts what isspace matches from the left.
func trimLeftSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

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

// strtol is strtol(s, &end, 0) with a 64-bit long. ok is false where end would equal s.
func strtol(s string) (n int64, ok bool) {
	s = trimLeftSpace(s)
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative = s[0] == '-'
		s = s[1:]
	}
	base := uint64(10)
	if s != "" && s[0] == '0' {
		base = 8
		// Without a hex digit behind it, "0x" is the number 0 and the rest is ignored.
		if len(s) > 2 && lower(s[1]) == 'x' && digit(s[2]) < 16 {
			base, s = 16, s[2:]
		}
	}
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	var sum uint64
	saturated := false
	for ; s != "" && digit(s[0]) < base; s = s[1:] {
		d := digit(s[0])
		if saturated || sum > (limit-d)/base {
			saturated = true
		} else {
			sum = sum*base + d
		}
		ok = true
	}
	if saturated {
		sum = limit
	}
	if negative {
		return int64(-sum), ok
	}
	return int64(sum), ok
}

// digit returns the value of a digit in bases up to 36, or more than that.
func digit(c byte) uint64 {
	switch c = lower(c); {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c >= 'a' && c <= 'z':
		return uint64(c-'a') + 10
	}
	return math.MaxUint64
}

// atoi is atoi: strtol in base 10, cut to an int. Text without a number is 0.
func atoi(s string) int32 {
	s = trimLeftSpace(s)
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, s = s[:1], s[1:]
	}
	// A leading zero would turn base 0 into octal.
	for len(s) > 1 && s[0] == '0' && digit(s[1]) < 10 {
		s = s[1:]
	}
	if len(s) > 1 && s[0] == '0' {
		return 0
	}
	n, _ := strtol(sign + s)
	return int32(n)
}

// strtod is strtod: the longest prefix that is a decimal or hex number, inf, infinity or nan. ok is
// false where end would equal s.
func strtod(s string) (f float64, ok bool) {
	s = trimLeftSpace(s)
	sign := 1.0
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if len(s) >= 3 && equalFold(s[:3], "inf") {
		return math.Inf(int(sign)), true
	}
	if len(s) >= 3 && equalFold(s[:3], "nan") {
		return math.Copysign(math.NaN(), sign), true
	}
	number := decimalPrefix(s)
	if len(s) > 2 && s[0] == '0' && lower(s[1]) == 'x' {
		if hex := hexPrefix(s[2:]); hex != "" {
			number = "0x" + hex
		}
	}
	if number == "" {
		return 0, false
	}
	// The error can only be the range, and then the value is already what C gives: infinity or 0.
	f, _ = strconv.ParseFloat(number, 64)
	return f * sign, true
}

// decimalPrefix returns the part of s that is digits, a point and an exponent; "" without a digit.
func decimalPrefix(s string) string {
	n, some := mantissa(s, 10)
	if !some {
		return ""
	}
	return s[:exponent(s, n, 'e')]
}

// mantissa returns where the digits and the point that s begins with end, and whether there is a digit.
func mantissa(s string, base uint64) (n int, some bool) {
	n, some = digits(s, 0, base)
	if n < len(s) && s[n] == '.' {
		if m, more := digits(s, n+1, base); some || more {
			return m, true
		}
	}
	return n, some
}

// hexPrefix is decimalPrefix for what follows "0x", with the exponent that Go insists on.
func hexPrefix(s string) string {
	n, some := mantissa(s, 16)
	if !some {
		return ""
	}
	if e := exponent(s, n, 'p'); e > n {
		return s[:e]
	}
	return s[:n] + "p0"
}

func digits(s string, from int, base uint64) (to int, some bool) {
	for to = from; to < len(s) && digit(s[to]) < base; to++ {
		some = true
	}
	return to, some
}

// exponent returns the end of the exponent that begins at n with letter, or n if there is none.
func exponent(s string, n int, letter byte) int {
	if n >= len(s) || lower(s[n]) != letter {
		return n
	}
	from := n + 1
	if from < len(s) && (s[from] == '+' || s[from] == '-') {
		from++
	}
	if to, some := digits(s, from, 10); some {
		return to
	}
	return n
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
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', 5, 64), "e")
	n, _ := strconv.Atoi(exponent)
	if n >= -4 && n < 6 {
		return trimFraction(strconv.FormatFloat(f, 'f', 5-n, 64))
	}
	return trimFraction(mantissa) + "e" + exponent
}

func trimFraction(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

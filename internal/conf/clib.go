package conf

import (
	"math"
	"strconv"
	"strings"
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

// strtol is strtol(s, &end, 0) with a 64-bit long. ok is false where end would equal s.
func strtol(s string) (n int64, ok bool) {
	negative, s := cutSign(s)
	base := uint64(10)
	if s != "" && s[0] == '0' {
		base = 8
		// Without a hex digit behind it, "0x" is the number 0 and the rest is ignored.
		if len(s) > 2 && lower(s[1]) == 'x' && digit(s[2]) < 16 {
			base, s = 16, s[2:]
		}
	}
	return number(negative, s, base)
}

// cutSign cuts spaces and a sign from the left.
func cutSign(s string) (negative bool, rest string) {
	s = trimLeftSpace(s)
	if s != "" && (s[0] == '+' || s[0] == '-') {
		return s[0] == '-', s[1:]
	}
	return false, s
}

// number reads the digits that s begins with. What is beyond 64 bits is the largest number, or the least.
func number(negative bool, s string, base uint64) (n int64, ok bool) {
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
	negative, s := cutSign(s)
	n, _ := number(negative, s, 10)
	return int32(n)
}

// strtod is strtod: the longest prefix that is a decimal or hex number, inf, infinity or nan. ok is
// false where end would equal s.
func strtod(s string) (f float64, ok bool) {
	negative, s := cutSign(s)
	sign := 1.0
	if negative {
		sign = -1
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
	return strconv.FormatFloat(f, 'g', 6, 64)
}

package queueconf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Halon writes sizes as ?(TiB|GiB|MiB|KiB|B) and times as ?d?h?m?s. Keys of our own take both, and plain numbers of
// bytes and seconds.

var sizes = []struct {
	unit  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// size reads a number of bytes.
func size(text string, least, most int64) (int64, error) {
	for _, s := range sizes {
		digits, ok := strings.CutSuffix(text, s.unit)
		if !ok {
			continue
		}
		n, ok := whole(digits)
		if !ok || n > math.MaxInt64/s.bytes || n*s.bytes < least || n*s.bytes > most {
			break
		}
		return n * s.bytes, nil
	}
	return 0, fmt.Errorf("%q must be a whole number of bytes, or one with B, KiB, MiB, GiB or TiB, from %d to %d", text, least, most)
}

var times = []struct {
	unit    byte
	seconds int64
}{{'d', 24 * 60 * 60}, {'h', 60 * 60}, {'m', 60}, {'s', 1}}

// age reads a time in seconds.
func age(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q must be a whole number of seconds, or days, hours, minutes and seconds such as 5d or 1h30m, from 0 to %d seconds", text, longestMaxAge)
	if n, ok := whole(text); ok && n <= longestMaxAge {
		return time.Duration(n) * time.Second, nil
	}
	rest, sum := text, int64(0)
	for _, t := range times {
		digits, after, found := strings.Cut(rest, string(t.unit))
		n, ok := whole(digits)
		if !found || !ok {
			continue
		}
		if n > (longestMaxAge-sum)/t.seconds {
			return 0, bad
		}
		sum, rest = sum+n*t.seconds, after
	}
	if rest != "" || text == "" {
		return 0, bad
	}
	return time.Duration(sum) * time.Second, nil
}

// whole reads digits and nothing else.
func whole(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil
}

// Package nearest finds the name that a mistyped word stands for. It is pure and knows no domain: the caller has the
// names.
package nearest

import (
	"slices"
	"strings"
)

// most is how many names are worth reading.
const most = 3

// plain compares names as they are typed and not as they are stored: a-b and a_b for a.b.
var plain = strings.NewReplacer("-", ".", "_", ".")

// Names returns those of names that word may be a slip of, best first, at most three. Where it is a slip of none, those that
// it is a part of are near: who asks for "linger" wants to see what there is.
func Names(word string, names []string) []string {
	word = strings.ToLower(strings.TrimSpace(word))
	if word == "" || len(word) > 100 {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var near, longer []candidate
	for _, name := range names {
		folded := strings.ToLower(name)
		d := distance(plain.Replace(word), plain.Replace(folded))
		switch {
		case d <= max(1, len(word)/5) && d < len(word):
			near = append(near, candidate{name, d})
		case len(word) >= 4 && strings.Contains(folded, word):
			longer = append(longer, candidate{name, d})
		}
	}
	if near == nil {
		near = longer
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var found []string
	for _, c := range near[:min(most, len(near))] {
		found = append(found, c.name)
	}
	return found
}

// Meant returns " (is a or b meant?)" for a name that does not exist, or "" where none is near.
func Meant(word string, names []string) string {
	found := Names(word, names)
	if len(found) == 0 {
		return ""
	}
	return " (is " + strings.Join(found, " or ") + " meant?)"
}

// distance is how many characters must be put in, left out, replaced or swapped with their neighbour.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

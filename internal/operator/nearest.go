package operator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halon-extras/kafka/internal/conf"
)

// nearest returns the names of properties that name may be a slip of, best first, at most three. Where it is a
// slip of none, those that it is a part of are near: who asks for "linger" wants to see what there is.
func nearest(name string) []string {
	const most = 3
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" || len(name) > 100 {
		return nil
	}
	// As keys are typed and not as they are stored: a-b and a_b for a.b.
	plain := strings.NewReplacer("-", ".", "_", ".")
	type candidate struct {
		name     string
		distance int
	}
	var near, longer []candidate
	for _, p := range conf.Properties() {
		if p.Kind == conf.Pointer || p.Kind == conf.Internal {
			continue
		}
		settable := p.SettableName()
		d := distance(plain.Replace(name), plain.Replace(strings.ToLower(settable)))
		switch {
		case d <= max(1, len(name)/5):
			near = append(near, candidate{settable, d})
		case len(name) >= 4 && strings.Contains(settable, name):
			longer = append(longer, candidate{settable, d})
		}
	}
	if near == nil {
		near = longer
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range near[:min(most, len(near))] {
		names = append(names, c.name)
	}
	return names
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

// didYouMean is the end of an error about a name that does not exist.
func didYouMean(name string) string {
	names := nearest(name)
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(" (is %s meant?)", strings.Join(names, " or "))
}

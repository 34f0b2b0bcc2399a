package admin

import (
	"fmt"
	"strings"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/nearest"
)

// otherNames are what people also call them.
var otherNames = map[string]string{"error": "err", "warn": "warning", "critical": "crit", "information": "info"}

func logLevel(c *call) (answer, error) {
	if len(c.args) == 0 {
		now := ""
		for _, l := range logsink.Levels {
			if l.Slog >= c.Level.Level() {
				now = l.Name
			}
		}
		return answer{fmt.Sprintf("lines are logged from %s on\n", now), map[string]string{"level": now}}, nil
	}
	name := strings.ToLower(c.args[0])
	if other, ok := otherNames[name]; ok {
		name = other
	}
	var known []string
	for _, l := range logsink.Levels {
		known = append(known, l.Name)
		if l.Name == name {
			c.Level.Set(l.Slog)
			return answer{fmt.Sprintf("OK: lines are logged from %s on\n", name), map[string]string{"level": name}}, nil
		}
	}
	return answer{}, fmt.Errorf("there is no level %q%s, the levels are: %s", c.args[0], nearest.Meant(name, known), strings.Join(known, ", "))
}

package admin

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/nearest"
)

// levels are the levels of the log, by syslog's names.
var levels = []struct {
	name     string
	priority int
	level    slog.Level
}{
	{"crit", logsink.Crit, logsink.LevelCrit},
	{"err", logsink.Err, slog.LevelError},
	{"warning", logsink.Warning, slog.LevelWarn},
	{"notice", logsink.Notice, logsink.LevelNotice},
	{"info", logsink.Info, slog.LevelInfo},
	{"debug", logsink.Debug, slog.LevelDebug},
}

// otherNames are what people also call them.
var otherNames = map[string]string{"error": "err", "warn": "warning", "critical": "crit", "information": "info"}

func levelName(priority int) string {
	for _, l := range levels {
		if l.priority >= priority {
			return l.name
		}
	}
	return "debug"
}

func logLevel(c *call) (answer, error) {
	if len(c.args) == 0 {
		now := ""
		for _, l := range levels {
			if l.level >= c.Level.Level() {
				now = l.name
			}
		}
		return answer{fmt.Sprintf("lines are logged from %s on\n", now), map[string]string{"level": now}}, nil
	}
	name := strings.ToLower(c.args[0])
	if other, ok := otherNames[name]; ok {
		name = other
	}
	var known []string
	for _, l := range levels {
		known = append(known, l.name)
		if l.name == name {
			c.Level.Set(l.level)
			return answer{fmt.Sprintf("OK: lines are logged from %s on\n", name), map[string]string{"level": name}}, nil
		}
	}
	return answer{}, fmt.Errorf("there is no level %q%s, the levels are: %s", c.args[0], nearest.Meant(name, known), strings.Join(known, ", "))
}

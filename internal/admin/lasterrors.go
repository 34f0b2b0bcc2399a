package admin

import (
	"fmt"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/logsink"
)

// loggedJSON is a warning or an error in JSON.
type loggedJSON struct {
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Count int       `json:"count"`
	Level string    `json:"level"`
	Queue string    `json:"queue,omitempty"`
	Text  string    `json:"text"`
}

func lastErrors(c *call) (answer, error) {
	id := ""
	if len(c.args) > 0 {
		id = c.args[0]
		if _, err := c.queue(id); err != nil {
			return answer{}, err
		}
	}
	all := []loggedJSON{}
	var b strings.Builder
	for _, e := range c.Recent(id) {
		one := loggedJSON{e.First.UTC(), e.Last.UTC(), e.Count, logsink.LevelOf(e.Priority).Name, e.Queue, e.Text}
		all = append(all, one)
		fmt.Fprintf(&b, "%s  %s: %s", one.Last.Format(time.RFC3339), one.Level, one.Text)
		if e.Count > 1 {
			fmt.Fprintf(&b, " (%d times since %s)", e.Count, one.First.Format(time.RFC3339))
		}
		b.WriteByte('\n')
	}
	if len(all) == 0 {
		b.WriteString("no warnings and no errors since the start\n")
	}
	return answer{b.String(), map[string][]loggedJSON{"errors": all}}, nil
}

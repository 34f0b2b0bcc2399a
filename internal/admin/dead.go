package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/jsonline"
	"github.com/halon-extras/kafka/internal/nearest"
	"github.com/halon-extras/kafka/internal/report"
)

const (
	listed20    = 20
	mostLetters = 1000
)

var deadWords = []string{"list", "requeue"}

func dead(c *call) (answer, error) {
	word, id := c.args[0], c.args[1]
	q, err := c.queue(id)
	switch {
	case word != deadWords[0] && word != deadWords[1]:
		return answer{}, fmt.Errorf("dead knows no %q%s: it is dead list <id> or dead requeue <id>", word, nearest.Meant(word, deadWords))
	case err != nil:
		return answer{}, err
	case word == deadWords[0]:
		return deadList(c, q)
	}
	return deadRequeue(c, q)
}

// lettersJSON are dead letters, each as spool export prints it.
type lettersJSON struct {
	Queue   string            `json:"queue"`
	Pending int64             `json:"pending"`
	Letters []json.RawMessage `json:"letters"`
}

func deadList(c *call, q Queue) (answer, error) {
	most := listed20
	if len(c.args) > 2 {
		n, err := strconv.Atoi(c.args[2])
		if err != nil || n < 1 || n > mostLetters {
			return answer{}, fmt.Errorf("%q is no number from 1 to %d", c.args[2], mostLetters)
		}
		most = n
	}
	letters, pending, err := q.Letters(most)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", q.ID(), err)
	}
	value := lettersJSON{q.ID(), pending, []json.RawMessage{}}
	var b strings.Builder
	for _, l := range letters {
		value.Letters = append(value.Letters, jsonline.AppendLetter(nil, &l.Record, jsonline.Place{Name: "seq", Number: l.Seq}, int32(l.Code), l.Reason))
		fmt.Fprintf(&b, "%s  %s  %s (%d)  %d bytes\n", l.Time.UTC().Format(time.RFC3339), report.Printable(l.Record.Topic), report.Printable(l.Reason), l.Code, len(l.Record.Value))
	}
	fmt.Fprintf(&b, "%s: %d of %d dead letters\n", report.Printable(q.ID()), len(letters), pending)
	return answer{b.String(), value}, nil
}

func deadRequeue(c *call, q Queue) (answer, error) {
	topic := ""
	if len(c.args) > 2 {
		topic = c.args[2]
	}
	ctx, cancel := context.WithTimeout(context.Background(), steerTime)
	defer cancel()
	r, err := q.Requeue(ctx, topic)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", q.ID(), err)
	}
	text := fmt.Sprintf("%s: %s dead letters are back in the queue, %s stay", report.Printable(q.ID()), report.Thousands(int64(r.Moved)), report.Thousands(int64(r.Kept)))
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	if !r.Done {
		text += "; it goes on"
	}
	value := struct {
		Queue string `json:"queue"`
		report.Requeue
	}{q.ID(), r}
	return answer{text + "\n", value}.unless(r.Reason != "")
}

func head(c *call) (answer, error) {
	q, err := c.queue(c.args[0])
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), steerTime)
	defer cancel()
	r, some, err := q.Head(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", q.ID(), err)
	}
	if !some {
		return answer{"", nil}, nil
	}
	text := jsonline.Append(nil, &r, jsonline.Place{Name: "seq"})
	return answer{string(text) + "\n", json.RawMessage(text)}, nil
}

package top

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// A Source asks the plugin.
type Source interface {
	// Name says for the first line of the screen what is asked.
	Name() string
	// Read asks for all queues, and for the brokers and topics of one unless detail is "". It blocks, for at most some seconds. Its error is one sentence.
	Read(ctx context.Context, detail string) (*Sample, error)
}

// A Sample is what the plugin said at one moment.
type Sample struct {
	Time    time.Time // when it was asked
	Started time.Time // when the plugin was started; zero is unknown
	Version string    // of the plugin; "" is unknown
	Queues  []Queue

	Detail string             // the queue whose brokers and topics these are
	Stats  *report.Statistics // nil without
	Why    string             // why there are none: one sentence
	Sparse bool               // from metrics: no last errors, no partitions, no retries, no bytes in memory, and rates are to be worked out
}

// A Queue has the fields of `status --json`.
type Queue report.Status

// depth is how many messages wait, in memory and on disk.
func (q *Queue) depth() int64 { return q.Queued + q.OnDisk }

// errors is how many messages were given up and calls refused.
func (q *Queue) errors() int64 { return q.Failed + q.Dropped + q.Expired + q.Dead + q.Refused }

func (q *Queue) oldest() time.Duration { return seconds(q.OldestAge) }

// seconds is a duration, also where the number is none that a duration can hold.
func seconds(s float64) time.Duration {
	if math.IsNaN(s) || s <= 0 {
		return 0
	}
	return time.Duration(min(s, 1e9) * float64(time.Second))
}

// readStatus reads the answer of `status --json`.
func readStatus(text []byte, s *Sample) error {
	var answer struct {
		Error   string            `json:"error"`
		Started time.Time         `json:"started"`
		Version string            `json:"version"`
		Queues  []json.RawMessage `json:"queues"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("it is no JSON: %s", firstLine(text))
	}
	switch {
	case answer.Error != "":
		return errors.New(report.Printable(answer.Error))
	case answer.Queues == nil:
		return errors.New(`it has no "queues"`)
	}
	s.Started, s.Version = answer.Started, answer.Version
	for _, raw := range answer.Queues {
		q, err := readQueue(raw)
		if err != nil {
			return err
		}
		s.Queues = append(s.Queues, q)
	}
	return nil
}

// readQueue refuses a queue that lacks a field: a zero in its place would be a number that nobody has counted.
func readQueue(raw []byte) (q Queue, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return q, fmt.Errorf("a queue of it cannot be read: %w", err)
	}
	for field := range reflect.TypeFor[Queue]().Fields() {
		name := field.Tag.Get("json")
		if _, ok := fields[name]; !ok {
			return q, fmt.Errorf("it has no %q", name)
		}
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return q, fmt.Errorf("a queue of it cannot be read: %w", err)
	}
	return q, nil
}

// firstLine is the first line of an answer that has something in it, fit for the screen.
func firstLine(text []byte) string {
	const most = 200
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return report.Printable(string(line[:min(len(line), most)]))
		}
	}
	return "nothing"
}

// sentence is a text of several lines as one.
func sentence(text string) string { return strings.Join(strings.Fields(text), " ") }

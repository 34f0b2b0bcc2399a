package plugin

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"time"

	"github.com/halon-extras/kafka/internal/producer"
)

// The defaults and limits of a spool that an operator can set.
const (
	spoolBytes    = 10 << 30
	spoolSegment  = 64 << 20
	leastBytes    = 64 << 10
	leastSegment  = 4 << 10
	longestMaxAge = math.MaxInt64 / int64(time.Second)
)

// readSpool reads the spool of a queue, or returns nil for a queue without one. Unlike config, which
// has librdkafka's rules, nothing is left out in silence: a spool that is not what the operator meant
// would be found when it is needed. Each error names the property and the value.
func readSpool(n *Node) (*producer.SpoolConfig, error) {
	if n == nil {
		return nil, nil
	}
	if n.Scalar || n.List != nil {
		return nil, errors.New("spool: it must be an object with a path")
	}
	c := &producer.SpoolConfig{MaxBytes: spoolBytes, SegmentBytes: spoolSegment, DeadLetter: true}
	for _, f := range n.Object {
		if err := readSpoolProperty(c, f); err != nil {
			return nil, fmt.Errorf("spool: %s: %w", f.Key, err)
		}
	}
	if c.Path == "" {
		return nil, errors.New("spool: path: it is missing, name a folder of this queue's own")
	}
	return c, nil
}

func readSpoolProperty(c *producer.SpoolConfig, f Field) (err error) {
	if f.Key == "headers" {
		c.IDHeader, err = readSpoolHeaders(f.Value)
		return err
	}
	if f.Value == nil || !f.Value.Scalar {
		return errors.New("it must be one value")
	}
	text := f.Value.Text
	switch f.Key {
	case "path":
		if text == "" {
			return errors.New("it is empty, name a folder of this queue's own")
		}
		c.Path = filepath.Clean(text)
	case "mode":
		return choose(text, map[string]func(){
			"durable": func() { c.Spill = false },
			"spill":   func() { c.Spill = true },
		}, "durable or spill")
	case "on_full":
		return choose(text, map[string]func(){
			"error":       func() { c.OnFull = producer.Refuse },
			"wait":        func() { c.OnFull = producer.Wait },
			"drop_oldest": func() { c.OnFull = producer.DropOldest },
		}, "error, wait or drop_oldest")
	case "locked":
		return choose(text, map[string]func(){
			"error":  func() { c.LockedMemory = false },
			"memory": func() { c.LockedMemory = true },
		}, "error or memory")
	case "dead_letter":
		return choose(text, map[string]func(){
			"true":  func() { c.DeadLetter = true },
			"false": func() { c.DeadLetter = false },
		}, "true or false")
	case "max_bytes":
		c.MaxBytes, err = number(text, leastBytes, math.MaxInt64)
	case "segment_bytes":
		c.SegmentBytes, err = number(text, leastSegment, math.MaxUint32)
	case "max_age":
		var seconds int64
		seconds, err = number(text, 0, longestMaxAge)
		c.MaxAge = time.Duration(seconds) * time.Second
	default:
		return fmt.Errorf("there is no such property, its value is %q", text)
	}
	return err
}

func readSpoolHeaders(n *Node) (name string, err error) {
	if n == nil || n.Scalar || n.List != nil {
		return "", errors.New("it must be an object with the name of a header as id")
	}
	for _, f := range n.Object {
		if f.Key != "id" {
			return "", fmt.Errorf("%s: there is no such header, only id", f.Key)
		}
		if f.Value == nil || !f.Value.Scalar || f.Value.Text == "" {
			return "", errors.New("id: it must be the name of a header")
		}
		name = f.Value.Text
	}
	return name, nil
}

func choose(text string, words map[string]func(), all string) error {
	set, ok := words[text]
	if !ok {
		return fmt.Errorf("%q must be %s", text, all)
	}
	set()
	return nil
}

func number(text string, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q must be a whole number from %d to %d", text, least, most)
	}
	return n, nil
}

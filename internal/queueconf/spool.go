package queueconf

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/nearest"
)

// A Spool is what an operator can say of a queue's spool.
type Spool struct {
	Path         string
	Spill        bool // memory first; false is durable: a call is answered once its record is synced
	MaxBytes     int64
	SegmentBytes int64
	OnFull       OnFull
	MaxAge       time.Duration // 0 never expires
	DeadLetter   bool
	IDHeader     string // the name of a header that each record gets with an id of its own; "" is none
	LockedMemory bool   // a second process on the same folder runs without a spool

	chosen map[string]bool // the keys that the configuration has
	folder folder
}

// OnFull is what becomes of a call when the spool takes no more.
type OnFull uint8

// The answers to a full spool.
const (
	Refuse OnFull = iota
	Wait
	DropOldest
)

// The defaults and limits of a spool that an operator can set.
const (
	spoolBytes    = 10 << 30
	spoolSegment  = 64 << 20
	leastBytes    = 64 << 10
	leastSegment  = 4 << 10
	longestMaxAge = math.MaxInt64 / int64(time.Second)
)

var spoolKeys = []string{"path", "mode", "max_bytes", "segment_bytes", "on_full", "max_age", "dead_letter", "locked", "headers"}

// spoolWords are the values of keys that take one of a few.
var spoolWords = map[string][]string{
	"mode": {"durable", "spill"}, "on_full": {"error", "wait", "drop_oldest"}, "locked": {"error", "memory"}, "dead_letter": {"true", "false"},
}

// spool reads the spool of a queue, or returns nil for a queue without one. Unlike config, which has librdkafka's
// rules, nothing is left out: a spool that is not what the operator meant would be found when it is
// needed. Each finding names the property and the value.
func (r *reader) spool(p place, n *Node) *Spool {
	if n == nil {
		return nil
	}
	if n.Scalar || n.List != nil {
		r.problem(p, "spool: it must be an object with a path")
		return nil
	}
	s := &Spool{MaxBytes: spoolBytes, SegmentBytes: spoolSegment, DeadLetter: true, chosen: map[string]bool{}}
	fine := true
	for _, f := range n.Object {
		s.chosen[f.Key] = true
		if err := s.set(f); err != nil {
			r.problem(p.at(f.Key), "spool: %s: %v", f.Key, err)
			fine = false
		}
	}
	path := n.Get("path")
	switch {
	case path == nil:
		r.problem(p, "spool: path: it is missing, name a folder of this queue's own")
	case s.Path != "" && fine:
		r.folder(p.at("path"), s)
	}
	return s
}

func (s *Spool) set(f Field) (err error) {
	if f.Key == "headers" {
		s.IDHeader, err = readSpoolHeaders(f.Value)
		return err
	}
	if !slices.Contains(spoolKeys, f.Key) {
		return fmt.Errorf("there is no such property%s", nearest.Meant(f.Key, spoolKeys))
	}
	if f.Value == nil || !f.Value.Scalar {
		return errors.New("it must be one value")
	}
	text := f.Value.Text
	word := 0
	if words := spoolWords[f.Key]; words != nil {
		if f.Key == "dead_letter" {
			text = strings.ToLower(text) // YAML writes a boolean in three ways, and the host may hand over the text as written
		}
		if word = slices.Index(words, text); word < 0 {
			last := len(words) - 1
			return fmt.Errorf("%q must be %s or %s", text, strings.Join(words[:last], ", "), words[last])
		}
	}
	switch f.Key {
	case "path":
		switch {
		case text == "":
			return errors.New("it is empty, name a folder of this queue's own")
		case !filepath.IsAbs(text):
			return fmt.Errorf("%q is relative to wherever the process starts, write the whole path", text)
		}
		s.Path = filepath.Clean(text)
		if s.Path == "/" {
			return fmt.Errorf("%q is the root of the file system, name a folder of this queue's own", text)
		}
	case "mode":
		s.Spill = word == 1
	case "on_full":
		s.OnFull = OnFull(word)
	case "locked":
		s.LockedMemory = word == 1
	case "dead_letter":
		s.DeadLetter = word == 0
	case "max_bytes":
		s.MaxBytes, err = size(text, leastBytes, math.MaxInt64)
	case "segment_bytes":
		s.SegmentBytes, err = size(text, leastSegment, math.MaxUint32)
	case "max_age":
		s.MaxAge, err = age(text)
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

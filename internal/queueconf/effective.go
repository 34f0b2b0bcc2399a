package queueconf

import (
	"strconv"
	"time"
)

// An Effective is the value that counts for one key of a spool.
type Effective struct {
	Name, Value string
	Chosen      bool // the configuration has it
}

// Effective returns what counts for each key of the spool, in the order of the manual.
func (s *Spool) Effective() []Effective {
	word := func(key string, second bool) string {
		if second {
			return spoolWords[key][1]
		}
		return spoolWords[key][0]
	}
	values := map[string]string{
		"path": s.Path, "mode": word("mode", s.Spill), "locked": word("locked", s.LockedMemory),
		"max_bytes": strconv.FormatInt(s.MaxBytes, 10), "segment_bytes": strconv.FormatInt(s.SegmentBytes, 10),
		"on_full": spoolWords["on_full"][s.OnFull], "max_age": strconv.FormatInt(int64(s.MaxAge/time.Second), 10),
		"dead_letter": word("dead_letter", !s.DeadLetter),
	}
	var all []Effective
	for _, name := range spoolKeys {
		if name == "headers" {
			if s.IDHeader != "" {
				all = append(all, Effective{"headers.id", s.IDHeader, true})
			}
			continue
		}
		all = append(all, Effective{name, values[name], s.chosen[name]})
	}
	return all
}

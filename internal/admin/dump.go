package admin

import (
	"fmt"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// dumped is the state of one queue in JSON.
type dumped struct {
	Queue     string         `json:"queue"`
	Client    string         `json:"client"`
	Parked    int            `json:"parked"`
	Brokers   []string       `json:"brokers"`
	In        int64          `json:"in"`
	InBytes   int64          `json:"in_bytes"`
	Delivered int64          `json:"delivered"`
	Failed    int64          `json:"failed"`
	Dropped   int64          `json:"dropped"`
	Expired   int64          `json:"expired"`
	Dead      int64          `json:"dead"`
	Queued    int64          `json:"queued"` // in memory only
	OnDisk    int64          `json:"on_disk"`
	Refused   int64          `json:"refused"`
	Failures  []failure      `json:"failures"`
	Spool     *report.Spool  `json:"spool"` // null without
	Topics    []report.Topic `json:"topics"`
}

type failure struct {
	Code  int    `json:"code"`
	Text  string `json:"text"`
	Fate  string `json:"fate"` // failed, dropped, expired or dead
	Count int64  `json:"count"`
}

// dump prints the state of one queue. The text is free and may change; the first two lines have the shape of
// librdkafka's, which operators know.
func dump(c *call) (answer, error) {
	q, err := c.queue(c.args[0])
	if err != nil {
		return answer{}, err
	}
	set, s := q.Settings(), q.Snapshot()
	value := dumped{
		Queue: q.ID(), Client: set.Name, Parked: q.Parked(), Brokers: append([]string{}, set.Brokers...),
		In: s.In, InBytes: s.InBytes, Delivered: s.Delivered, Failed: s.GivenUp(), Dropped: s.Dropped, Expired: s.Expired, Dead: s.Dead,
		Queued: s.InMemory(), OnDisk: s.OnDisk, Refused: s.Refused,
		Failures: []failure{}, Spool: q.Spool(), Topics: append([]report.Topic{}, q.Topics()...),
	}
	var b strings.Builder
	fmt.Fprintf(&b, "queue %s: %s\n", report.Printable(q.ID()), report.Printable(set.Name))
	fmt.Fprintf(&b, " producer.msg_cnt %d (%d parked)\n", s.Queued, value.Parked)
	fmt.Fprintf(&b, " brokers: %s\n", report.Printable(strings.Join(set.Brokers, ",")))
	fmt.Fprintf(&b, " in %d (%d bytes of values) = delivered %d + failed %d + dropped %d + expired %d + dead %d + queued %d + on disk %d; refused %d\n",
		s.In, s.InBytes, s.Delivered, s.GivenUp(), s.Dropped, s.Expired, s.Dead, s.InMemory(), s.OnDisk, s.Refused)
	for _, f := range s.Failures {
		fmt.Fprintf(&b, "  %s %d: %s (%d)\n", f.Fate, f.Count, f.Code.Error(), f.Code)
		value.Failures = append(value.Failures, failure{int(f.Code), f.Code.Error(), f.Fate.String(), f.Count})
	}
	if value.Spool != nil {
		dumpSpool(&b, value.Spool)
	}
	for _, t := range value.Topics {
		fmt.Fprintf(&b, " topic %s: partitions %s, in the client %d, waiting outside %d%s\n",
			report.Printable(t.Name), count(t.Partitions), t.InClient, t.Waiting, stalled(t.Stalled))
	}
	return answer{b.String(), value}, nil
}

func dumpSpool(b *strings.Builder, s *report.Spool) {
	fmt.Fprintf(b, " spool %s (%s): %d of %d bytes in %d segments, %d pending, oldest %s, %d syncs, the longest %v\n",
		report.Printable(s.Path), s.Mode, s.Bytes, s.MaxBytes, s.Segments, s.Pending, oldest(s), s.Syncs, s.SyncMax)
	fmt.Fprintf(b, "  dead letters %d (%d since the start), dropped %d, damaged places %d, missing %d, possibly duplicated %d\n",
		s.Dead, s.Letters, s.Dropped, s.Corrupt, s.Missing, s.Doubted)
	if s.Degraded != "" {
		fmt.Fprintf(b, "  %s\n", report.Printable(s.Degraded))
	}
}

func oldest(s *report.Spool) string {
	if s.Oldest.IsZero() {
		return "unknown"
	}
	return s.Oldest.UTC().Format(time.RFC3339)
}

func count(n int) string {
	if n == 0 {
		return "unknown"
	}
	return fmt.Sprint(n)
}

func stalled(is bool) string {
	if is {
		return ", stalled"
	}
	return ""
}

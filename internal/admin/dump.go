package admin

import (
	"fmt"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// dump prints the state of one queue for a human. The text is free and may change; the first two
// lines have the shape of librdkafka's, which operators know.
func dump(find Find, args []string) (string, bool) {
	q, ok := find(args[0])
	if !ok {
		return noSuchID, false
	}
	set, s := q.Settings(), q.Snapshot()
	var b strings.Builder
	fmt.Fprintf(&b, "queue %s: %s\n", q.ID(), set.Name)
	fmt.Fprintf(&b, " producer.msg_cnt %d (%d parked)\n", s.Queued, q.Parked())
	fmt.Fprintf(&b, " brokers: %s\n", strings.Join(set.Brokers, ","))
	fmt.Fprintf(&b, " in %d (%d bytes of values) = delivered %d + failed %d + queued %d; refused %d\n",
		s.In, s.InBytes, s.Delivered, s.Failed, s.Queued, s.Refused)
	for _, f := range s.Failures {
		fmt.Fprintf(&b, "  failed %d: %s (%d)\n", f.Count, f.Code.Error(), f.Code)
	}
	if s := q.Spool(); s != nil {
		dumpSpool(&b, s)
	}
	for _, t := range q.Topics() {
		fmt.Fprintf(&b, " topic %s: partitions %s, in the client %d, waiting outside %d%s\n",
			report.Printable(t.Name), count(t.Partitions), t.InClient, t.Waiting, stalled(t.Stalled))
	}
	return b.String(), true
}

func dumpSpool(b *strings.Builder, s *report.Spool) {
	fmt.Fprintf(b, " spool %s (%s): %d of %d bytes in %d segments, %d pending, oldest %s, %d syncs, the longest %v\n",
		s.Path, s.Mode, s.Bytes, s.MaxBytes, s.Segments, s.Pending, oldest(s), s.Syncs, s.SyncMax)
	fmt.Fprintf(b, "  dead letters %d (%d since the start), dropped %d, damaged places %d, missing %d\n",
		s.Dead, s.Letters, s.Dropped, s.Corrupt, s.Missing)
	if s.Degraded != "" {
		fmt.Fprintf(b, "  %s\n", s.Degraded)
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

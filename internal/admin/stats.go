package admin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// statsTime bounds how long a queue is waited for, whose sender may be busy.
const statsTime = 2 * time.Second

func stats(c *call) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTime)
	defer cancel()
	text, all, err := each(c, func(b *strings.Builder, q Queue) (report.Statistics, error) {
		one, late := q.Statistics(ctx)
		nextBlock(b)
		err := writeStats(b, &one)
		if late != nil {
			fmt.Fprintf(b, "partitions are left out: %v\n", late)
		}
		return one, err
	})
	if err == nil && len(c.args) > 0 {
		return answer{text, all[0]}, nil // as librdkafka's
	}
	return answer{cmp.Or(text, noQueues), inQueues(all)}, err
}

func writeStats(b *strings.Builder, s *report.Statistics) error {
	fmt.Fprintf(b, "queue %s: %s\n", report.Printable(s.Queue), report.Printable(s.Name))
	fmt.Fprintf(b, " messages %d, %d bytes; delivered %d; requests %d, %d bytes; answers %d, %d bytes\n", s.MsgCnt, s.MsgSize, s.TxMsgs, s.Tx, s.TxBytes, s.Rx, s.RxBytes)
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, " broker\tstate\tfor\trtt\tin flight\twaiting\ttx\ttxretries\ttimeouts\tconnects\tdisconnects\tpartitions\tlast error")
	for _, name := range slices.Sorted(maps.Keys(s.Brokers)) {
		r := s.Brokers[name]
		fmt.Fprintf(w, " %s\t%s\t%s\t%.1f ms\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", report.Printable(name), r.State, report.Lasted(time.Duration(r.StateAge)*time.Microsecond),
			float64(r.RTT.Avg)/1000, r.WaitrespCnt, r.OutbufCnt, r.Tx, r.TxRetries, r.ReqTimeouts, r.Connects, r.Disconnects, r.TopparCnt, report.Printable(r.LastError))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	w = tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, " topic\tpartition\tstate\tleader\twaiting\tin flight\tdelivered")
	for _, name := range slices.Sorted(maps.Keys(s.Topics)) {
		t := s.Topics[name]
		fmt.Fprintf(w, " %s\t%s\t%s\t\t%d\t%d\t\n", report.Printable(name), "all "+count(t.PartitionCnt), strings.TrimPrefix(stalled(t.Stalled), ", "), t.MsgqCnt, t.XmitMsgqCnt)
		parts := slices.Collect(maps.Values(t.Partitions))
		slices.SortFunc(parts, func(a, b report.PartitionStatistics) int { return int(a.Partition - b.Partition) })
		for _, p := range parts {
			fmt.Fprintf(w, " \t%d\t%s\t%d\t%d\t%d\t%d\n", p.Partition, p.State, p.Leader, p.MsgqCnt, p.MsgsInflight, p.TxMsgs)
		}
	}
	return w.Flush()
}

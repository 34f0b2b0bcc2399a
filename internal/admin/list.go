package admin

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/halon-extras/kafka/internal/report"
)

// listed is a queue in JSON.
type listed struct {
	ID        string   `json:"id"`
	Client    string   `json:"client"`
	Storage   string   `json:"storage"` // memory, durable or spill
	Brokers   []string `json:"brokers"`
	State     string   `json:"state"`
	Queued    int64    `json:"queued"` // in memory only
	OnDisk    int64    `json:"on_disk"`
	In        int64    `json:"in"`
	Delivered int64    `json:"delivered"`
	Failed    int64    `json:"failed"`
	Refused   int64    `json:"refused"`
}

func list(c *call) (answer, error) {
	all := []listed{}
	for _, q := range c.Queues() {
		set, s := q.Settings(), q.Snapshot()
		one := listed{
			ID: q.ID(), Client: set.Name, Storage: "memory", Brokers: append([]string{}, set.Brokers...),
			State: q.Health().State.String(), Queued: s.InMemory(), OnDisk: s.OnDisk, In: s.In, Delivered: s.Delivered, Failed: s.Failed, Refused: s.Refused,
		}
		if spool := q.Spool(); spool != nil {
			one.Storage = spool.Mode
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return answer{noQueues, inQueues(all)}, nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "queue\tstorage\tstate\tqueued\ton disk\tdelivered\tfailed\trefused\tbrokers")
	for _, one := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", report.Printable(one.ID), one.Storage, one.State, one.Queued, one.OnDisk,
			one.Delivered, one.Failed, one.Refused, report.Printable(strings.Join(one.Brokers, ",")))
	}
	if err := w.Flush(); err != nil {
		return answer{}, err
	}
	return answer{b.String(), inQueues(all)}, nil
}

package plugin

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// In every one of a thousand scrapes, or more until each fate was seen, while messages are accepted, delivered, dropped, expired, made dead letters, purged, paused and sent
// again, each one that was accepted is in exactly one place.
func TestTheBooksBalanceInEveryScrape(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	small := []any{
		"bootstrap.servers", text(cluster.ListenAddrs()[0]), "allow.auto.create.topics", text("false"), "topic.metadata.propagation.max.ms", text("1"),
		"message.timeout.ms", text("300"), "queue.buffering.max.messages", text("3000"), "linger.ms", text("1"),
	}
	spooled := func(id, mode string) *Node {
		q := queue(id, small...)
		q.Object = append(q.Object, Field{Key: "spool", Value: object("path", text(t.TempDir()), "mode", text(mode), "max_bytes", text("300000"), "on_full", text("drop_oldest"))})
		return q
	}
	p := New(discard(), nil)
	if err := p.Start(object("queues", list(queue("memory", small...), queue("away", "bootstrap.servers", text("127.0.0.1:1"), "message.timeout.ms", text("300")), spooled("spill", "spill"), spooled("durable", "durable"))), nil); err != nil {
		t.Fatal(err)
	}
	quit := make(chan struct{})
	var load sync.WaitGroup
	each := func(pause time.Duration, do func(id string, q *producer.Producer, i int)) {
		for _, id := range []string{"memory", "away", "spill", "durable"} {
			q := p.Find([]byte(id))
			load.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-quit:
						return
					default:
						do(id, q, i)
						time.Sleep(pause) // a load; nothing is judged by it
					}
				}
			})
		}
	}
	each(200*time.Microsecond, func(_ string, q *producer.Producer, i int) {
		r := record.Record{Topic: "mail", Partition: -1, Value: make([]byte, 100)}
		if i%10 == 0 {
			r.Topic = "nosuch"
		}
		if q.Spooled() {
			q.Store(&r, false, func(resperr.Code) {})
		} else {
			q.Offer(&r)
		}
	})
	each(20*time.Millisecond, func(id string, _ *producer.Producer, i int) {
		if id == "away" {
			return
		}
		switch i % 16 {
		case 1:
			p.Command([]string{"pause", id})
		case 9:
			p.Command([]string{"resume", id})
		case 13:
			p.Command([]string{"purge", id, id})
		case 15:
			p.Command([]string{"dead", "requeue", id})
		}
	})
	before := map[string]float64{}
	missing := func() string {
		for _, id := range []string{"memory", "spill", "durable"} {
			if before["accepted_messages "+id] < 100 || before["delivered_messages "+id] == 0 {
				return fmt.Sprintf("%s has accepted %v and delivered %v", id, before["accepted_messages "+id], before["delivered_messages "+id])
			}
		}
		for _, fate := range []string{"dropped", "dead", "expired"} { // what the queue away has accepted expires
			if before["failed_messages "+fate] == 0 {
				return "nothing was " + fate
			}
		}
		return ""
	}
	for i := 0; i < 1000 || missing() != ""; i++ {
		if i == 50_000 {
			t.Fatalf("in %d scrapes %s", i, missing())
		}
		out, ok := p.Command([]string{"metrics", "--json"})
		if !ok {
			t.Fatal(out)
		}
		balance(t, i, out, before)
	}
	close(quit)
	load.Wait()
	p.Stop()
}

// balance checks one scrape, and that counters only grow.
func balance(t *testing.T, scrape int, out string, before map[string]float64) {
	t.Helper()
	var all struct{ Metrics []report.Family }
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	sums := map[string]float64{} // by family and queue
	fates := map[string]float64{}
	for _, f := range all.Metrics {
		name := strings.TrimPrefix(f.Name, "halon_kafka_")
		for _, s := range f.Samples {
			if s.Value < 0 {
				t.Fatalf("scrape %d: %s is %v", scrape, name, s.Value)
			}
			if s.Suffix != "" || len(s.Labels) == 0 || s.Labels[0].Name != "queue" {
				continue
			}
			sums[name+" "+s.Labels[0].Value] += s.Value
			if f.Name == "halon_kafka_failed_messages" {
				fates[name+" "+s.Labels[1].Value] += s.Value
			}
		}
	}
	for _, id := range []string{"memory", "away", "spill", "durable"} {
		of := func(name string) float64 { return sums[name+" "+id] }
		if got := of("delivered_messages") + of("failed_messages") + of("queued_messages") + of("on_disk_messages"); got != of("accepted_messages") {
			t.Fatalf("scrape %d of %s: accepted %v = delivered %v + failed %v + queued %v + on disk %v", scrape, id, of("accepted_messages"),
				of("delivered_messages"), of("failed_messages"), of("queued_messages"), of("on_disk_messages"))
		}
		for _, name := range []string{"accepted_messages", "delivered_messages", "failed_messages"} {
			if key := name + " " + id; sums[key] < before[key] {
				t.Fatalf("scrape %d: %s fell from %v to %v", scrape, key, before[key], sums[key])
			} else {
				before[key] = sums[key]
			}
		}
	}
	for fate, n := range fates {
		before[fate] = n
	}
}

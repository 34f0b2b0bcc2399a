package producer

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A stalled topic leaves memory to others, and what it drops is read from the disk again. One of its partitions may be far ahead of another: what that one has
// on its way is newer than much of what is dropped, and must not be read and sent once more.
func TestWhatIsOnItsWayIsNotReadAgainWhenAStalledTopicLeavesMemory(t *testing.T) {
	for _, test := range []struct {
		mode       string
		properties []string
	}{{"durable", nil}, {"durable", []string{"enable.idempotence=true"}}, {"spill", nil}} {
		t.Run(fmt.Sprint(test.mode, test.properties), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.NumBrokers(2), kfake.Ports(9092, 9093), kfake.SeedTopics(2, "mail"))
				for i := range int32(2) {
					if err := c.fake.MoveTopicPartition("mail", i, i); err != nil {
						t.Fatal(err)
					}
				}
				cfg := durable(faultfs.New(1))
				cfg.Spill = test.mode == "spill"
				p := c.spooled(&logged{}, cfg, append(test.properties, "batch.num.messages=500", "queue.buffering.max.messages=8000")...)
				n := 0
				to := func(partition int32, records int) {
					for range records {
						r := &record.Record{Topic: "mail", Partition: partition, Value: fmt.Appendf(nil, "v%06d", n)}
						n++
						if code := <-keep(t, p, r, false); code != resperr.NoError {
							t.Fatalf("record %d is answered %v", n, code)
						}
					}
				}
				to(0, 1)
				to(1, 1)
				time.Sleep(time.Second)
				c.away.Store("9093", true) // the second partition's leader
				c.cut()
				time.Sleep(time.Second)
				to(1, 3000) // wait for it
				c.silenceOne("9092")
				to(0, 3000) // newer, and some of it on its way
				to(1, 3000)
				time.Sleep(5 * time.Second)
				c.away.Delete("9093")
				time.Sleep(15 * time.Second) // the topic makes progress there
				c.answer()
				time.Sleep(time.Minute)
				seen := map[string]int{}
				for _, r := range c.all("mail") {
					if seen[string(r.Value)]++; seen[string(r.Value)] == 2 {
						t.Fatalf("%s was sent twice", r.Value)
					}
				}
				if len(seen) != n || p.Snapshot().Queued != 0 {
					t.Errorf("the topic has %d of %d, and %d are queued", len(seen), n, p.Snapshot().Queued)
				}
				stop(t, p, time.Minute)
			})
		})
	}
}

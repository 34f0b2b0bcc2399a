package producer

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// Scripts that make up topics, one for each message, lose nothing and do not delay the stop.
func TestTopicsByTheHundredThousand(t *testing.T) {
	topics := either(100_000, 10_000)
	c := newCluster(t, kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1))
	p, err := New("kafka1", settings(t, "bootstrap.servers=127.0.0.1:9092", "queue.buffering.max.messages=0"), Deps{Log: new(logged).logger(), Client: conf.Deps{Dialer: c.dial}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for i := range topics {
		r := value("v")
		r.Topic = fmt.Sprintf("topic-%06d", i)
		if code := offer(p, r); code != resperr.NoError {
			t.Fatalf("topic %d: %v", i, code)
		}
	}
	offered := time.Since(start)
	if lost := stop(t, p, time.Minute); lost != 0 {
		t.Errorf("%d of %d lost", lost, topics)
	}
	t.Logf("offered in %v, all in %v", offered, time.Since(start))
}

func TestTopicsThatNobodyUsesAreForgotten(t *testing.T) {
	for _, durably := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1))
			var p *Producer
			if durably {
				p = c.spooled(&logged{}, durable(faultfs.New(1)))
			} else {
				p = c.queue(&logged{})
			}
			n := int64(0)
			put := func(topic string) {
				r := value("v")
				r.Topic = topic
				if durably {
					if code := <-keep(t, p, r, false); code != resperr.NoError {
						t.Fatal(code)
					}
				} else if code := offer(p, r); code != resperr.NoError {
					t.Fatal(code)
				}
				n++
			}
			for i := range 3000 {
				put(fmt.Sprintf("topic-%d", i))
			}
			for range 180 {
				put("mail")
				time.Sleep(time.Second)
			}
			if got := len(p.Topics()); got > keptTopics {
				t.Errorf("%d topics are remembered, durably %t", got, durably)
			}
			for i := range 10 {
				put(fmt.Sprintf("topic-%d", i))
			}
			delivered(t, p, n, time.Minute)
		})
	}
}

package producer

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/resperr"
)

func TestFewRetriesWaitForABrokerThatIsAway(t *testing.T) {
	for _, retries := range []string{"retries=0", "retries=3"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, kfake.SeedTopics(1, "mail"))
			p := c.queue(&logged{}, retries)
			c.offer(p, 10)
			time.Sleep(time.Second)
			c.down.Store(true)
			c.cut()
			time.Sleep(time.Second)
			for i := range 100 {
				if code := p.Offer(value(fmt.Sprintf("away%03d", i))); code != resperr.NoError {
					t.Fatal(code)
				}
			}
			time.Sleep(time.Minute)
			if s := p.Snapshot(); s.Failed != 0 {
				t.Errorf("%s: %d were given up although nothing could be sent: %v", retries, s.Failed, s.Failures)
			}
			c.down.Store(false)
			if lost := stop(t, p, time.Minute); lost != 0 {
				t.Errorf("%s: %d lost", retries, lost)
			}
			for i, r := range c.records("mail", 110)[10:] {
				if want := fmt.Sprintf("away%03d", i); string(r.Value) != want {
					t.Fatalf("%s: record %d is %q, want %q", retries, i, r.Value, want)
				}
			}
		})
	}
}

func TestFewRetriesWaitForATopicThatIsBeingCreated(t *testing.T) {
	for _, retries := range []string{"retries=0", "retries=3"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t)
			p := c.queue(&logged{}, retries)
			c.offer(p, 10)
			time.Sleep(20 * time.Second)
			if s := p.Snapshot(); s.Failed != 0 {
				t.Errorf("%s: given up after 20 s, before the propagation time is over: %v", retries, s.Failures)
			}
			c.create("mail", 1)
			if lost := stop(t, p, time.Minute); lost != 0 || p.Snapshot().Failed != 0 {
				t.Errorf("%s: %d lost, %v", retries, lost, p.Snapshot().Failures)
			}
			for i, r := range c.records("mail", 10) {
				if want := fmt.Sprintf("v%06d", i); string(r.Value) != want {
					t.Fatalf("%s: record %d is %q, want %q", retries, i, r.Value, want)
				}
			}
		})
	}
}

func TestFewRetriesStillEndWithAnUnknownTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		p := c.queue(&logged{}, "retries=0", "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=30000")
		c.offer(p, 3)
		time.Sleep(29 * time.Second)
		if s := p.Snapshot(); s.Failed != 0 {
			t.Errorf("%d have failed after 29 s: %v", s.Failed, s.Failures)
		}
		time.Sleep(4 * time.Second)
		if s := p.Snapshot(); s.Failed != 3 || s.Failures[0].Code != resperr.UnknownTopicOrPart {
			t.Errorf("after 33 s: %+v", s)
		}
		stop(t, p, time.Minute)
	})
}

// refuse answers each produce request with a code and counts them.
func (c *cluster) refuse(code int16, asked *int) {
	c.fake.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		*asked++
		req := kreq.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode = partition.Partition, code
				answer.Partitions = append(answer.Partitions, one)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
}

func TestRetriesCountTheRequestsThatABrokerRefused(t *testing.T) {
	for retries, want := range map[string]int{"retries=0": 1, "retries=3": 4} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, kfake.SeedTopics(1, "mail"))
			asked := 0
			c.refuse(int16(resperr.NotEnoughReplicas), &asked)
			p := c.queue(&logged{}, retries)
			c.offer(p, 1)
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if s := p.Snapshot(); s.Failed != 1 || s.Failures[0].Code != resperr.NotEnoughReplicas {
				t.Errorf("%s: %+v", retries, s)
			}
			if asked != want {
				t.Errorf("%s: the broker was asked %d times, want %d", retries, asked, want)
			}
			stop(t, p, time.Minute)
		})
	}
}

func TestARequestThatMayHaveBeenWrittenIsNotSentAgainWithoutRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "retries=0")
		c.offer(p, 1)
		time.Sleep(time.Second)
		c.silence()
		c.offer(p, 5)
		time.Sleep(time.Second)
		c.cut()
		time.Sleep(time.Second)
		c.answer()
		time.Sleep(10 * time.Second)
		if s := p.Snapshot(); s.Failed != 5 || s.Failures[0].Code != resperr.Transport {
			t.Errorf("after the cut: %+v", s)
		}
		stop(t, p, time.Minute)
	})
}

func TestAttemptsAreCountedByBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(2)
		accepted := time.Now()
		write := func(broker int32) {
			time.Sleep(time.Second)
			a.OnBrokerWrite(kgo.BrokerMetadata{NodeID: broker}, produceKey, 100, 0, 0, nil)
		}
		for range 2 {
			write(1)
			write(2)
			write(2)
		}
		a.OnBrokerWrite(kgo.BrokerMetadata{NodeID: 1}, 3, 100, 0, 0, nil)
		a.OnBrokerWrite(kgo.BrokerMetadata{NodeID: 1}, produceKey, 0, 0, 0, net.ErrClosed)
		if !a.left(1, accepted) || a.left(2, accepted) || !a.left(3, accepted) || !a.left(2, time.Now()) {
			t.Error("of two retries, 2 writes leave one and 4 leave none")
		}
	})
}

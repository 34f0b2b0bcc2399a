package producer

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/resperr"
)

func TestEveryAcceptedRecordReachesItsTopicInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{})
		c.offer(p, 5000)
		if lost := stop(t, p, time.Minute); lost != 0 {
			t.Fatalf("%d records are lost", lost)
		}
		for i, r := range c.records("mail", 5000) {
			if want := fmt.Sprintf("v%06d", i); string(r.Value) != want {
				t.Fatalf("record %d is %q, want %q", i, r.Value, want)
			}
		}
		if s := p.Snapshot(); s.Delivered != 5000 || s.Failed != 0 || s.Queued != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

func TestNullAndEmptyAreDifferentOnTheTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{})
		for _, r := range []*kgo.Record{
			{Topic: "mail", Partition: -1},
			{Topic: "mail", Partition: -1, Key: []byte{}, Value: []byte{}},
			{Topic: "mail", Partition: -1, Key: []byte("k\x00"), Value: []byte("\x00v"), Headers: []kgo.RecordHeader{
				{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "", Value: []byte("\x00")},
			}},
		} {
			if code := p.Offer(r); code != resperr.NoError {
				t.Fatal(code)
			}
		}
		stop(t, p, time.Minute)
		got := c.records("mail", 3)
		if r := got[0]; r.Key != nil || r.Value != nil {
			t.Errorf("null became %q %q", r.Key, r.Value)
		}
		if r := got[1]; r.Key == nil || r.Value == nil || len(r.Key)+len(r.Value) != 0 {
			t.Errorf("empty became %#v %#v", r.Key, r.Value)
		}
		r := got[2]
		if string(r.Key) != "k\x00" || string(r.Value) != "\x00v" || len(r.Headers) != 3 ||
			string(r.Headers[0].Value) != "1" || r.Headers[1].Key != "a" || string(r.Headers[2].Value) != "\x00" {
			t.Errorf("got %+v", r)
		}
	})
}

func TestAFullQueueAnswersAtOnceAndTakesAgainWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.silence()
		p := c.queue(&logged{}, "queue.buffering.max.messages=1000")
		c.offer(p, 1000)
		if code := p.Offer(value("one more")); code != resperr.QueueFull {
			t.Fatalf("the call over the limit is answered %v", code)
		}
		c.answer()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if s := p.Snapshot(); s.Queued != 0 || s.Refused != 1 {
			t.Fatalf("after the broker answers: %+v", s)
		}
		c.offer(p, 1000)
		stop(t, p, time.Minute)
		c.records("mail", 2000)
	})
}

func TestTheLimitOfBytesCountsValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.silence()
		p := c.queue(&logged{}, "queue.buffering.max.kbytes=1")
		fits := &kgo.Record{Topic: "mail", Partition: -1, Key: make([]byte, 5000), Value: make([]byte, 1024)}
		if code := p.Offer(fits); code != resperr.NoError {
			t.Errorf("a value as large as the limit is answered %v", code)
		}
		if code := p.Offer(value("")); code != resperr.NoError {
			t.Errorf("an empty value in a full queue is answered %v, its bytes still fit", code)
		}
		if code := p.Offer(value("x")); code != resperr.QueueFull {
			t.Errorf("a byte over the limit is answered %v", code)
		}
		if parked, code := p.Park(&kgo.Record{Topic: "mail", Partition: -1, Value: make([]byte, 1025)}, nil); parked || code != resperr.QueueFull {
			t.Errorf("a value that can never fit is parked %t, answered %v", parked, code)
		}
		c.answer()
		stop(t, p, time.Minute)
	})
}

func TestTooLargeIsSaidAtTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "message.max.bytes=1000")
		if code := p.Offer(&kgo.Record{Topic: "mail", Partition: -1, Value: make([]byte, 1000-36)}); code != resperr.NoError {
			t.Errorf("the largest value that fits is answered %v", code)
		}
		if code := p.Offer(&kgo.Record{Topic: "mail", Partition: -1, Value: make([]byte, 1000-35)}); code != resperr.MsgSizeTooLarge {
			t.Errorf("a byte more is answered %v", code)
		}
		if lost := stop(t, p, time.Minute); lost != 0 {
			t.Errorf("%d lost", lost)
		}
		c.records("mail", 1)
	})
}

func TestParkedCallsAreWokenInOrderAsRoomComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.silence()
		p := c.queue(&logged{}, "queue.buffering.max.messages=2")
		c.offer(p, 2)
		woken := make(chan int, 10)
		for i := range 10 {
			parked, code := p.Park(value(fmt.Sprintf("parked %d", i)), func(code resperr.Code) {
				if code != resperr.NoError {
					t.Errorf("call %d is woken with %v", i, code)
				}
				woken <- i
			})
			if !parked || code != resperr.NoError {
				t.Fatalf("call %d is not parked: %v", i, code)
			}
		}
		synctest.Wait()
		if len(woken) != 0 || p.Parked() != 10 {
			t.Fatalf("%d calls were woken without room, %d are parked", len(woken), p.Parked())
		}
		c.answer()
		for i := range 10 {
			if got := <-woken; got != i {
				t.Errorf("call %d is woken in place of %d", got, i)
			}
		}
		stop(t, p, time.Minute)
		got := c.records("mail", 12)
		if string(got[2].Value) != "parked 0" || string(got[11].Value) != "parked 9" {
			t.Errorf("parked records are out of order: %q, %q", got[2].Value, got[11].Value)
		}
	})
}

func TestMessagesExpireAtTheirOwnTimeWhileTheBrokerIsSilent(t *testing.T) {
	for _, state := range []string{"silent", "unreachable"} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				log := &logged{}
				p := c.queue(log, "message.timeout.ms=300000")
				c.offer(p, 10)
				time.Sleep(time.Second)
				if state == "silent" {
					c.silence()
				} else {
					c.down.Store(true)
					c.cut()
				}
				start := time.Now()
				for i := range 30 { // one every ten seconds
					c.offer(p, 1)
					time.Sleep(10 * time.Second)
					_ = i
				}
				// The first is 300 s old now. From here on one must expire every ten seconds, each
				// within a second of its time.
				for i := range 30 {
					due := start.Add(300*time.Second + time.Duration(i)*10*time.Second)
					time.Sleep(time.Until(due.Add(-time.Second)))
					if s := p.Snapshot(); s.Failed != int64(i) {
						t.Fatalf("a second before message %d is due, %d have failed", i, s.Failed)
					}
					time.Sleep(2500 * time.Millisecond)
					if s := p.Snapshot(); s.Failed != int64(i+1) {
						t.Fatalf("1.5 s after message %d was due, %d have failed", i, s.Failed)
					}
				}
				if !strings.Contains(log.String(), "message delivery failed: Local: Message timed out") {
					t.Errorf("the log does not say so:\n%s", log)
				}
				c.answer()
				c.down.Store(false)
				stop(t, p, time.Minute)
			})
		})
	}
}

func TestOneDeadTopicDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=3600000")
		for i := range 1000 {
			r := value("v")
			if i%2 == 1 {
				r.Topic = "nosuch"
			}
			if code := p.Offer(r); code != resperr.NoError {
				t.Fatal(code)
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s := p.Snapshot(); s.Delivered != 500 || s.Queued != 500 {
			t.Errorf("%d delivered, %d queued", s.Delivered, s.Queued)
		}
		for _, topic := range p.Topics() {
			if stalled := topic.Name == "nosuch"; topic.Stalled != stalled {
				t.Errorf("topic %s is stalled: %t", topic.Name, topic.Stalled)
			}
		}
		if lost := stop(t, p, 10*time.Second); lost != 500 {
			t.Errorf("%d lost", lost)
		}
	})
}

func TestAStoppedQueueCountsWhatItLosesAndWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.silence()
		log := &logged{}
		p := c.queue(log, "queue.buffering.max.messages=5")
		c.offer(p, 5)
		woken := make(chan resperr.Code, 3)
		for range 3 {
			p.Park(value("late"), func(code resperr.Code) { woken <- code })
		}
		start := time.Now()
		if lost := stop(t, p, time.Minute); lost != 5 {
			t.Errorf("%d lost", lost)
		}
		if took := time.Since(start); took > 62*time.Second {
			t.Errorf("Stop took %v", took)
		}
		for range 3 {
			if code := <-woken; code != resperr.Destroy {
				t.Errorf("a parked call is answered %v", code)
			}
		}
		if code := p.Offer(value("later")); code != resperr.Destroy {
			t.Errorf("a call after Stop is answered %v", code)
		}
		if !strings.Contains(log.String(), "terminated with 5 message(s) lost in queue") {
			t.Errorf("the log does not say so:\n%s", log)
		}
		if s := p.Snapshot(); s.Failed != 5 || s.Queued != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

func TestAQueueOpensWhileKafkaIsAwayAndDeliversWhenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.down.Store(true)
		p := c.queue(&logged{})
		c.offer(p, 500)
		time.Sleep(2 * time.Minute)
		c.offer(p, 500)
		c.down.Store(false)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if s := p.Snapshot(); s.Delivered != 1000 {
			t.Errorf("15 s after Kafka came: %+v", s)
		}
		stop(t, p, time.Minute)
		for i, r := range c.records("mail", 1000) {
			if want := fmt.Sprintf("v%06d", i%500); string(r.Value) != want {
				t.Fatalf("record %d is %q, want %q: out of order", i, r.Value, want)
			}
		}
	})
}

func TestAPartitionThatDoesNotExistIsReportedThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(4, "mail"))
		log := &logged{}
		p := c.queue(log)
		r := value("v")
		r.Partition = 99
		if code := p.Offer(r); code != resperr.NoError {
			t.Fatalf("the first call is answered %v before the topic is known", code)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s := p.Snapshot()
		if s.Failed != 1 || len(s.Failures) != 1 || s.Failures[0].Code != resperr.UnknownPartition {
			t.Errorf("reported %+v", s)
		}
		for _, partition := range []int32{4, 99, -2} {
			r := value("v")
			r.Partition = partition
			if code := p.Offer(r); code != resperr.UnknownPartition {
				t.Errorf("partition %d is answered %v", partition, code)
			}
		}
		stop(t, p, time.Minute)
	})
}

package producer

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/record"
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
		for _, r := range []*record.Record{
			{Topic: "mail", Partition: -1},
			{Topic: "mail", Partition: -1, Key: []byte{}, Value: []byte{}},
			{Topic: "mail", Partition: -1, Key: []byte("k\x00"), Value: []byte("\x00v"), Headers: []record.Header{
				{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "", Value: []byte("\x00")},
			}},
		} {
			if code := offer(p, r); code != resperr.NoError {
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
		if code := offer(p, value("one more")); code != resperr.QueueFull {
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
		fits := &record.Record{Topic: "mail", Partition: -1, Key: make([]byte, 5000), Value: make([]byte, 1024)}
		if code := offer(p, fits); code != resperr.NoError {
			t.Errorf("a value as large as the limit is answered %v", code)
		}
		if code := offer(p, value("")); code != resperr.NoError {
			t.Errorf("an empty value in a full queue is answered %v, its bytes still fit", code)
		}
		if code := offer(p, value("x")); code != resperr.QueueFull {
			t.Errorf("a byte over the limit is answered %v", code)
		}
		if parked, code := p.Park(&record.Record{Topic: "mail", Partition: -1, Value: make([]byte, 1025)}, nil); parked || code != resperr.QueueFull {
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
		if code := offer(p, &record.Record{Topic: "mail", Partition: -1, Value: make([]byte, 1000-36)}); code != resperr.NoError {
			t.Errorf("the largest value that fits is answered %v", code)
		}
		if code := offer(p, &record.Record{Topic: "mail", Partition: -1, Value: make([]byte, 1000-35)}); code != resperr.MsgSizeTooLarge {
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
			if code := offer(p, r); code != resperr.NoError {
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
		if code := offer(p, value("later")); code != resperr.Destroy {
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
		if code := offer(p, r); code != resperr.NoError {
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
			if code := offer(p, r); code != resperr.UnknownPartition {
				t.Errorf("partition %d is answered %v", partition, code)
			}
		}
		stop(t, p, time.Minute)
	})
}

func TestAnUnknownTopicFailsAfterItsTimeAndIsRefusedUntilItAppears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		p := c.queue(&logged{}, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=30000")
		c.offer(p, 3)
		time.Sleep(29 * time.Second)
		if s := p.Snapshot(); s.Failed != 0 {
			t.Errorf("%d have failed after 29 s", s.Failed)
		}
		time.Sleep(3 * time.Second)
		if s := p.Snapshot(); s.Failed != 3 || s.Failures[0].Code != resperr.UnknownTopicOrPart {
			t.Errorf("after 32 s: %+v", s)
		}
		if code := offer(p, value("v")); code != resperr.UnknownTopic {
			t.Errorf("a later call is answered %v", code)
		}
		c.create("mail", 1)
		time.Sleep(3 * time.Second)
		c.offer(p, 3)
		if lost := stop(t, p, time.Minute); lost != 0 {
			t.Errorf("%d lost on the topic that has appeared", lost)
		}
		c.records("mail", 3)
	})
}

func TestATopicThatIsDeletedAndMadeAnewGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "topic.metadata.refresh.interval.ms=5000")
		c.offer(p, 10)
		time.Sleep(time.Second)
		c.remove("mail")
		c.create("mail", 1)
		for i := range 200 {
			if code := offer(p, value(fmt.Sprintf("new%04d", i))); code != resperr.NoError {
				t.Fatalf("record %d is refused: %v", i, code)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if lost := stop(t, p, time.Minute); lost != 0 {
			t.Errorf("%d lost", lost)
		}
		got := c.records("mail", 200)
		for i, r := range got {
			if want := fmt.Sprintf("new%04d", i); string(r.Value) != want {
				t.Fatalf("record %d is %q, want %q", i, r.Value, want)
			}
		}
	})
}

func TestATopicThatIsNotAuthorisedIsReportedThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		denied := c.deny()
		p := c.queue(&logged{})
		c.offer(p, 2)
		time.Sleep(2 * time.Second)
		if s := p.Snapshot(); s.Failed != 2 || s.Failures[0].Code != resperr.TopicAuthorizationFailed {
			t.Errorf("after 2 s: %+v", s)
		}
		if code := offer(p, value("v")); code != resperr.TopicAuthorizationFailed {
			t.Errorf("a later call is answered %v", code)
		}
		denied.Store(false)
		time.Sleep(5 * time.Second)
		c.offer(p, 1)
		if lost := stop(t, p, time.Minute); lost != 0 || p.Snapshot().Delivered != 1 {
			t.Errorf("after the grant: %d lost, %+v", lost, p.Snapshot())
		}
	})
}

func TestRequiredAcksThatNoBrokerTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "acks=2")
		c.offer(p, 1)
		stop(t, p, time.Minute)
		if s := p.Snapshot(); s.Failed != 1 || s.Failures[0].Code != resperr.InvalidRequiredAcks {
			t.Errorf("reported %+v", s)
		}
	})
}

func TestWakeNeverWaitsForASenderThatItsTimerHasWoken(t *testing.T) {
	p := &Producer{kick: make(chan struct{}, 1)}
	p.wake()
	p.kicked.Store(false) // the sender looks again, and has not read the signal
	p.wake()
	if len(p.kick) != 1 {
		t.Error("the signal is lost")
	}
}

// A record buffer of two topics, one stalled before its records were in batches and one after: the records that were moved to
// the stalled topic's own buffer must not be reported again where they were.
func TestARecordThatWaitsElsewhereIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=3600000",
			"message.timeout.ms=20000", "linger.ms=50")
		for i := range 100 {
			for _, topic := range []string{"mail", "nosuch"} {
				r := value("v")
				r.Topic = topic
				if code := offer(p, r); code != resperr.NoError {
					t.Fatal(code)
				}
			}
			if i == 50 {
				c.silence()
			}
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		s := p.Snapshot()
		if s.In != 200 || s.Delivered+s.Failed != 200 || s.Queued != 0 {
			t.Errorf("counted %+v", s)
		}
		c.answer()
		stop(t, p, time.Minute)
	})
}

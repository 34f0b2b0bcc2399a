package producer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// deliver calls Deliver and returns where the answer will be, or the code of a call that is refused.
func deliver(t *testing.T, p *Producer, r *record.Record, limit time.Duration) (<-chan Delivery, resperr.Code) {
	t.Helper()
	answers := make(chan Delivery, 2) // a second answer must be seen, not waited for
	parked, code := p.Deliver(r, limit, func(d Delivery) { answers <- d })
	if parked == (code != resperr.NoError) {
		t.Fatalf("the call is parked: %t, with %v", parked, code)
	}
	return answers, code
}

func TestADeliveryNamesWhereTheRecordIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(3, "mail"))
		p := c.queue(&logged{})
		for i := range int64(3) {
			r := value("v")
			r.Partition = 2
			before := time.Now().Truncate(time.Millisecond)
			answers, _ := deliver(t, p, r, time.Minute)
			d := <-answers
			if d.Code != resperr.NoError || d.Topic != "mail" || d.Partition != 2 || d.Offset != i || !d.Timestamp.Equal(before) {
				t.Errorf("delivery %d is %+v", i, d)
			}
		}
		time.Sleep(2 * time.Minute) // a limit that still ran would answer again
		stop(t, p, time.Minute)
		if got := c.records("mail", 3); got[2].Partition != 2 {
			t.Errorf("got %+v", got[2])
		}
	})
}

func TestADeliveryThatTakesTooLongIsAnsweredAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.silence()
		p := c.queue(&logged{})
		start := time.Now()
		answers, _ := deliver(t, p, value("v"), 1500*time.Millisecond)
		if d := <-answers; d.Code != resperr.TimedOut || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("after %v: %+v", time.Since(start), d)
		}
		c.answer()
		if lost := stop(t, p, time.Minute); lost != 0 {
			t.Errorf("%d lost", lost)
		}
		c.records("mail", 1)
		if len(answers) != 0 {
			t.Errorf("the script is woken again with %+v", <-answers)
		}
	})
}

func TestADeliveryWaitsForRoomButNotLongerThanItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.silence()
		p := c.queue(&logged{}, "queue.buffering.max.messages=1", "queue.buffering.max.kbytes=1")
		first, _ := deliver(t, p, value("first"), 0)
		impatient, _ := deliver(t, p, value("impatient"), time.Second)
		patient, _ := deliver(t, p, value("patient"), time.Minute)
		if d := <-impatient; d.Code != resperr.QueueFull {
			t.Errorf("a call without room is answered %+v", d)
		}
		if p.Parked() != 1 {
			t.Errorf("%d calls wait for room", p.Parked())
		}
		if _, code := deliver(t, p, &record.Record{Topic: "mail", Partition: -1, Value: make([]byte, 1025)}, 0); code != resperr.QueueFull {
			t.Errorf("a value that can never fit is answered %v", code)
		}
		c.answer()
		if a, b := <-first, <-patient; a.Code != resperr.NoError || b.Code != resperr.NoError || b.Offset != 1 {
			t.Errorf("answered %+v and %+v", a, b)
		}
		stop(t, p, time.Minute)
		if s := p.Snapshot(); s.In != 2 || s.Refused != 2 {
			t.Errorf("counted %+v", s)
		}
		c.records("mail", 2)
	})
}

func TestAFailedDeliveryHasTheCodeOfTheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=5000")
		r := value("v")
		r.Topic = "nosuch"
		answers, _ := deliver(t, p, r, 0)
		beside, _ := deliver(t, p, value("v"), 0)
		if d := <-beside; d.Code != resperr.NoError {
			t.Errorf("a good topic beside is answered %+v", d)
		}
		if d := <-answers; d.Code != resperr.UnknownTopicOrPart {
			t.Errorf("answered %+v", d)
		}
		if _, code := deliver(t, p, r, time.Second); code != resperr.UnknownTopic {
			t.Errorf("a later call is answered %v", code)
		}
		stop(t, p, time.Minute)
	})
}

func TestStopAnswersDeliveriesThatAreOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.silence()
		p := c.queue(&logged{}, "queue.buffering.max.messages=1")
		held, _ := deliver(t, p, value("held"), time.Hour)
		parked, _ := deliver(t, p, value("parked"), 0)
		stop(t, p, time.Second)
		if len(held) != 1 || len(parked) != 1 {
			t.Fatalf("Stop has returned with %d and %d answers", len(held), len(parked))
		}
		if a, b := <-held, <-parked; a.Code != resperr.Destroy || b.Code != resperr.Destroy {
			t.Errorf("answered %+v and %+v", a, b)
		}
		if _, code := deliver(t, p, value("later"), 0); code != resperr.Destroy {
			t.Errorf("a call after Stop is answered %v", code)
		}
		time.Sleep(2 * time.Hour)
		if len(held) != 0 {
			t.Error("the end of its time answers a call again")
		}
	})
}

// A record that is moved to a buffer of its stalled topic has one report, not one more for the place
// that it has left.
func TestARecordBesideAStalledTopicIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=3600000", "linger.ms=50")
		offer := func(topic string) {
			r := value("v")
			r.Topic = topic
			if code := p.Offer(r); code != resperr.NoError {
				t.Fatal(code)
			}
		}
		offer("nosuch")
		time.Sleep(2 * time.Second)
		c.silence()
		for range 10 {
			offer("nosuch")
			offer("mail")
		}
		time.Sleep(time.Second)
		if lost := stop(t, p, time.Second); lost != 21 {
			t.Errorf("%d lost", lost)
		}
		if s := p.Snapshot(); s.Failed != 21 {
			t.Errorf("counted %+v", s)
		}
	})
}

func TestOfferAllocatesNothingForARecord(t *testing.T) {
	c := newOffline(t)
	r := &record.Record{Topic: "mail", Key: make([]byte, 12), Value: make([]byte, 100), Partition: -1, Headers: []record.Header{
		{Key: "name", Value: make([]byte, 10)},
	}}
	// A record buffer and its share are made once for several hundred records; one in ten calls is far above that.
	if n := testing.AllocsPerRun(5000, func() {
		call := *r
		if code := c.Offer(&call); code != resperr.NoError {
			t.Fatal(code)
		}
	}); n >= 0.1 {
		t.Errorf("a call allocates %v times", n)
	}
}

// newOffline returns a queue that reaches no broker, outside of a bubble.
func newOffline(t *testing.T) *Producer {
	t.Helper()
	p, err := New("kafka1", settings(t, "bootstrap.servers=127.0.0.1:1"), Deps{Log: (&logged{}).logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, p, time.Millisecond) })
	return p
}

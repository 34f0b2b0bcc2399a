package producer

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// withIntake opens a queue with an intake, named as the test. Calls find the intake of the whole process, and
// wake the sender through the kernel, so the time of these tests is the real one.
func (c *cluster) withIntake(log *logged, properties ...string) *Producer {
	c.t.Helper()
	in, err := intake.New(c.t.Name(), 1000000, int(resperr.QueueFull), int(resperr.Destroy))
	if err != nil {
		c.t.Fatal(err)
	}
	set := settings(c.t, append([]string{"bootstrap.servers=127.0.0.1:9092"}, properties...)...)
	p, err := New(c.t.Name(), set, Deps{
		Log: log.logger(), Client: conf.Deps{Dialer: c.dial}, Intake: in, Quiet: true,
		Wake: func(_ intake.Script, code resperr.Code) { c.woken <- code },
	})
	if err != nil {
		c.t.Fatal(err)
	}
	p.Publish()
	c.t.Cleanup(func() { stop(c.t, p, time.Millisecond) })
	return p
}

func leave(p *Producer, v string, headers ...[2]string) intake.Answer {
	c := intake.Call{
		Queue: p.ID(), Topic: "mail", Value: []byte(v), Headers: headers, Partition: -1,
		Milliseconds: time.Now().UnixMilli(),
	}
	answer, _ := c.Offer()
	return answer
}

// Records that were left in the intake and those that went through Go arrive in the order of their
// calls, whichever way each took.
func TestTheOrderIsThatOfCallsWhicheverWayTheyTook(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "mail"))
	p := c.withIntake(&logged{}, "linger.ms=1")
	const calls = 20000
	ways := [2]int{}
	for i := range calls {
		v := fmt.Sprintf("v%06d", i)
		if rand.IntN(3) > 0 && leave(p, v, [2]string{"n", v}) == intake.Taken {
			ways[0]++
			continue
		}
		r := value(v)
		r.Headers = []record.Header{{Key: "n", Value: []byte(v)}}
		if code := p.Offer(r); code != resperr.NoError {
			t.Fatalf("call %d: %v", i, code)
		}
		ways[1]++
	}
	for i, r := range c.records("mail", calls) {
		want := fmt.Sprintf("v%06d", i)
		if string(r.Value) != want || len(r.Headers) != 1 || r.Headers[0].Key != "n" || string(r.Headers[0].Value) != want {
			t.Fatalf("record %d is %s with %v", i, r.Value, r.Headers)
		}
	}
	if ways[0] == 0 || ways[1] == 0 {
		t.Errorf("%d calls left their record in the intake and %d went through Go", ways[0], ways[1])
	}
	if lost := stop(t, p, time.Minute); lost != 0 {
		t.Errorf("%d lost", lost)
	}
	if s := p.Snapshot(); s.Delivered != calls || s.In != calls {
		t.Errorf("in %d, delivered %d, want %d", s.In, s.Delivered, calls)
	}
	if answer := leave(p, "late"); answer != intake.Refused {
		t.Errorf("after Stop a call is answered %v", answer)
	}
}

// A full queue refuses without Go, to the record; what was delivered makes room without Go.
func TestAFullQueueIsFullOnBothWays(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "mail"))
	p := c.withIntake(&logged{}, "queue.buffering.max.messages=300", "linger.ms=0")
	if code := p.Offer(value("first")); code != resperr.NoError { // which makes the topic known
		t.Fatal(code)
	}
	if n := p.drain(t.Context()); n != 0 {
		t.Fatalf("%d still queued", n)
	}
	c.silence()
	for i := range 300 {
		if answer := leave(p, "v"); answer != intake.Taken {
			t.Fatalf("call %d of 300: %v", i+1, answer)
		}
	}
	if answer := leave(p, "v"); answer != intake.Refused {
		t.Errorf("one more: %v", answer)
	}
	if code := p.Offer(value("v")); code != resperr.QueueFull {
		t.Errorf("one more through Go: %v", code)
	}
	if s := p.Snapshot(); s.In != 301 || s.Queued != 300 || s.Refused != 2 {
		t.Errorf("in %d, queued %d, refused %d", s.In, s.Queued, s.Refused)
	}
	woken := make(chan resperr.Code, 1)
	if parked, code := p.Park(value("parked"), func(c resperr.Code) { woken <- c }); !parked {
		t.Fatalf("a call that waits is answered %v", code)
	}
	if answer := leave(p, "v"); answer != intake.Refused {
		t.Errorf("a call that comes while another waits is answered %v, and may pass by", answer)
	}
	waiting := intake.Call{Queue: p.ID(), Topic: "mail", Value: []byte("parked in C"), Partition: -1, Waits: true}
	if answer, _ := waiting.Offer(); answer != intake.Parked {
		t.Errorf("a call that waits for room is answered %v", answer)
	}
	c.answer()
	if code := <-woken; code != resperr.NoError {
		t.Errorf("the parked call is woken with %v", code)
	}
	if code := <-c.woken; code != resperr.NoError {
		t.Errorf("the call that was parked in C is woken with %v", code)
	}
	if n := p.drain(t.Context()); n != 0 {
		t.Errorf("%d still queued", n)
	}
	if answer := leave(p, "v"); answer != intake.Taken {
		t.Errorf("in an empty queue: %v", answer)
	}
	if lost := stop(t, p, time.Minute); lost != 0 {
		t.Errorf("%d lost", lost)
	}
}

// Each call that was accepted is delivered although threads call while the queue stops.
func TestStopWhileThreadsCall(t *testing.T) {
	for range 20 {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.withIntake(&logged{}, "linger.ms=5")
		if code := p.Offer(value("first")); code != resperr.NoError {
			t.Fatal(code)
		}
		var accepted [4]int
		var callers sync.WaitGroup
		begun := make(chan struct{}, len(accepted))
		for i := range accepted {
			callers.Go(func() {
				for n := 0; ; n++ {
					if n == 500 {
						begun <- struct{}{}
					}
					call := intake.Call{Queue: p.ID(), Topic: "mail", Partition: -1, Milliseconds: time.Now().UnixMilli()}
					switch answer, code := call.Offer(); {
					case answer == intake.Refused && code == int(resperr.Destroy):
						return
					case answer == intake.Refused: // full
						continue
					case answer == intake.Ask:
						t.Error("nothing here is for Go to decide")
						return
					}
					accepted[i]++
				}
			})
		}
		<-begun
		lost := stop(t, p, time.Minute)
		callers.Wait()
		sum := int64(1)
		for _, n := range accepted {
			sum += int64(n)
		}
		if s := p.Snapshot(); lost != 0 || s.In != sum || s.Delivered != sum {
			t.Errorf("%d were accepted; in %d, delivered %d, lost %d", sum, s.In, s.Delivered, lost)
		}
	}
}

// A topic that is found out not to exist is refused at the next call without Go's intake taking it.
func TestATopicThatIsRefusedIsNotTaken(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "mail"))
	p := c.withIntake(&logged{}, "linger.ms=0", "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=0")
	r := value("v")
	r.Topic = "nowhere"
	if code := p.Offer(r); code != resperr.NoError {
		t.Fatal(code)
	}
	if n := p.drain(t.Context()); n != 0 {
		t.Fatalf("%d still queued", n)
	}
	call := intake.Call{Queue: p.ID(), Topic: "nowhere", Partition: -1}
	if answer, code := call.Offer(); answer != intake.Refused || code != int(resperr.UnknownTopic) {
		t.Errorf("the call is answered %v with %d", answer, code)
	}
	r = value("v")
	r.Topic = "nowhere"
	if code := p.Offer(r); code != resperr.UnknownTopic {
		t.Errorf("through Go it is answered %v", code)
	}
}

// A topic that stalls keeps what it has, and gives it back in order, when its records came through the
// intake in chunks that other topics' records are in too.
func TestAStalledTopicsRecordsOutliveTheirChunks(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "mail", "other"))
	p := c.withIntake(&logged{}, "linger.ms=1")
	for _, topic := range []string{"mail", "other"} {
		r := value("first")
		r.Topic = topic
		if code := p.Offer(r); code != resperr.NoError {
			t.Fatal(code)
		}
	}
	if n := p.drain(t.Context()); n != 0 {
		t.Fatalf("%d still queued", n)
	}
	c.silence()
	const calls = 5000
	begun := time.Now()
	for i := range calls {
		v := fmt.Sprintf("v%06d", i)
		for _, topic := range []string{"mail", "other"} {
			call := intake.Call{
				Queue: p.ID(), Topic: topic, Value: []byte(v), Headers: [][2]string{{"n", v}}, Partition: -1,
				Milliseconds: time.Now().UnixMilli(),
			}
			if answer, code := call.Offer(); answer != intake.Taken {
				t.Fatalf("%v %d", answer, code)
			}
		}
		for i%100 == 0 && time.Since(begun) < time.Duration(i)*400*time.Microsecond { // two seconds in all: long enough to stall
			p.Snapshot()
		}
	}
	c.answer()
	for _, topic := range []string{"mail", "other"} {
		for i, r := range c.records(topic, calls+1)[1:] {
			if want := fmt.Sprintf("v%06d", i); string(r.Value) != want || r.Headers[0].Key != "n" || string(r.Headers[0].Value) != want {
				t.Fatalf("%s: record %d is %s with %v", topic, i, r.Value, r.Headers)
			}
		}
	}
}

// In a full queue each call finds room for one record; a chunk for each would hold a page of memory.
func TestFewRecordsDoNotKeepAChunk(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "mail"))
	p := c.withIntake(&logged{}, "linger.ms=60000")
	for i := range 3 {
		if answer := leave(p, fmt.Sprintf("v%d", i), [2]string{"n", "v"}); answer != intake.Taken {
			t.Fatal(answer)
		}
		p.Snapshot()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.full) != 0 || p.current == nil || len(p.current.entries) != 3 {
		t.Fatalf("%d buffers are full, and the current one is %+v", len(p.full), p.current)
	}
	for i := range p.current.entries {
		r := p.current.entries[i].record()
		if string(r.Value) != fmt.Sprintf("v%d", i) || r.Headers[0].Key != "n" || string(r.Headers[0].Value) != "v" {
			t.Errorf("record %d is %s with %v", i, r.Value, r.Headers)
		}
	}
}

package producer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A topic without a leader may pile up on the disk for days. Its records must leave the memory to
// the other topics, and come back in order when the topic does.
func TestAStalledTopicStaysOnTheDiskAndComesBackInOrder(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		p := c.spooled(&logged{}, cfg, "queue.buffering.max.messages=5000", "allow.auto.create.topics=false",
			"topic.metadata.propagation.max.ms=3600000")
		for i := range 20 {
			store(t, p, "nosuch", i*1000, 1000)
			store(t, p, "mail", i*1000, 1000)
			time.Sleep(time.Second)
		}
		time.Sleep(20 * time.Second)
		if held := p.outstanding(); held > 2500 {
			t.Errorf("%d records are in memory", held)
		}
		if s := p.Snapshot(); s.Delivered != 20000 || s.Queued != 20000 {
			t.Errorf("counted %+v", s)
		}
		c.create("nosuch", 1)
		for i := range 10 { // new ones must not pass those on the disk
			store(t, p, "nosuch", 20000+i*100, 100)
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		c.inOrder("nosuch", 21000)
		c.inOrder("mail", 20000)
		stop(t, p, time.Minute)
		if s := p.Snapshot(); s.Delivered != 41000 || s.Failed != 0 || p.Spool().Pending != 0 {
			t.Errorf("counted %+v, %d pending", s, p.Spool().Pending)
		}
	})
}

// Whatever the network does, and however often the host restarts: what was answered [] is on its
// topic, in order.
func TestRandomOutagesAndRestartsLoseNothing(t *testing.T) {
	for seed := range either(uint64(8), 3) {
		for _, mode := range []string{"durable", "spill"} {
			t.Run(fmt.Sprintf("%s %d", mode, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { outages(t, seed, mode == "spill") })
			})
		}
	}
}

func outages(t *testing.T, seed uint64, spill bool) {
	rng := rand.New(rand.NewPCG(seed, 1))
	c := newCluster(t)
	cfg := durable(faultfs.New(seed))
	cfg.Spill, cfg.SegmentBytes = spill, 64<<10
	window, burst := 200, 150
	if seed%2 == 1 { // then a stalled topic has a backlog in memory, which is dropped again
		window, burst = 20000, 2000
	}
	open := func() *Producer {
		return c.spooled(&logged{}, cfg, fmt.Sprintf("queue.buffering.max.messages=%d", window), "allow.auto.create.topics=false",
			"topic.metadata.propagation.max.ms=3600000", "enable.idempotence=true")
	}
	p := open()
	topics := []string{"a", "b", "c"}
	there := map[string]bool{}
	sent := map[string]int{}
	restarts := 0
	for range 60 {
		topic := topics[rng.IntN(len(topics))]
		switch rng.IntN(12) {
		case 0:
			c.down.Store(true)
			c.cut()
		case 1, 2:
			c.down.Store(false)
			c.answer()
		case 3:
			c.silence()
		case 4:
			c.cut()
		case 5:
			if !there[topic] && !c.down.Load() && !c.silent() {
				c.create(topic, 1)
				there[topic] = true
			}
		case 6:
			if lost := stop(t, p, time.Minute); lost != 0 {
				t.Fatalf("%d lost at a stop", lost)
			}
			p = open()
			restarts++
		default:
			n := 1 + rng.IntN(burst)
			store(t, p, topic, sent[topic], n)
			sent[topic] += n
		}
		time.Sleep(time.Duration(rng.IntN(4000)) * time.Millisecond)
	}
	c.down.Store(false)
	c.answer()
	for _, topic := range topics {
		if !there[topic] {
			c.create(topic, 1)
		}
	}
	time.Sleep(5 * time.Minute)
	if s := p.Spool(); s.Pending != 0 {
		t.Errorf("%d records are still on the disk", s.Pending)
	}
	if lost := stop(t, p, time.Minute); lost != 0 {
		t.Errorf("%d lost", lost)
	}
	for _, topic := range topics {
		next := 0
		for _, r := range c.all(topic) {
			var n int
			if _, err := fmt.Sscanf(string(r.Value), "v%d", &n); err != nil {
				t.Fatal(err)
			}
			switch {
			case n == next:
				next++
			case n > next:
				t.Fatalf("topic %s has %d where %d is due", topic, n, next)
			case restarts == 0:
				t.Fatalf("topic %s has %d again", topic, n)
			}
		}
		if next != sent[topic] {
			t.Errorf("topic %s has %d records, want %d", topic, next, sent[topic])
		}
	}
}

// Many topics that nobody has, each with more records than the memory holds: the one that is there
// still gets through within seconds.
func TestDeadTopicsByTheDozenLeaveRoomForALiveOne(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		p := c.spooled(&logged{}, cfg, "queue.buffering.max.messages=1000", "allow.auto.create.topics=false",
			"topic.metadata.propagation.max.ms=3600000")
		for i := range 12 {
			store(t, p, fmt.Sprintf("nosuch%d", i), 0, 1500)
		}
		store(t, p, "mail", 0, 3000)
		time.Sleep(20 * time.Second)
		if s := p.Snapshot(); s.Delivered != 3000 || s.Queued != 12*1500 {
			t.Errorf("20 s later: %+v", s)
		}
		store(t, p, "mail", 3000, 3000)
		time.Sleep(10 * time.Second)
		c.inOrder("mail", 6000)
	})
}

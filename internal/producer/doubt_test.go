package producer

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// What was found decides what becomes of a batch: see the rules in docs/design.md.
func TestFindings(t *testing.T) {
	seen := func(first, count int32) []client.Seen { return []client.Seen{{First: first, Count: count, Offset: 50}} }
	for _, test := range []struct {
		sentence string
		sighting client.Sighting
		bound    int64
		refused  bool
		want     finding
	}{
		{"its head is in the log", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 19, Scanned: true, End: 60, Seen: seen(10, 10)}, 40, false, there},
		{"it is in the log as a part of a batch that was halved since", client.Sighting{Asked: true, Scanned: true, End: 60, Seen: seen(5, 20)}, 40, false, there},
		{"the leader waits for it", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 9}, 40, false, absent},
		{"the leader knows an older epoch", client.Sighting{Asked: true, Known: true, Epoch: 0, Last: 99}, 40, false, absent},
		{"the leader knows nobody, and the log has nothing since", client.Sighting{Asked: true, Scanned: true, End: 60}, 40, false, absent},
		{"the leader cannot say, and the log has nothing since", client.Sighting{Scanned: true, End: 60}, 40, false, absent},
		{"the leader has it, and not all replicas", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 19, Scanned: true, End: 50}, 40, false, hidden},
		{"the leader cannot say and does not take it, and not all replicas may have it", client.Sighting{Scanned: true, End: 50}, 40, true, hidden},
		{"the leader has had it, and retention has removed it", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 19, Scanned: true, Start: 55, End: 60}, 40, false, there},
		{"the leader knows nobody, and retention may have removed it", client.Sighting{Asked: true, Scanned: true, Start: 41, End: 60}, 40, false, vanished},
		{"the leader knows nobody, and compaction may have removed it", client.Sighting{Asked: true, Scanned: true, Gaps: true, End: 60}, 40, false, vanished},
		{"compaction has removed others", client.Sighting{Asked: true, Scanned: true, Gaps: true, End: 60, Seen: seen(10, 10)}, 40, false, there},
		{"the leader has it, and the log was compacted", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 19, Scanned: true, Gaps: true, End: 60}, 40, false, hidden},
		{"the leader knows a later one and does not take it, and compaction may have removed it", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 19, Scanned: true, Gaps: true, End: 60}, 40, true, lost},
		{"the log was cut back behind what was acknowledged", client.Sighting{Asked: true, Scanned: true, End: 39}, 40, false, vanished},
		{"where the log ended is not known, and its start is gone", client.Sighting{Asked: true, Scanned: true, Start: 1, End: 60}, -1, false, vanished},
		{"where the log ended is not known, and all of it is there", client.Sighting{Asked: true, Scanned: true, End: 60}, -1, false, absent},
		{"the leader says that it has it and does not take it again, and the log does not show it", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 19, Scanned: true, End: 60}, 40, true, lost},
		{"the leader has a part of it", client.Sighting{Asked: true, Known: true, Epoch: 1, Last: 14, Scanned: true, End: 60}, 40, false, lost},
		{"somebody else has the epoch after it", client.Sighting{Asked: true, Known: true, Epoch: 2, Last: 3, Scanned: true, End: 60}, 40, false, lost},
	} {
		if got := find(&test.sighting, 1, 10, 19, test.bound, test.refused); got != test.want {
			t.Errorf("%s: %d, want %d", test.sentence, got, test.want)
		}
	}
	// Sequences begin again behind the largest.
	if got := find(&client.Sighting{Asked: true, Known: true, Last: 1<<31 - 2, Epoch: 1}, 1, 1<<31-1, 5, 0, false); got != absent {
		t.Errorf("a batch across the largest sequence: %d", got)
	}
	if got := find(&client.Sighting{Asked: true, Scanned: true, End: 9, Seen: seen(1<<31-2, 20)}, 1, 1<<31-1, 5, 0, false); got != there {
		t.Errorf("a batch in the log across the largest sequence: %d", got)
	}
}

// Six messages are written and not answered when the host is killed. Where it cannot be known afterwards what was written, they are sent, and counted before
// that; else they are there once.
func TestWhereCertaintyEnds(t *testing.T) {
	const n = 6
	of := func(why string) string {
		return `msg="messages may be delivered twice" queue=kafka1 topic=mail partition=0 messages=6 why="` + why + `"`
	}
	all := func(why string) string {
		return `msg="messages in the spool may be delivered twice: which of them were sent is not known" queue=kafka1 messages=6 why="` + why + `"`
	}
	for _, test := range []struct {
		sentence string
		between  func(t *testing.T, h *history)
		doubted  int64
		twice    int64
		says     string
	}{
		{"nothing else happens", func(*testing.T, *history) {}, 0, 0, ""},
		{"the broker has forgotten the producer", func(_ *testing.T, h *history) { h.kafka.restart(true) }, 0, 0, ""},
		{"the queue may not read the topic, and the broker remembers", func(_ *testing.T, h *history) { h.kafka.set(func() { h.kafka.unreadable = true }) }, n, 0, of("the queue may not read the topic")},
		{"the queue may not read the topic, and the broker has forgotten", func(_ *testing.T, h *history) {
			h.kafka.set(func() { h.kafka.unreadable = true })
			h.kafka.restart(true)
		}, n, n, of("the queue may not read the topic")},
		{"the topic was recreated", func(_ *testing.T, h *history) {
			h.kafka.restart(true)
			h.kafka.topicID++
		}, n, n, of("the topic was recreated")},
		{"retention has removed them, and the broker remembers", func(_ *testing.T, h *history) { h.kafka.set(func() { h.kafka.start = n }) }, 0, 0, ""},
		{"retention has removed them, and the broker has forgotten", func(_ *testing.T, h *history) { h.kafka.restart(true); h.kafka.set(func() { h.kafka.start = n }) }, n, n, of("the log does not reach back to where they would be")},
		{"compaction has removed them, and the broker has forgotten", func(_ *testing.T, h *history) {
			h.kafka.restart(true)
			h.kafka.parts[0].log = []simBatch{{offset: n, producer: 7, values: []string{""}}} // of another, behind them
			h.kafka.parts[0].end++
		}, n, 0, of("the log was compacted where they would be")},
		{"they were written twice, as bytes that came when the broker had forgotten", func(_ *testing.T, h *history) {
			h.kafka.restart(true)
			again := h.kafka.parts[0].log[0]
			again.offset = h.kafka.parts[0].end
			h.kafka.parts[0].log, h.kafka.parts[0].end = append(h.kafka.parts[0].log, again), again.offset+n
		}, n, n, `msg="messages were delivered twice: bytes of them were held outside of the broker for longer than it remembers the producer" queue=kafka1 topic=mail partition=0 messages=6 offset=6`},
		{"the plans are gone", func(_ *testing.T, h *history) { h.forget = true }, n, n, all("it was sent by a version, or with a configuration, that keeps no plans")},
		{"the plans are damaged", func(t *testing.T, h *history) {
			names := h.disk.Names("/spool", ".plans")
			b, _ := h.disk.Get("/spool/" + names[0])
			b[1024+33] ^= 1 // in the snapshot, before the plan
			h.disk.Put("/spool/"+names[0], b)
		}, n, n, all("the plans cannot be read: 0000000000.plans: 40 bytes at 1024: payload checksum is wrong")},
		{"the checkpoint is unreadable", func(t *testing.T, h *history) { h.disk.Put("/spool/position", nil) }, n, n, all("the checkpoint of the spool is unreadable")},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, p := onePartition(t, "batch.num.messages=6")
				h.unanswered(p, n)
				test.between(t, h)
				var wrong []string
				for i := range test.twice {
					wrong = append(wrong, fmt.Sprintf("%06d is there 2 times", i))
				}
				if err := h.end(); h.doubted != test.doubted || fmt.Sprint(err) != cmp.Or(strings.Join(wrong, "; "), "<nil>") {
					t.Errorf("%d were called possibly duplicated: %v\n%s", h.doubted, err, &h.log)
				}
				if !strings.Contains(h.log.String(), test.says) {
					t.Errorf("the log does not say %s:\n%s", test.says, &h.log)
				}
			})
		})
	}
}

// onePartition is a history on a calm broker and one partition, and its first life.
func onePartition(t *testing.T, property string) (*history, *Producer) {
	t.Helper()
	h := newHistory(t, 1)
	h.more = []string{property}
	h.kafka.calm, h.kafka.parts = true, h.kafka.parts[:1]
	p, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	return h, p
}

// unanswered lets the broker write the next n messages without an answer, and kills the host.
func (h *history) unanswered(p *Producer, n int) {
	h.kafka.set(func() { h.kafka.mute = true })
	for range n {
		h.store(p)
	}
	time.Sleep(time.Second / 2)
	h.kafka.setDown(true)
	h.disk.Crash()
	h.stop(p)
	h.kafka.setDown(false)
	h.kafka.set(func() { h.kafka.mute = false })
	h.disk = h.disk.Reboot()
}

// A broker that had forgotten the producer has taken a batch and not the one before it. Both are delivered, each once.
func TestABatchBehindAHoleDropsNothing(t *testing.T) {
	for _, remembers := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h, p := onePartition(t, "batch.num.messages=1")
			h.store(p)
			time.Sleep(time.Second / 2)
			h.unanswered(p, 6)
			log := h.kafka.parts[0].log
			log[1].first, log[1].values = 2, []string{"000002"} // and not 000001
			for _, s := range h.kafka.parts[0].states {
				s.last = log[1:2:2]
			}
			if !remembers {
				h.kafka.restart(true)
			}
			err := h.end()
			if len(log) != 2 || h.doubted != 0 || fmt.Sprint(err) != "000001 comes after 000002 on partition 0" {
				t.Errorf("remembers %v: %v, %d called possibly duplicated, %+v\n%s", remembers, err, h.doubted, h.kafka.parts[0].log, &h.log)
			}
		})
	}
}

// Compaction has removed a batch that may have been written, and not the one behind it. Whether consumers have had it is not known: it goes again, and is counted
// and logged before that.
func TestABatchThatCompactionTookBeforeAnotherIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, p := onePartition(t, "batch.num.messages=1")
		h.store(p)
		time.Sleep(time.Second / 2)
		h.unanswered(p, 6)
		part := &h.kafka.parts[0]
		behind := part.log[1] // 000002 was written behind 000001
		behind.offset, behind.first, behind.values = 2, 2, []string{"000002"}
		for _, s := range part.states {
			s.last = append(s.last, behind)
		}
		part.log, part.end = append(part.log[:1:1], behind), 3 // and 000001 is gone
		err := h.end()
		const says = `msg="messages may be delivered twice" queue=kafka1 topic=mail partition=0 messages=1 why="the log was compacted where they would be"`
		if h.doubted != 1 || fmt.Sprint(err) != "000001 comes after 000002 on partition 0" || !strings.Contains(h.log.String(), says) {
			t.Errorf("%v, %d called possibly duplicated, %+v\n%s", err, h.doubted, part.log, &h.log)
		}
	})
}

// A broker forgets the producer in the middle, refuses a batch for a moment and takes the one behind it; and the log has gaps, because others write to it and it is
// compacted. That the leader knows a later sequence does not say that it has had the first batch: it goes again.
func TestARefusedBatchIsNotTakenForCompacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, p := onePartition(t, "batch.num.messages=1")
		h.store(p)
		time.Sleep(time.Second / 2)
		part := &h.kafka.parts[0]
		h.kafka.mu.Lock()
		clear(part.states)
		h.kafka.next = []string{"refuse"}
		h.kafka.mu.Unlock()
		h.store(p)
		h.store(p)
		for range 10 { // in which the second one is taken, and the first has not come again
			time.Sleep(time.Millisecond)
			h.kafka.mu.Lock()
			if len(part.log) == 2 {
				part.log = append(part.log, simBatch{offset: part.end + 1, producer: 7, values: []string{""}}) // of another, behind a gap
				part.end += 2
			}
			h.kafka.mu.Unlock()
		}
		time.Sleep(5 * time.Second)
		h.stop(p)
		const wrong = " comes after 000002 on partition 0; 000001 comes after 000002 on partition 0; 1 were called possibly duplicated"
		if err := h.end(); fmt.Sprint(err) != wrong || h.doubted != 1 { // the first of them is the value of the other
			t.Errorf("%v: %d called possibly duplicated, %+v\n%s\n%s", err, h.doubted, part.log, &h.log, strings.Join(h.kafka.told, "\n"))
		}
	})
}

// A batch is late, and sent again in halves. While the first half is looked for, the late one arrives and is forgotten: the second half is in the log too.
func TestAHalfOfALateBatchIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, p := onePartition(t, "max.in.flight=1")
		h.store(p)
		time.Sleep(time.Second / 2)
		h.kafka.set(func() { h.kafka.next = []string{"", "late", "halve", "late"} }) // the first message has a batch of its own, the others wait for it
		for range 4 {
			h.store(p)
		}
		for left := 4; left > 0; time.Sleep(time.Millisecond) {
			h.kafka.mu.Lock()
			left = len(h.kafka.next)
			h.kafka.mu.Unlock()
		}
		h.kafka.handleLate()
		h.kafka.restart(true)
		time.Sleep(time.Second)
		h.stop(p)
		if err := h.end(); err != nil || len(h.kafka.parts[0].log) != 3 {
			t.Errorf("%v: %+v\n%s\n%s", err, h.kafka.parts[0].log, &h.log, strings.Join(h.kafka.told, "\n"))
		}
	})
}

// A start with nothing in doubt asks nothing: sequences go on where they were.
func TestAStartWithNothingInDoubtAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t, 1)
		h.kafka.calm = true
		for range 3 {
			p, err := h.open()
			if err != nil {
				t.Fatal(err)
			}
			for range 12 {
				h.store(p)
			}
			time.Sleep(time.Second)
			h.stop(p)
		}
		if err := h.end(); err != nil {
			t.Error(err)
		}
		asked := map[string]int{}
		for _, what := range h.kafka.told {
			_, what, _ = strings.Cut(what, " ")
			asked[what]++
		}
		// Where the log ends is asked once for each partition, before its first batch.
		if asked["ListOffsets"] != len(h.kafka.parts) || asked["DescribeProducers"]+asked["Fetch"] > 0 || asked["InitProducerID"] != 1 {
			t.Errorf("asked %v", asked)
		}
	})
}

func TestEachMessageIsDeliveredOnceWhileLeadersMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.SeedTopics(1, "mail"))
		p := c.spooled(&logged{}, durable(faultfs.New(1)), "enable.idempotence=true", "batch.num.messages=10")
		for i := range 40 {
			store(t, p, "mail", 50*i, 50)
			if err := c.fake.MoveTopicPartition("mail", 0, (c.fake.LeaderFor("mail", 0)+1)%3); err != nil {
				t.Fatal(err)
			}
			if i%4 == 0 {
				c.cut()
			}
		}
		delivered(t, p, 2000, time.Minute)
		stop(t, p, time.Minute)
		c.inOrder("mail", 2000)
		if n := p.Spool().Doubted; n > 0 {
			t.Errorf("%d were called possibly duplicated", n)
		}
	})
}

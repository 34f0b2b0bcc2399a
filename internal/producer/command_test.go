package producer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// modes opens a queue in each mode.
func modes(t *testing.T, run func(t *testing.T, mode string, c *cluster, open func(log *logged, properties ...string) *Producer)) {
	for _, mode := range []string{"memory", "spill", "durable"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail", "other"))
				disk := faultfs.New(1)
				run(t, mode, c, func(log *logged, properties ...string) *Producer {
					if mode == "memory" {
						return c.queue(log, properties...)
					}
					cfg := durable(disk)
					cfg.Spill = mode == "spill"
					return c.spooled(log, cfg, properties...)
				})
			})
		})
	}
}

// hand leaves records v<from> to v<from+n-1> with p, whatever its mode.
func hand(t *testing.T, p *Producer, topic string, from, n int) {
	t.Helper()
	if p.Spooled() {
		store(t, p, topic, from, n)
		return
	}
	for i := range n {
		r := value(fmt.Sprintf("v%06d", from+i))
		r.Topic = topic
		if code := p.Offer(r); code != resperr.NoError {
			t.Fatalf("record %d: %v", from+i, code)
		}
	}
}

func TestAPausedQueueSendsNothingAndLosesNothing(t *testing.T) {
	modes(t, func(t *testing.T, mode string, c *cluster, open func(*logged, ...string) *Producer) {
		log := &logged{}
		p := open(log)
		hand(t, p, "mail", 0, 10)
		time.Sleep(time.Second)
		if !p.Pause() || p.Pause() {
			t.Error("the first pause is news, and the second is none")
		}
		hand(t, p, "mail", 10, 10000)
		time.Sleep(6 * time.Minute) // longer than message.timeout.ms
		if s := p.Snapshot(); s.Delivered != 10 || s.Failed != 0 || s.Queued != 10000 {
			t.Fatalf("while it is paused: %+v", s)
		}
		if h := p.Health(); h.State != report.Degraded || !h.Has(report.Paused) || h.OldestAge(time.Now()) < 5*time.Minute {
			t.Errorf("while it is paused: %+v", h)
		}
		if paused, err := p.Resume(t.Context()); err != nil || paused < 6*time.Minute || paused > 7*time.Minute {
			t.Errorf("resumed after %v, %v", paused, err)
		}
		if paused, err := p.Resume(t.Context()); err != nil || paused != 0 {
			t.Errorf("resumed again after %v, %v", paused, err)
		}
		time.Sleep(4 * time.Minute) // those that were queued have a minute left of their five
		if s := p.Snapshot(); s.Delivered != 10010 || s.Failed != 0 {
			t.Errorf("after it: %+v", s)
		}
		c.inOrder("mail", 10010)
		becomes(t, p, 1, "after it", state(report.OK, ""))
		if text := log.String(); strings.Count(text, "paused by command") != 1 || strings.Count(text, "resumed by command after 6 min") != 1 {
			t.Errorf("it logged %s", text)
		}
		stop(t, p, time.Minute)
	})
}

func TestTimeGoesOnAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "message.timeout.ms=10000")
		c.silence()
		c.offer(p, 1)
		time.Sleep(4 * time.Second)
		p.Pause()
		time.Sleep(time.Minute)
		c.offer(p, 1)
		if _, err := p.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if s := p.Snapshot(); s.Expired != 0 {
			t.Errorf("after nine seconds of its own %d have expired", s.Expired)
		}
		time.Sleep(2 * time.Second)
		if s := p.Snapshot(); s.Expired != 1 {
			t.Errorf("after eleven seconds of its own %d have expired", s.Expired)
		}
		time.Sleep(5 * time.Second)
		if s := p.Snapshot(); s.Expired != 2 {
			t.Errorf("%d have expired", s.Expired)
		}
		c.answer()
		stop(t, p, time.Minute)
	})
}

func TestAStopSendsWhatAPauseHasHeld(t *testing.T) {
	modes(t, func(t *testing.T, mode string, c *cluster, open func(*logged, ...string) *Producer) {
		p := open(&logged{})
		p.Pause()
		hand(t, p, "mail", 0, 100)
		if lost := stop(t, p, time.Minute); lost != 0 {
			t.Errorf("%d are lost", lost)
		}
		if mode != "memory" {
			p = open(&logged{})
			time.Sleep(10 * time.Second)
		}
		c.inOrder("mail", 100)
		stop(t, p, time.Minute)
	})
}

// A queue with a steady load is never empty: what comes after the call must not make an operator's flush fail.
func TestAFlushWaitsForWhatWasQueuedAndNotForWhatComes(t *testing.T) {
	modes(t, func(t *testing.T, _ string, c *cluster, open func(*logged, ...string) *Producer) {
		p := open(&logged{}, "linger.ms=60000")
		flush := func(limit time.Duration) <-chan bool {
			done := make(chan bool, 1)
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				done <- p.Flush(ctx)
			}()
			synctest.Wait()
			return done
		}
		hand(t, p, "mail", 0, 5) // so that the topic is known
		if !<-flush(time.Second) {
			t.Error("a flush with nothing in its way has failed")
		}
		c.silence()
		hand(t, p, "mail", 5, 100)
		failing, waiting := flush(time.Second), flush(time.Minute)
		hand(t, p, "unborn", 0, 1) // stays queued, as its topic is not known
		time.Sleep(2 * time.Second)
		if len(waiting) != 0 || <-failing {
			t.Error("a flush has ended well though the broker is silent")
		}
		begun := time.Now()
		c.answer()
		if !<-waiting || time.Since(begun) > 10*time.Second {
			t.Errorf("with the broker back a flush ended after %v", time.Since(begun))
		}
		if n, queued := len(c.all("mail")), p.Snapshot().Queued; n != 105 || queued != 1 {
			t.Errorf("at the end of the flush the topic has %d messages and %d are queued, want 105 and 1", n, queued)
		}
		if <-flush(time.Second) {
			t.Error("a flush did not wait for a message whose topic is not known")
		}
		p.Pause()
		if <-flush(time.Minute) {
			t.Error("a flush of a paused queue has ended well")
		}
	})
}

// A topic that stalls leaves memory for the disk, also in the middle of a flush: what is there then was queued at the call all the same.
func TestAFlushWaitsForWhatHasLeftMemoryMeanwhile(t *testing.T) {
	modes(t, func(t *testing.T, mode string, c *cluster, open func(*logged, ...string) *Producer) {
		if mode != "spill" {
			t.Skip("nothing leaves memory for the disk")
		}
		p := open(&logged{}, "queue.buffering.max.messages=5000", "max.in.flight=1", "batch.num.messages=100")
		hand(t, p, "mail", 0, 5)
		hand(t, p, "other", 0, 5)
		time.Sleep(time.Second)
		c.silence()
		hand(t, p, "mail", 5, 4000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		arrived := make(chan int, 1)
		go func() {
			if p.Flush(ctx) {
				arrived <- len(c.all("mail"))
			}
			close(arrived)
		}()
		synctest.Wait()
		if at := p.Spool(); at.Pending != 0 {
			t.Fatalf("the disk had %d messages at the call", at.Pending)
		}
		hand(t, p, "other", 5, 4000) // more than memory has room for
		time.Sleep(20 * time.Second)
		if at := p.Spool(); at.Pending < 4000 {
			t.Fatalf("only %d messages are on the disk", at.Pending)
		}
		c.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.fake.KeepControl()
			c.fake.SleepControl(func() { time.Sleep(100 * time.Millisecond) }) // longer than a flush waits between two looks
			return nil, nil, false
		})
		c.answer()
		if n := <-arrived; n != 4005 {
			t.Errorf("at the end of the flush the topic has %d messages, want 4005", n)
		}
	})
}

// A flush that has no time to ask knows nothing.
func TestAFlushWithoutTimeHasNotEndedWell(t *testing.T) {
	modes(t, func(t *testing.T, _ string, c *cluster, open func(*logged, ...string) *Producer) {
		p := open(&logged{})
		hand(t, p, "mail", 0, 5)
		time.Sleep(time.Second)
		c.silence()
		hand(t, p, "mail", 5, 100)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 { // which of the two is seen first is chance
			if p.Flush(over) {
				t.Fatal("it says that everything has arrived")
			}
		}
		c.answer()
	})
}

func TestAPurgeIsCountedAndTouchesNothingElse(t *testing.T) {
	modes(t, func(t *testing.T, mode string, c *cluster, open func(*logged, ...string) *Producer) {
		log := &logged{}
		p := open(log, "queue.buffering.max.messages=5000", "max.in.flight=1", "batch.num.messages=100")
		hand(t, p, "other", 0, 5)
		time.Sleep(time.Second)
		c.silence()
		hand(t, p, "mail", 0, 100) // on its way
		time.Sleep(100 * time.Millisecond)
		hand(t, p, "mail", 100, 4000)
		if mode != "memory" {
			hand(t, p, "other", 5, 4000) // more than memory has room for
		}
		time.Sleep(5 * time.Second)
		queued := p.Snapshot().Queued
		n, err := p.Purge(t.Context())
		s := p.Snapshot()
		if err != nil || n != s.Dropped || s.Queued+n != queued || s.Queued > 1000 || s.Failed != n {
			t.Errorf("of %d %d were purged (%v): %+v", queued, n, err, s)
		}
		flying := int(s.Queued)
		hand(t, p, "mail", 100000, 10)
		c.answer()
		time.Sleep(time.Minute)
		if s := p.Snapshot(); s.Delivered != int64(5+flying+10) || s.Queued != 0 || s.Dropped != n {
			t.Errorf("in the end %+v", s)
		}
		if p.Spooled() && (p.Spool().Pending != 0 || p.Spool().Letters != 0) {
			t.Errorf("in the end the spool has %+v", p.Spool())
		}
		if text := log.String(); strings.Count(text, "purged by command: "+report.Thousands(n)+" messages") != 1 {
			t.Errorf("it logged %s", text)
		}
		stop(t, p, time.Minute)
		if p.Spooled() {
			p = open(log)
			time.Sleep(10 * time.Second)
			if s := p.Snapshot(); s.In != 0 {
				t.Errorf("the next start finds %d", s.In)
			}
			stop(t, p, time.Minute)
		}
		got := c.all("mail")
		if len(got)+len(c.all("other")) != 5+flying+10 || string(got[len(got)-1].Value) != "v100009" {
			t.Errorf("the topics have %d and %d", len(got), len(c.all("other")))
		}
	})
}

func TestAPurgeOfAnIdempotentQueueGoesOnInANewEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "enable.idempotence=true", "batch.num.messages=10")
		c.offer(p, 100)
		time.Sleep(time.Second)
		c.silence()
		c.offer(p, 100)
		time.Sleep(100 * time.Millisecond)
		c.cut()
		time.Sleep(100 * time.Millisecond)
		if _, err := p.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.answer()
		time.Sleep(10 * time.Second)
		c.offer(p, 100)
		time.Sleep(10 * time.Second)
		if s := p.Snapshot(); s.Queued != 0 || s.Failed != s.Dropped || s.Delivered+s.Dropped != 300 {
			t.Errorf("in the end %+v", s)
		}
		stop(t, p, time.Minute)
	})
}

func TestDeadLettersAreSentAgainWhileMessagesFlow(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		p := c.spooled(&logged{}, cfg, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=1000")
		store(t, p, "late", 0, 500)
		time.Sleep(5 * time.Second)
		all, pending, err := p.Letters(10)
		if err != nil || len(all) != 10 || pending != 500 || all[0].Code != 3 || all[0].Record.Topic != "late" || string(all[9].Record.Value) != "v000009" {
			t.Fatalf("%d of %d letters, %v: %+v", len(all), pending, err, all[0])
		}
		if s := p.Snapshot(); s.Dead != 500 || s.Queued != 0 || s.Failed != 500 {
			t.Errorf("five hundred are dead: %+v", s)
		}
		if r, err := p.Requeue(t.Context(), ""); err != nil || r.Moved != 0 || r.Kept != 500 || r.Reason != "Local: Unknown topic" {
			t.Errorf("the topic is refused: %+v, %v", r, err)
		}
		c.create("late", 1)
		time.Sleep(10 * time.Second)
		flow := make(chan int)
		quit := make(chan struct{})
		go func() {
			n := 0
			for {
				select {
				case <-quit:
					flow <- n
					return
				default:
					store(t, p, "mail", n, 50)
					n += 50
					time.Sleep(10 * time.Millisecond)
				}
			}
		}()
		time.Sleep(time.Second)
		if r, err := p.Requeue(t.Context(), "late"); err != nil || r.Moved != 500 || r.Kept != 0 || !r.Done {
			t.Errorf("sent again: %+v, %v", r, err)
		}
		time.Sleep(time.Second)
		close(quit)
		n := <-flow
		time.Sleep(10 * time.Second)
		if s := p.Snapshot(); s.In != int64(1000+n) || s.Delivered != int64(500+n) || s.Queued != 0 || s.Dead != 500 {
			t.Errorf("in the end %+v", s)
		}
		if p.Spool().Dead != 0 {
			t.Errorf("%d letters are left", p.Spool().Dead)
		}
		c.inOrder("late", 500)
		c.inOrder("mail", n)
		stop(t, p, time.Minute)
	})
}

func TestTheHeadIsTheOldestMessage(t *testing.T) {
	modes(t, func(t *testing.T, _ string, c *cluster, open func(*logged, ...string) *Producer) {
		p := open(&logged{})
		if _, some, err := p.Head(t.Context()); some || err != nil {
			t.Errorf("an empty queue has a head: %v", err)
		}
		p.Pause()
		hand(t, p, "other", 7, 1)
		hand(t, p, "mail", 8, 10)
		time.Sleep(time.Second)
		if r, some, err := p.Head(t.Context()); !some || err != nil || r.Topic != "other" || string(r.Value) != "v000007" {
			t.Errorf("the head is %+v, %v, %v", r, some, err)
		}
		stop(t, p, time.Minute)
	})
}

func TestTheClusterIsDescribedOrTheReasonIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(2, "mail"))
		p := c.queue(&logged{})
		got, err := p.Describe(t.Context(), []string{"mail", "nosuch"})
		if err != nil || len(got.Brokers) != 1 || len(got.Topics) != 2 || len(got.Topics[0].Partitions) != 2 || got.Topics[0].Partitions[0].InSync != 1 ||
			got.Topics[1].Error != "Broker: Unknown topic or partition" {
			t.Errorf("%+v, %v", got, err)
		}
		c.offer(p, 10)
		time.Sleep(time.Second)
		if got, err := p.Describe(t.Context(), nil); err != nil || len(got.Topics) != 1 {
			t.Errorf("its own topics: %+v, %v", got, err)
		}
		s, err := p.Statistics(t.Context())
		if err != nil || len(s.Brokers) == 0 || s.Topics["mail"].PartitionCnt != 2 || len(s.Topics["mail"].Partitions) != 2 {
			t.Errorf("statistics: %+v, %v", s, err)
		}
		sent := int64(0)
		for _, part := range s.Topics["mail"].Partitions {
			sent += part.TxMsgs
		}
		if sent != 10 {
			t.Errorf("the partitions have %d messages", sent)
		}
		c.down.Store(true)
		c.cut()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := p.Describe(ctx, []string{"mail"}); err == nil || !strings.Contains(err.Error(), "kafka1: the cluster does not answer: ") {
			t.Errorf("while it is away: %v", err)
		}
		c.down.Store(false)
		stop(t, p, time.Minute)
		if _, err := p.Statistics(t.Context()); err == nil {
			t.Error("a queue that has ended tells of its partitions")
		}
	})
}

package producer

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// The disk is for trouble: before and after an outage a spilling queue works in memory alone, and a
// few seconds into it everything is on the disk, what the client holds too.
func TestASpillingQueueUsesTheDiskDuringAnOutageOnly(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		cfg.Spill = true
		p := c.spooled(&logged{}, cfg)
		appended := func() uint64 { return p.store.spool.Stats().Appended }
		store(t, p, "mail", 0, 100)
		time.Sleep(time.Second)
		if n := appended(); n != 0 {
			t.Errorf("%d records went to the disk while all was well", n)
		}
		c.silence()
		store(t, p, "mail", 100, 100)
		time.Sleep(6 * time.Second)
		store(t, p, "mail", 200, 100)
		time.Sleep(time.Second)
		if n := appended(); n != 200 || p.Spool().Pending != 200 {
			t.Errorf("6 s into an outage %d records are on the disk, %d of them pending", n, p.Spool().Pending)
		}
		c.answer()
		time.Sleep(10 * time.Second)
		if s := p.Snapshot(); s.Delivered != 300 || p.Spool().Pending != 0 {
			t.Errorf("after the outage: %+v, %d pending", s, p.Spool().Pending)
		}
		before := appended()
		store(t, p, "mail", 300, 100)
		time.Sleep(time.Second)
		if n := appended(); n != before {
			t.Errorf("%d records went to the disk after the outage", n-before)
		}
		stop(t, p, time.Minute)
		c.inOrder("mail", 400)
	})
}

func TestAPowerCutInAnOutageCostsASpillingQueueTheLastSeconds(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		c.down.Store(true)
		cfg.Spill = true
		p := c.spooled(&logged{}, cfg)
		for i := range 20 {
			store(t, p, "mail", i*10, 10)
			time.Sleep(time.Second)
		}
		disk.Crash()
		stop(t, p, time.Second)
		cfg.FS = disk.Reboot()
		q := c.spooled(&logged{}, cfg)
		c.down.Store(false)
		time.Sleep(10 * time.Second)
		stop(t, q, time.Minute)
		c.inOrder("mail", 200)
	})
}

// A call that waits for its delivery hears of it wherever its record has been meanwhile: in memory,
// on the disk, dropped from memory, read again.
func TestADeliveryIsHeardOfThroughTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		cfg := durable(faultfs.New(1))
		cfg.Spill = true
		p := c.spooled(&logged{}, cfg, "queue.buffering.max.messages=20000")
		store(t, p, "mail", 0, 1)
		time.Sleep(time.Second)
		c.silence()
		answers := make([]<-chan Delivery, 9000)
		for i := range answers {
			answers[i], _ = deliver(t, p, value(fmt.Sprintf("v%06d", i+1)), 0)
			if i%100 == 99 {
				time.Sleep(100 * time.Millisecond)
			}
		}
		time.Sleep(5 * time.Second)
		if held := p.outstanding(); held > 7000 {
			t.Errorf("%d records are in memory", held)
		}
		c.answer()
		for i, a := range answers {
			if d := <-a; d.Code != resperr.NoError || d.Offset != int64(i+1) {
				t.Fatalf("delivery %d is answered %+v", i, d)
			}
		}
		stop(t, p, time.Minute)
		c.inOrder("mail", 9001)
	})
}

package producer

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A spoolOn is a spool, and the disk that it is on.
type spoolOn struct {
	queueconf.Spool
	FS spool.FS
}

// durable returns the configuration of a spool on a disk of the test's own.
func durable(disk *faultfs.FS) spoolOn {
	return spoolOn{queueconf.Spool{Path: "/spool", MaxBytes: 1 << 30, SegmentBytes: 1 << 20, DeadLetter: true}, disk}
}

// spoolModes runs a test in both modes of a spool, each with a cluster and a disk of its own.
func spoolModes(t *testing.T, run func(t *testing.T, c *cluster, cfg spoolOn)) {
	for _, mode := range []string{"durable", "spill"} {
		t.Run(mode, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, _ *faultfs.FS, cfg spoolOn) {
				cfg.Spill = mode == "spill"
				run(t, c, cfg)
			})
		})
	}
}

// onSpool runs a test in a bubble, with a cluster that has the topic mail, and a durable spool on a disk of its own.
func onSpool(t *testing.T, run func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		disk := faultfs.New(1)
		run(t, newCluster(t, kfake.SeedTopics(1, "mail")), disk, durable(disk))
	})
}

// onDisk stores payloads in the folder of cfg, as an earlier run would, and closes it, as far as they fit. Before the spool is closed, before is called.
func (cfg spoolOn) onDisk(t *testing.T, payloads [][]byte, before func(*spool.Spool)) (stored int) {
	t.Helper()
	s, err := spool.Open(spool.Options{Dir: cfg.Path, FS: cfg.FS, MaxBytes: cfg.MaxBytes, SegmentBytes: cfg.SegmentBytes})
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range payloads {
		if _, err := s.Append(payload, nil); err != nil {
			break
		}
		stored++
	}
	before(s)
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return stored
}

// spooled opens a queue with a spool.
func (c *cluster) spooled(log *logged, cfg spoolOn, properties ...string) *Producer {
	c.t.Helper()
	return c.spooledTo(log.logger(), cfg, properties...)
}

func (c *cluster) spooledTo(log *slog.Logger, cfg spoolOn, properties ...string) *Producer {
	c.t.Helper()
	unpacked(c.t)
	set := settings(c.t, append([]string{"bootstrap.servers=127.0.0.1:9092"}, properties...)...)
	p, err := New("kafka1", set, Deps{Log: log, Client: conf.Deps{Dialer: c.dial}, Spool: &cfg.Spool, Disk: cfg.FS})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		stop(c.t, p, time.Second)
		time.Sleep(10 * time.Minute)
	})
	return p
}

// keep calls Store and returns where the answer will be. One that is known at once is there.
func keep(t *testing.T, p *Producer, r *record.Record, block bool) <-chan resperr.Code {
	t.Helper()
	answers := make(chan resperr.Code, 2)
	parked, code := p.Store(r, block, func(code resperr.Code) { answers <- code })
	if !parked {
		answers <- code
	}
	return answers
}

// store stores records v<from> to v<from+n-1> and waits until all are answered.
func store(t *testing.T, p *Producer, topic string, from, n int) {
	t.Helper()
	answers := make([]<-chan resperr.Code, n)
	for i := range answers {
		r := value(fmt.Sprintf("v%06d", from+i))
		r.Topic = topic
		answers[i] = keep(t, p, r, false)
	}
	for i, a := range answers {
		if code := <-a; code != resperr.NoError {
			t.Fatalf("record %d is answered %v", from+i, code)
		}
	}
}

// inOrder checks that topic holds v0 to v<n-1>, each once.
func (c *cluster) inOrder(topic string, n int) {
	c.t.Helper()
	for i, r := range c.records(topic, n) {
		if want := fmt.Sprintf("v%06d", i); string(r.Value) != want {
			c.t.Fatalf("record %d of %s is %q, want %q", i, topic, r.Value, want)
		}
	}
}

func TestADurableRecordReachesItsTopicInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.spooled(&logged{}, durable(faultfs.New(1)))
		store(t, p, "mail", 0, 5000)
		stop(t, p, time.Minute)
		c.inOrder("mail", 5000)
		if s := p.Snapshot(); s.In != 5000 || s.Delivered != 5000 || s.Failed != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

func TestWhatWasStoredIsSentAfterARestartBeforeNewRecords(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		c.down.Store(true)
		log := &logged{}
		p := c.spooled(log, cfg, "queue.buffering.max.messages=1000")
		store(t, p, "mail", 0, 3000)
		start := time.Now()
		if lost := stop(t, p, time.Minute); lost != 0 {
			t.Errorf("%d lost", lost)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("Stop took %v", took)
		}
		if !strings.Contains(log.String(), "stopped with 3000 message(s) on disk in /spool, they are sent once a queue has this path") {
			t.Errorf("the log does not say so:\n%s", log)
		}
		p = c.spooled(log, cfg, "queue.buffering.max.messages=1000")
		store(t, p, "mail", 3000, 10)
		c.down.Store(false)
		time.Sleep(30 * time.Second)
		store(t, p, "mail", 3010, 10)
		stop(t, p, time.Minute)
		c.inOrder("mail", 3020)
		if s := p.Snapshot(); s.In != 3020 || s.Delivered != 3020 {
			t.Errorf("counted %+v", s)
		}
		p = c.spooled(log, cfg)
		if s := p.Snapshot(); s.In != 0 {
			t.Errorf("a third start finds %d records", s.In)
		}
	})
}

// However slow the disk, no call waits in the host's thread: it is parked until the sync.
func TestASlowDiskParksTheScriptsAndHoldsNoCall(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		p := c.spooled(&logged{}, cfg)
		disk.Intercept(func(call faultfs.Call) faultfs.Fault {
			if call.Op == faultfs.Sync {
				time.Sleep(5 * time.Second)
			}
			return faultfs.Fault{}
		})
		start := time.Now()
		answers := make([]<-chan resperr.Code, 100)
		for i := range answers {
			answers[i] = keep(t, p, value("v"), false)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the calls took %v", took)
		}
		for _, a := range answers {
			if code := <-a; code != resperr.NoError {
				t.Fatal(code)
			}
		}
		if took := time.Since(start); took < 5*time.Second || took > 30*time.Second {
			t.Errorf("the answers came after %v", took)
		}
		disk.Intercept(nil)
		stop(t, p, time.Minute)
		c.records("mail", 100)
	})
}

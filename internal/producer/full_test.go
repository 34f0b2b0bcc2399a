package producer

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// small is a spool that is full after some sixty records of a kilobyte.
func small(disk *faultfs.FS, spill bool, full queueconf.OnFull) spoolOn {
	cfg := durable(disk)
	cfg.Spill, cfg.OnFull, cfg.MaxBytes, cfg.SegmentBytes = spill, full, 64<<10, 4<<10
	return cfg
}

func kilobyte(i int) *record.Record {
	return value(fmt.Sprintf("v%06d", i) + strings.Repeat("x", 1000))
}

// fill stores records until one is not answered with success, and returns how many were.
func fill(t *testing.T, p *Producer) int {
	t.Helper()
	for i := range 1000 {
		answers := keep(t, p, kilobyte(i), false)
		synctest.Wait()
		if len(answers) == 0 {
			t.Fatalf("call %d is parked", i)
		}
		switch code := <-answers; code {
		case resperr.NoError:
		case resperr.QueueFull:
			return i
		default:
			t.Fatalf("call %d is answered %v", i, code)
		}
	}
	t.Fatal("a spool of 64 KiB took 1000 records of a kilobyte")
	return 0
}

func TestAFullSpoolAnswersWhatItWasToldTo(t *testing.T) {
	for _, spill := range []bool{false, true} {
		t.Run(fmt.Sprintf("spill %t", spill), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				c.down.Store(true)
				p := c.spooled(&logged{}, small(faultfs.New(1), spill, queueconf.Refuse), "queue.buffering.max.messages=10")
				taken := fill(t, p)
				if taken < 40 || taken > 80 {
					t.Errorf("%d records fit", taken)
				}
				blocked := keep(t, p, kilobyte(taken), true)
				impatient := keep(t, p, kilobyte(taken), false)
				synctest.Wait()
				if len(blocked) != 0 {
					t.Fatalf("a call with block is answered %v", <-blocked)
				}
				if len(impatient) != 1 {
					t.Fatal("a call without block is parked")
				}
				if code := <-impatient; code != resperr.QueueFull {
					t.Errorf("a call without block is answered %v", code)
				}
				c.down.Store(false)
				if code := <-blocked; code != resperr.NoError {
					t.Errorf("when there is room, the call is answered %v", code)
				}
				stop(t, p, time.Minute)
				got := c.records("mail", taken+1)
				for i, r := range got {
					if want := fmt.Sprintf("v%06d", i); !strings.HasPrefix(string(r.Value), want) {
						t.Fatalf("record %d is %.7s", i, r.Value)
					}
				}
				if s := p.Snapshot(); s.In != int64(taken+1) || s.Refused != 2 {
					t.Errorf("counted %+v", s)
				}
			})
		})
	}
}

func TestAFullSpoolThatWaitsParksEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.down.Store(true)
		p := c.spooled(&logged{}, small(faultfs.New(1), false, queueconf.Wait))
		answers := make([]<-chan resperr.Code, 200)
		for i := range answers {
			answers[i] = keep(t, p, kilobyte(i), false)
		}
		synctest.Wait()
		if p.Parked() < 100 {
			t.Errorf("%d are parked", p.Parked())
		}
		c.down.Store(false)
		for i, a := range answers {
			if code := <-a; code != resperr.NoError {
				t.Errorf("call %d is answered %v", i, code)
			}
		}
		stop(t, p, time.Minute)
		for i, r := range c.records("mail", 200) {
			if want := fmt.Sprintf("v%06d", i); !strings.HasPrefix(string(r.Value), want) {
				t.Fatalf("record %d is %.7s", i, r.Value)
			}
		}
	})
}

func TestAFullSpoolThatDropsKeepsTheNewest(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, _ spoolOn) {
		c.down.Store(true)
		log := &logged{}
		cfg := small(disk, false, queueconf.DropOldest)
		p := c.spooled(log, cfg, "queue.buffering.max.messages=10")
		for i := range 300 {
			if code := <-keep(t, p, kilobyte(i), false); code != resperr.NoError {
				t.Fatalf("call %d is answered %v", i, code)
			}
		}
		dropped := p.Spool().Dropped
		if s := p.Snapshot(); dropped < 200 || s.Failed != dropped || s.In != 300 {
			t.Errorf("%d dropped, counted %+v", dropped, s)
		}
		if !strings.Contains(log.String(), "the spool is full: the oldest messages are dropped") {
			t.Errorf("the log does not say so:\n%s", log)
		}
		stop(t, p, time.Minute)
		p = c.spooled(log, cfg) // what was in memory before is not sent by this one
		c.down.Store(false)
		time.Sleep(10 * time.Second)
		stop(t, p, time.Minute)
		left := 300 - int(dropped)
		for i, r := range c.records("mail", left) {
			if want := fmt.Sprintf("v%06d", int(dropped)+i); !strings.HasPrefix(string(r.Value), want) {
				t.Fatalf("record %d is %.7s, want %s", i, r.Value, want)
			}
		}
	})
}

// A script that waits for the delivery of what is given up hears of that at once, and not at the end of its time.
func TestWhoWaitsForWhatIsGivenUpHearsOfIt(t *testing.T) {
	for _, by := range []string{"drop_oldest", "purge"} {
		t.Run(by, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, _ spoolOn) {
				c.down.Store(true)
				p := c.spooled(&logged{}, small(disk, false, queueconf.DropOldest), "queue.buffering.max.messages=10")
				store(t, p, "mail", 0, 20) // more than memory has room for
				answers, code := deliver(t, p, kilobyte(20), time.Hour)
				if code != resperr.NoError {
					t.Fatal(code)
				}
				time.Sleep(5 * time.Second)
				if by == "purge" {
					if n, err := p.Purge(t.Context()); n != 21 || err != nil {
						t.Errorf("%d are purged, %v", n, err)
					}
				} else {
					for i := range 100 {
						<-keep(t, p, kilobyte(i), false)
					}
				}
				synctest.Wait()
				select {
				case d := <-answers:
					if d.Code != resperr.PurgeQueue {
						t.Errorf("it is answered %+v", d)
					}
				default:
					t.Error("it waits on")
				}
			})
		})
	}
}

// Letters have a limit of their own: the newest are kept.
func TestOfTooManyDeadLettersTheOldestGo(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		cfg.MaxBytes = 10 << 20 // a tenth of it for letters
		c.answerAll(resperr.InvalidRecord, 1<<30)
		log := &logged{}
		p := c.spooled(log, cfg)
		for i := range 2000 {
			if code := <-keep(t, p, kilobyte(i), false); code != resperr.NoError {
				t.Fatal(i, code)
			}
		}
		stop(t, p, time.Minute)
		kept := letters(t, disk)
		if n := len(kept); n < 500 || n > 1100 || !strings.Contains(kept[n-1], "mail v001999") || strings.Contains(kept[0], "mail v000000") {
			t.Errorf("%d letters, from %.60s to %.60s", n, kept[0], kept[n-1])
		}
		if s := p.Snapshot(); s.Dead != 2000 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
		if !strings.Contains(log.String(), "the dead letters are full: the oldest are dropped") {
			t.Errorf("the log does not say so")
		}
	})
}

func TestADiskThatFailsIsSaidAndComesBack(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		p := c.spooled(&logged{}, cfg)
		store(t, p, "mail", 0, 10)
		disk.Intercept(func(call faultfs.Call) faultfs.Fault {
			if call.Op == faultfs.Write || call.Op == faultfs.Sync || call.Op == faultfs.Create {
				return faultfs.Fault{Err: syscall.EIO}
			}
			return faultfs.Fault{}
		})
		for i, want := range []string{"found by the sync", "known at the call"} {
			if code := <-keep(t, p, value("lost"), false); code != resperr.FS {
				t.Errorf("call %d, %s: answered %v", i, want, code)
			}
		}
		answers, code := deliver(t, p, value("lost"), 0)
		if code != resperr.NoError {
			t.Fatalf("a delivery waits for the disk, and is answered %v", code)
		}
		if p.Spool().Degraded == "" {
			t.Error("the state does not name the trouble")
		}
		blocked := keep(t, p, value("v000011"), true)
		disk.Intercept(nil)
		if d := <-answers; d.Code != resperr.NoError {
			t.Errorf("the delivery is answered %+v", d)
		}
		if code := <-blocked; code != resperr.NoError {
			t.Errorf("a call that waited for the disk is answered %v", code)
		}
		store(t, p, "mail", 12, 10)
		stop(t, p, time.Minute)
		if s := p.Snapshot(); s.In != 22 || s.Delivered != 22 || s.Refused != 2 {
			t.Errorf("counted %+v", s)
		}
		c.records("mail", 22)
	})
}

// A power cut after the answer: the record is there, and the id in its header is the one it had.
func TestAPowerCutLosesNothingThatWasAnswered(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		c.down.Store(true)
		cfg.IDHeader = "x-spool-id"
		p := c.spooled(&logged{}, cfg)
		store(t, p, "mail", 0, 100)
		disk.Crash()
		first := p.store.run
		stop(t, p, time.Second) // whatever it does now, its disk keeps nothing of it
		cfg.FS = disk.Reboot()
		q := c.spooled(&logged{}, cfg)
		c.down.Store(false)
		store(t, q, "mail", 100, 1)
		time.Sleep(10 * time.Second)
		stop(t, q, time.Minute)
		for i, r := range c.records("mail", 101) {
			want := fmt.Sprintf("%s-%d", first, i+1)
			if i == 100 {
				want = q.store.run + "-1"
			}
			if string(r.Value) != fmt.Sprintf("v%06d", i) || len(r.Headers) != 1 || string(r.Headers[0].Value) != want {
				t.Fatalf("record %d is %s with %s, want the id %s", i, r.Value, r.Headers, want)
			}
		}
	})
}

func TestStopAnswersDeliveriesBehindASpool(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		c.down.Store(true)
		p := c.spooled(&logged{}, cfg, "queue.buffering.max.messages=1")
		first, _ := deliver(t, p, value("v000000"), 0)
		second, _ := deliver(t, p, value("v000001"), 0) // on the disk only
		late, _ := deliver(t, p, value("v000002"), time.Second)
		if d := <-late; d.Code != resperr.TimedOut {
			t.Errorf("after a second: %+v", d)
		}
		stop(t, p, time.Minute)
		if a, b := <-first, <-second; a.Code != resperr.Destroy || b.Code != resperr.Destroy {
			t.Errorf("answered %+v and %+v", a, b)
		}
		c.down.Store(false)
		p = c.spooled(&logged{}, cfg)
		time.Sleep(10 * time.Second)
		stop(t, p, time.Minute)
		c.inOrder("mail", 3)
	})
}

// A log that blocks, as syslog does when its daemon hangs, holds the call that logs and no other one.
func TestALogThatHangsHoldsNoLockWhileTheOldestAreDropped(t *testing.T) {
	for _, spill := range []bool{false, true} {
		t.Run(fmt.Sprintf("spill %t", spill), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				c.down.Store(true)
				hang := &hanging{until: make(chan struct{})}
				p := c.spooledTo(slog.New(hang), small(faultfs.New(1), spill, queueconf.DropOldest), "queue.buffering.max.messages=10")
				free := sync.OnceFunc(func() { close(hang.until) })
				defer free()
				for i := range 100 { // some forty of them are dropped
					go keep(t, p, kilobyte(i), false)
					time.Sleep(100 * time.Millisecond)
				}
				if hang.held.Load() == 0 {
					t.Fatal("nothing was dropped, so nothing was tested")
				}
				called := make(chan struct{})
				go func() {
					_ = p.Snapshot()
					_ = p.outstanding()
					_ = p.Spool()
					close(called)
				}()
				synctest.Wait()
				select {
				case <-called:
				default:
					t.Error("a call waits for the log")
				}
				free()
				stop(t, p, time.Minute)
			})
		})
	}
}

// hanging is a log that hangs when it gets dropped messages.
type hanging struct {
	slog.Handler
	until chan struct{}
	held  atomic.Int32
}

func (h *hanging) Enabled(context.Context, slog.Level) bool { return true }
func (h *hanging) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *hanging) WithGroup(string) slog.Handler            { return h }

func (h *hanging) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "the oldest messages are dropped") {
		h.held.Add(1)
		<-h.until
	}
	return nil
}

// A wake-up costs the same whether one call waits for room behind the oldest or a hundred thousand do.
func TestThoseBehindTheOldestWaitingCallAreNotLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.down.Store(true)
		log := &logged{}
		p := c.spooled(log, small(faultfs.New(1), false, queueconf.Wait))
		for i := 0; p.Parked() == 0; i++ {
			keep(t, p, kilobyte(i), false)
			synctest.Wait()
		}
		time.Sleep(time.Second)
		p.mu.Lock()
		p.waiters = append(p.waiters, nil) // to look at it is a fault
		p.mu.Unlock()
		p.wake()
		time.Sleep(time.Second)
		p.mu.Lock()
		p.waiters = p.waiters[:len(p.waiters)-1]
		p.mu.Unlock()
		if p.state.broken.Load() {
			t.Errorf("it is looked at:\n%s", log)
		}
		c.down.Store(false)
		stop(t, p, time.Minute)
	})
}

// Calls are answered -184 also when the disk is slower than they are. The line says which of the two it is.
func TestAQueueThatIsFullSaysWhetherTheSpoolOrTheDiskIs(t *testing.T) {
	for _, test := range []struct {
		sentence string
		slow     bool
		says     string
		not      string
	}{
		{"the spool has reached max_bytes", false, "bytes (max_bytes), calls are answered -184 or wait", "slower"},
		{"the disk is slower than the calls", true, "the queue is full: the disk is slower than the calls: ", "max_bytes"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
				c.down.Store(true)
				size := 1000
				if !test.slow {
					cfg = small(disk, false, queueconf.Refuse)
				} else {
					size = 900_000
					disk.Intercept(func(call faultfs.Call) faultfs.Fault {
						if call.Op == faultfs.Sync {
							time.Sleep(20 * time.Second)
						}
						return faultfs.Fault{}
					})
				}
				log := &logged{}
				p := c.spooled(log, cfg)
				text := strings.Repeat("x", size)
				time.Sleep(time.Second)
				refused := false
				for i := 0; i < 100 && !refused; i++ {
					answers := keep(t, p, value(text), false)
					synctest.Wait()
					refused = len(answers) == 1 && <-answers == resperr.QueueFull
				}
				if !refused {
					t.Fatal("no call is answered -184")
				}
				time.Sleep(fullFor / 2)
				var full string
				for _, problem := range p.Health().Problems {
					if problem.Kind == report.Full {
						full = problem.Text
					}
				}
				if !strings.Contains(full, test.says) || strings.Contains(full, test.not) || !strings.Contains(log.String(), test.says) {
					t.Errorf("status says %q, want %q, logged:\n%s", full, test.says, log)
				}
				disk.Intercept(nil)
				stop(t, p, time.Minute)
			})
		})
	}
}

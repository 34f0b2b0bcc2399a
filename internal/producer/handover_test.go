package producer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// after opens a queue that has the name of before, which may be nil, from now on.
func (c *cluster) after(before *Producer, deps Deps, properties ...string) *Producer {
	c.t.Helper()
	if deps.Spool != nil {
		unpacked(c.t)
	}
	deps.Log, deps.Before = (&logged{}).logger(), before
	if deps.Client.Dialer == nil {
		deps.Client.Dialer = c.dial
	}
	p, err := New("kafka1", settings(c.t, append([]string{"bootstrap.servers=127.0.0.1:9092"}, properties...)...), deps)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		stop(c.t, p, time.Second)
		time.Sleep(10 * time.Minute)
	})
	return p
}

// nobody is what a wrong address leads to.
var nobody = conf.Deps{Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody is there") }}

// values returns the sorted values of a topic that must hold n records.
func (c *cluster) values(topic string, n int) []string {
	c.t.Helper()
	var all []string
	for _, r := range c.records(topic, n) {
		all = append(all, string(r.Value))
	}
	slices.Sort(all)
	return all
}

// eachOnce checks that topic holds v0 to v<n-1>, each once, in any order.
func (c *cluster) eachOnce(topic string, n int) {
	c.t.Helper()
	for i, v := range c.values(topic, n) {
		if want := fmt.Sprintf("v%06d", i); v != want {
			c.t.Fatalf("value %d of %s is %q, want %q", i, topic, v, want)
		}
	}
}

// The address of the brokers was wrong: what waits goes where the new one leads, with the calls that wait for room and for a delivery.
func TestWhatWaitsInMemoryGoesByTheNewSettings(t *testing.T) {
	for _, test := range []struct {
		name  string
		spool *queueconf.Spool
	}{
		{"memory", nil},
		{"durable", &queueconf.Spool{Path: "/spool", MaxBytes: 1 << 30, SegmentBytes: 1 << 20}},
		{"spill", &queueconf.Spool{Path: "/spool", MaxBytes: 1 << 30, SegmentBytes: 1 << 20, Spill: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(4, "mail"))
				p := c.after(nil, Deps{Client: nobody}, "queue.buffering.max.messages=1000")
				delivered := make(chan Delivery, 1)
				if parked, code := p.Deliver(value("v000000"), time.Hour, func(d Delivery) { delivered <- d }); !parked {
					t.Fatal(code)
				}
				for i := range 999 {
					if code := p.Offer(value(fmt.Sprintf("v%06d", 1+i))); code != resperr.NoError {
						t.Fatal(code)
					}
				}
				admitted := make(chan resperr.Code, 10)
				for i := range 10 {
					if parked, code := p.Park(value(fmt.Sprintf("v%06d", 1000+i)), func(code resperr.Code) { admitted <- code }); !parked {
						t.Fatal(code)
					}
				}
				time.Sleep(time.Minute)
				next := c.after(p, Deps{Spool: test.spool, Disk: faultfs.New(1)}, "queue.buffering.max.messages=500")
				p.PassOn(next)
				if code := p.Offer(value("late")); code != resperr.Destroy {
					t.Errorf("a call that comes to the old queue is answered %v", code)
				}
				if !p.Leave(t.Context()) {
					t.Error("the old queue is not empty")
				}
				if lost := stop(t, p, 0); lost != 0 {
					t.Errorf("%d lost", lost)
				}
				for range 10 {
					if code := <-admitted; code != resperr.NoError {
						t.Errorf("a call that waited for room is answered %v", code)
					}
				}
				if d := <-delivered; d.Code != resperr.NoError || d.Topic != "mail" {
					t.Errorf("the call that waits for a delivery gets %+v", d)
				}
				if lost := stop(t, next, time.Minute); lost != 0 {
					t.Errorf("%d lost", lost)
				}
				c.eachOnce("mail", 1010)
				if s := next.Snapshot(); s.In != 1010 || s.Delivered != 1010 || s.Failed != 0 || s.Queued != 0 {
					t.Errorf("counted %+v", s)
				}
			})
		})
	}
}

// What is on its way when the settings change stays with the old queue, which alone can know what became of it: it is delivered once.
func TestWhatIsOnItsWayIsNotSentTwice(t *testing.T) {
	for _, idempotence := range []string{"false", "true"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, kfake.SeedTopics(1, "mail"))
			p := c.after(nil, Deps{}, "linger.ms=1", "enable.idempotence="+idempotence)
			c.offer(p, 10)
			p.drain(t.Context())
			c.silence()
			for i := range 90 {
				p.Offer(value(fmt.Sprintf("v%06d", 10+i)))
				time.Sleep(5 * time.Millisecond)
			}
			next := c.after(p, Deps{}, "linger.ms=2")
			p.PassOn(next)
			for i := range 100 {
				next.Offer(value(fmt.Sprintf("v%06d", 100+i)))
			}
			time.Sleep(5 * time.Second)
			c.answer()
			if !p.Leave(t.Context()) {
				t.Error("the old queue is not empty")
			}
			stop(t, p, 0)
			stop(t, next, time.Minute)
			c.eachOnce("mail", 200)
		})
	}
}

// A message keeps its age.
func TestAMessageKeepsItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.after(nil, Deps{Client: nobody})
		c.offer(p, 10)
		time.Sleep(4 * time.Minute)
		next := c.after(p, Deps{Client: nobody})
		p.PassOn(next)
		p.Leave(t.Context())
		stop(t, p, 0)
		time.Sleep(59 * time.Second)
		if s := next.Snapshot(); s.Failed != 0 {
			t.Errorf("a second before its time: %+v", s)
		}
		time.Sleep(2 * time.Second)
		if s := next.Snapshot(); s.In != 10 || s.Failed != 10 || s.Queued != 0 {
			t.Errorf("after its time: %+v", s)
		}
	})
}

// The same folder with other settings, while messages come and go.
func TestAFolderIsHandedOverWhileMessagesComeAndGo(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		p := c.after(nil, Deps{Spool: &cfg.Spool, Disk: cfg.FS}, "linger.ms=1")
		next, n := 0, 0
		calls := func(count int) {
			for range count {
				answer := keep(t, p, value(fmt.Sprintf("v%06d", n)), false)
				if code := <-answer; code != resperr.NoError {
					t.Fatalf("call %d is answered %v", n, code)
				}
				n++
				time.Sleep(100 * time.Microsecond)
			}
		}
		for range 20 {
			calls(200)
			estate := p.HandOver(t.Context())
			if code := <-keep(t, p, value("late"), true); code != resperr.Destroy {
				t.Errorf("a call that comes to the old queue is answered %v", code)
			}
			next++
			cfg.MaxBytes += 1 << 20
			p = c.after(p, Deps{Spool: &cfg.Spool, Disk: cfg.FS, Estate: estate}, "linger.ms="+fmt.Sprint(1+next%3))
		}
		calls(200)
		stop(t, p, time.Minute)
		c.inOrder("mail", n)
		if s := p.Snapshot(); s.In != int64(n) || s.Delivered != int64(n) || s.Failed != 0 {
			t.Errorf("counted %+v, want %d", s, n)
		}
	})
}

// A sender that is in the middle of a step may send what it has begun before the queue was to be handed over: it is asked first.
func TestAFolderIsNotGivenBackInTheMiddleOfAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		cfg := durable(faultfs.New(1))
		p := c.after(nil, Deps{Spool: &cfg.Spool, Disk: cfg.FS})
		step := make(chan struct{})
		p.post(event{do: func() { <-step }})
		estates := make(chan *Estate, 1)
		go func() { estates <- p.HandOver(t.Context()) }()
		synctest.Wait()
		if code := <-keep(t, p, value("v000000"), false); code != resperr.NoError {
			t.Errorf("while the sender is in a step, a call is answered %v", code)
		}
		close(step)
		p.Dismiss(<-estates, resperr.Destroy)
	})
}

// Kafka is away and the disk is full: who waits for room and who waits for a delivery goes on waiting at the queue with the larger spool.
func TestCallsGoOnWaitingWhereAFolderIsHandedOver(t *testing.T) {
	for _, mode := range []string{"durable", "spill"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				c.down.Store(true)
				cfg := spoolOn{queueconf.Spool{Path: "/spool", MaxBytes: 64 << 10, SegmentBytes: 16 << 10, Spill: mode == "spill", OnFull: queueconf.Wait}, faultfs.New(1)}
				p := c.after(nil, Deps{Spool: &cfg.Spool, Disk: cfg.FS}, "queue.buffering.max.messages=10")
				deliveries := make(chan Delivery, 5)
				for i := range 5 {
					if parked, code := p.Deliver(value(fmt.Sprintf("v%06d", i)), time.Hour, func(d Delivery) { deliveries <- d }); !parked {
						t.Fatal(code)
					}
				}
				var stored atomic.Int64
				const n = 2000
				for i := 5; i < n; i++ {
					parked, code := p.Store(value(fmt.Sprintf("v%06d", i)), false, func(code resperr.Code) {
						if code != resperr.NoError {
							t.Errorf("a call that waited is answered %v", code)
						}
						stored.Add(1)
					})
					if !parked && code == resperr.NoError {
						stored.Add(1)
					} else if !parked {
						t.Fatalf("call %d is answered %v", i, code)
					}
				}
				time.Sleep(time.Minute)
				if stored.Load() == n-5 || p.Parked() == 0 {
					t.Fatal("the spool never was full")
				}
				estate := p.HandOver(t.Context())
				cfg.MaxBytes = 1 << 30
				next := c.after(p, Deps{Spool: &cfg.Spool, Disk: cfg.FS, Estate: estate}, "queue.buffering.max.messages=10")
				time.Sleep(time.Minute)
				if got := stored.Load(); got != n-5 || next.Parked() != 0 {
					t.Errorf("%d of %d are stored, %d wait", got, n-5, next.Parked())
				}
				c.down.Store(false)
				for range 5 {
					if d := <-deliveries; d.Code != resperr.NoError {
						t.Errorf("a call that waits for a delivery gets %+v", d)
					}
				}
				next.drain(t.Context())
				stop(t, next, time.Minute)
				c.inOrder("mail", n)
				if s := next.Snapshot(); s.In != n || s.Delivered != n || s.Failed != 0 {
					t.Errorf("counted %+v", s)
				}
			})
		})
	}
}

// The folder cannot be opened again: who waits hears it, and what is on the disk stays there.
func TestWhoWaitsAtAFolderThatIsNotOpenedAgainHearsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.down.Store(true)
		cfg := durable(faultfs.New(1))
		p := c.after(nil, Deps{Spool: &cfg.Spool, Disk: cfg.FS})
		delivery := make(chan Delivery, 1)
		if parked, code := p.Deliver(value("v000000"), 0, func(d Delivery) { delivery <- d }); !parked {
			t.Fatal(code)
		}
		synctest.Wait()
		p.Dismiss(p.HandOver(t.Context()), resperr.FS)
		if d := <-delivery; d.Code != resperr.FS {
			t.Errorf("the call is answered %+v", d)
		}
		c.down.Store(false)
		stop(t, c.after(nil, Deps{Spool: &cfg.Spool, Disk: cfg.FS}), time.Minute)
		c.eachOnce("mail", 1)
	})
}

// Calls that come while queues of one name follow each other are answered [] or belong to the next one, and nothing is lost.
func TestCallsWhileQueuesFollowEachOther(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "mail"))
	open := func(before *Producer) *Producer {
		in, err := intake.New(t.Name(), 1000000, int(resperr.QueueFull), int(resperr.Destroy))
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(t.Name(), settings(t, "bootstrap.servers=127.0.0.1:9092", "linger.ms=1", "queue.buffering.max.messages=0"),
			Deps{Log: (&logged{}).logger(), Client: conf.Deps{Dialer: c.dial}, Intake: in, Before: before})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var current atomic.Pointer[Producer]
	p := open(nil)
	p.Publish()
	current.Store(p)
	over := make(chan struct{})
	counts, called := make(chan int), make(chan struct{})
	for range 4 {
		go func() {
			n := 0
			defer func() { counts <- n }()
			for {
				select {
				case <-over:
					return
				default:
				}
				switch leave(p, "v") {
				case intake.Taken:
					n++
				case intake.Ask:
					if current.Load().Offer(value("v")) == resperr.NoError {
						n++
					}
				default:
					t.Error("a call is refused")
				}
				if n%64 == 0 {
					select {
					case called <- struct{}{}:
					default:
					}
					time.Sleep(time.Millisecond) // so that the test has an end; nothing is judged by it
				}
			}
		}()
	}
	for range 20 {
		for range 40 { // times 64 calls to the queue of today
			<-called
		}
		old := current.Load()
		next := open(old)
		current.Store(next)
		next.Publish()
		old.PassOn(next)
		if !old.Leave(t.Context()) {
			t.Error("the old queue is not empty")
		}
		if lost := stop(t, old, time.Second); lost != 0 {
			t.Errorf("%d lost", lost)
		}
		old.Gone()
	}
	close(over)
	want := 0
	for range 4 {
		want += <-counts
	}
	last := current.Load()
	if lost := stop(t, last, time.Minute); lost != 0 {
		t.Errorf("%d lost", lost)
	}
	if s := last.Snapshot(); s.In != int64(want) || s.Delivered != int64(want) {
		t.Errorf("%d calls were accepted, counted %+v", want, s)
	}
	c.records("mail", want)
}

// What lies at the folder is counted once, by whatever name the next queue knows it.
func TestAFolderIsHandedOverByAnotherName(t *testing.T) {
	for _, linked := range []bool{false, true} {
		t.Run(fmt.Sprintf("linked %t", linked), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				c.down.Store(true)
				cfg := spoolOn{queueconf.Spool{Path: filepath.Join(dir, "spool"), MaxBytes: 1 << 30}, nil}
				p := c.after(nil, Deps{Spool: &cfg.Spool})
				store(t, p, "mail", 0, 10)
				estate := p.HandOver(t.Context())
				if linked {
					if err := os.Symlink("spool", filepath.Join(dir, "link")); err != nil {
						t.Fatal(err)
					}
					cfg.Path = filepath.Join(dir, "link")
				}
				p = c.after(p, Deps{Spool: &cfg.Spool, Estate: estate})
				if s := p.Snapshot(); s.In != 10 || s.Queued != 10 {
					t.Errorf("handed over: %+v", s)
				}
				c.down.Store(false)
				stop(t, p, time.Minute)
				c.inOrder("mail", 10)
				if s := p.Snapshot(); s.In != 10 || s.Delivered != 10 || s.Queued != 0 {
					t.Errorf("in the end: %+v", s)
				}
			})
		})
	}
}

// The disk is slow at the moment of a reload: the folder is given back when it has taken everything. The next queue never takes the lock of the queue
// before for that of another process.
func TestAFolderIsHandedOverOnADiskThatIsSlow(t *testing.T) {
	for _, test := range []struct {
		sentence string
		sync     time.Duration
		locked   bool // in memory when another process has the spool
		opens    bool // at once
	}{
		{"syncs of a second are waited for", time.Second, false, true},
		{"also where a locked spool means memory", time.Second, true, true},
		{"after a sync of a minute it is tried again", time.Minute, false, false},
		{"and never in memory instead", time.Minute, true, false},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
				cfg.LockedMemory = test.locked
				p := c.after(nil, Deps{Spool: &cfg.Spool, Disk: disk}, "enable.idempotence=true")
				store(t, p, "mail", 0, 10)
				time.Sleep(time.Second)
				disk.Intercept(func(call faultfs.Call) faultfs.Fault {
					if call.Op == faultfs.Sync {
						time.Sleep(test.sync)
					}
					return faultfs.Fault{}
				})
				late := keep(t, p, value("v000010"), false)
				begun := time.Now()
				estate := p.HandOver(t.Context())
				disk.Intercept(nil)
				if took := time.Since(begun); took > answerPatience+closePatience+time.Second {
					t.Errorf("HandOver took %v", took)
				}
				if code, want := <-late, map[bool]resperr.Code{true: resperr.NoError, false: resperr.FS}[test.opens]; code != want {
					t.Errorf("the call that waits for the disk is answered %v, want %v", code, want)
				}
				deps := Deps{Spool: &cfg.Spool, Disk: disk, Estate: estate, Before: p, Log: (&logged{}).logger(), Client: conf.Deps{Dialer: c.dial}}
				next, err := New("kafka1", settings(t, "bootstrap.servers=127.0.0.1:9092"), deps)
				if test.opens != (err == nil) {
					t.Fatalf("opened: %v", err)
				}
				if err != nil {
					if want := "spool /spool: an earlier queue of this process has not closed it yet, because the disk is slow or does not answer"; !strings.Contains(err.Error(), want) {
						t.Errorf("%q does not say %q", err, want)
					}
					if !errors.Is(err, spool.ErrClosing) || errors.Is(err, spool.ErrLocked) {
						t.Errorf("it is %v", err)
					}
					time.Sleep(5 * time.Minute)
				} else {
					stop(t, next, time.Minute)
				}
				next = c.after(p, Deps{Spool: &cfg.Spool, Disk: disk})
				if !next.Spooled() {
					t.Fatal("the next queue works in memory")
				}
				store(t, next, "mail", 11, 10)
				stop(t, next, time.Minute)
				c.eachOnce("mail", 21)
			})
		})
	}
}

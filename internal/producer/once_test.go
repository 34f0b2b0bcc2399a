package producer

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

var (
	histories   = flag.Int("histories", either(300, 30), "random histories in TestEachMessageIsDeliveredOnce")
	historySeed = flag.Uint64("historyseed", 1, "the seed of the first one")
)

// A history is one queue over several lives on one disk, and what must hold in the end.
type history struct {
	t       failer
	seed    uint64
	r       *rand.Rand
	kafka   *simKafka
	disk    *faultfs.FS
	next    int // number of the next message
	mu      sync.Mutex
	stored  map[string]bool // answered with []; guarded by mu
	doubted int64
	twice   int64
	lost    int
	log     logged
	more    []string // properties
	forget  bool     // the notes are removed before each life
	reload  bool     // each life has reloads: its folder is handed over
	cut     int      // of them, before all was answered
}

// open starts a life. It returns nil where the disk has crashed meanwhile.
func (h *history) open() (*Producer, error) { return h.openAfter(nil, nil) }

// openAfter opens the queue in place of before, which may be nil.
func (h *history) openAfter(before *Producer, estate *Estate) (*Producer, error) {
	if h.forget {
		if err := spool.RemoveNotes(h.disk, "/spool"); err != nil && !h.disk.Crashed() && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	cfg := queueconf.Spool{Path: "/spool", MaxBytes: 1 << 24, SegmentBytes: 4 << 10, DeadLetter: true}
	cfgs := append([]string{
		"bootstrap.servers=sim:9092", "enable.idempotence=true", "linger.ms=2", "batch.num.messages=3", "socket.timeout.ms=2000", "retry.backoff.ms=20",
		"retry.backoff.max.ms=200", "reconnect.backoff.ms=10", "reconnect.backoff.max.ms=100", "topic.metadata.refresh.fast.interval.ms=20",
	}, h.more...)
	return New("kafka1", settings(h.t, cfgs...), Deps{Log: h.log.logger(), Client: conf.Deps{Dialer: h.kafka.dial}, Spool: &cfg, Disk: h.disk, Before: before, Estate: estate, probes: 3})
}

// live opens the queue, lets it work while the broker has its faults, and ends it: by a kill, a power cut, a disk that crashes at a call, or in order.
func (h *history) live() error {
	crashAt := 0
	if h.r.IntN(3) == 0 {
		crashAt = h.disk.Calls() + 1 + h.r.IntN(150)
	}
	h.disk.Intercept(func(c faultfs.Call) faultfs.Fault {
		return faultfs.Fault{Crash: crashAt > 0 && c.N >= crashAt}
	})
	p, err := h.open()
	if err != nil {
		if !h.disk.Crashed() {
			return err
		}
		h.disk = h.disk.Reboot()
		return nil
	}
	if h.disk.Crashed() { // before it could read what there is: nobody hears what it makes of that
		h.doubted -= p.stats.Doubted()
	}
	h.kafka.note("a life begins")
	h.work(p, 1+h.r.IntN(8))
	for n := 2; h.reload && n > 0; n-- {
		next, err := h.handOver(p)
		if err != nil {
			if !h.disk.Crashed() {
				return err
			}
			h.doubted += p.stats.Doubted()
			time.Sleep(10 * time.Second)
			h.disk = h.disk.Reboot()
			return nil
		}
		p = next
		h.work(p, 1+h.r.IntN(4))
	}
	h.kafka.note("it ends")
	if crashAt == 0 && h.r.IntN(4) == 0 && !h.disk.Crashed() {
		h.stop(p)
		return nil
	}
	// What is written after this is written by nobody: the process is gone.
	h.kafka.setDown(true)
	h.disk.Crash()
	h.stop(p)
	h.kafka.setDown(false)
	h.disk = h.disk.Reboot()
	return nil
}

// handOver is a reload that changes the queue.
func (h *history) handOver(p *Producer) (*Producer, error) {
	h.kafka.note("a reload")
	doubted, hung := p.stats.Doubted(), make(chan struct{})
	if h.r.IntN(2) == 0 {
		h.kafka.set(func() { h.kafka.hung = hung })
		h.store(p)
		h.kafka.pause(60 * time.Millisecond)
	}
	began := time.Now()
	estate := p.HandOver(context.Background())
	if time.Since(began) >= answerPatience {
		h.cut++
	}
	h.kafka.set(func() { h.kafka.hung = nil })
	close(hung)
	next, err := h.openAfter(p, estate)
	p.Gone()
	if err == nil && h.disk.Crashed() {
		h.doubted -= next.stats.Doubted() - doubted
	}
	return next, err
}

func (h *history) work(p *Producer, steps int) {
	for range steps {
		switch h.r.IntN(12) {
		case 0:
			if h.r.IntN(2) == 0 {
				h.kafka.move()
				break
			}
			h.kafka.restart(h.r.IntN(3) == 0)
		case 1:
			h.kafka.pause(3 * time.Second)
			h.kafka.expire()
		case 2, 3:
			h.kafka.handleLate()
		case 4:
			h.kafka.pause(3 * time.Second)
		default:
			for range 1 + h.r.IntN(12) {
				h.store(p)
			}
		}
		h.kafka.pause(60 * time.Millisecond)
	}
}

func (h *history) store(p *Producer) {
	v := fmt.Sprintf("%06d", h.next)
	r := &record.Record{Topic: "mail", Partition: int32(h.next % len(h.kafka.parts)), Value: []byte(v)}
	h.next++
	_, _ = p.Store(r, false, func(code resperr.Code) {
		if code == resperr.NoError {
			h.mu.Lock()
			h.stored[v] = true
			h.mu.Unlock()
		}
	})
}

func (h *history) stop(p *Producer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.Stop(ctx)
	h.doubted += p.stats.Doubted()
	time.Sleep(10 * time.Second) // for goroutines that Stop did not wait for
}

// end lets everything be delivered, and says what is wrong with what is on the topic.
func (h *history) end() error {
	h.kafka.mu.Lock()
	h.kafka.calm = true
	h.kafka.mu.Unlock()
	h.disk.Intercept(nil)
	p, err := h.open()
	if err != nil {
		return err
	}
	defer h.stop(p)
	h.kafka.handleLate()
	for start := time.Now(); p.Spool().Pending > 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > 2*time.Minute {
			return fmt.Errorf("%d messages are still in the spool: %+v", p.Spool().Pending, p.Snapshot())
		}
	}
	return h.judge()
}

func (h *history) judge() error {
	count := map[string]int{}
	var wrong []string
	h.twice, h.lost = 0, 0
	for i, part := range h.kafka.parts {
		last := ""
		for _, b := range part.log {
			for _, v := range b.values {
				if count[v]++; count[v] > 1 {
					h.twice++
					wrong = append(wrong, fmt.Sprintf("%s is there %d times", v, count[v]))
				} else if v < last {
					wrong = append(wrong, fmt.Sprintf("%s comes after %s on partition %d", v, last, i))
				}
				last = max(last, v)
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := range h.stored {
		if count[v] == 0 {
			h.lost++
			wrong = append(wrong, v+" is lost")
		}
	}
	if h.doubted > 0 {
		wrong = append(wrong, fmt.Sprintf("%d were called possibly duplicated", h.doubted))
	}
	if wrong != nil {
		slices.Sort(wrong)
		return fmt.Errorf("%s", strings.Join(wrong, "; "))
	}
	return nil
}

func newHistory(t failer, seed uint64) *history {
	r := rand.New(rand.NewPCG(seed, 11))
	return &history{
		t: t, seed: seed, r: r, kafka: newSimKafka(rand.New(rand.NewPCG(seed, 12)), 2), disk: faultfs.New(seed), stored: map[string]bool{},
	}
}

// Kills, power cuts at any call of the disk, answers that are lost, requests that come late, brokers that restart and forget: each message that
// was answered with [] is on the topic once, in order, and none is there twice.
func TestEachMessageIsDeliveredOnce(t *testing.T) {
	unpacked(t)
	first, n := *historySeed, *histories
	trouble, messages := map[string]int{}, 0
	for seed := first; seed < first+uint64(n); seed++ {
		synctest.Test(t, func(t *testing.T) {
			h := newHistory(t, seed)
			for range 1 + h.r.IntN(4) {
				if err := h.live(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			if err := h.end(); err != nil {
				t.Errorf("seed %d: %v\n%s\n%s", seed, err, &h.log, strings.Join(h.kafka.told, "\n"))
			}
			for what, n := range h.kafka.trouble {
				trouble[what] += n
			}
			messages += len(h.stored)
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d histories, %d messages: %v", n, messages, slices.Sorted(maps.Keys(trouble)))
	for _, what := range []string{"restart", "expiry", "late", "swallowed", "lost", "error", "look cut", "unreplicated", "move", "truncated"} {
		if trouble[what] == 0 && n >= 100 {
			t.Errorf("no history had the trouble %q", what)
		}
	}
}

// The same over reloads, each of which hands the folder to the next queue of the name, also before Kafka has answered what was on its way.
func TestEachMessageIsDeliveredOnceOverReloads(t *testing.T) {
	unpacked(t)
	cut := 0
	for seed := *historySeed; seed < *historySeed+uint64(*histories); seed++ {
		synctest.Test(t, func(t *testing.T) {
			h := newHistory(t, seed)
			h.reload, h.more = true, []string{"socket.timeout.ms=5000"} // longer than the wait for answers
			for range 1 + h.r.IntN(2) {
				if err := h.live(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			if err := h.end(); err != nil {
				t.Errorf("seed %d: %v\n%s\n%s", seed, err, &h.log, strings.Join(h.kafka.told, "\n"))
			}
			cut += h.cut
		})
		if t.Failed() {
			return
		}
	}
	if t.Logf("%d reloads came before the answers", cut); cut == 0 && *histories >= 100 {
		t.Error("no reload came before an answer")
	}
}

// The same with a disk that crashes at every call, one after the other.
func TestEachMessageIsDeliveredOnceWhereverThePowerFails(t *testing.T) {
	unpacked(t)
	for at, reached := 1, true; reached; at++ {
		for seed := range either(uint64(3), 1) {
			synctest.Test(t, func(t *testing.T) {
				h := newHistory(t, seed+1)
				h.disk.Intercept(func(c faultfs.Call) faultfs.Fault { return faultfs.Fault{Crash: c.N >= at} })
				p, err := h.open()
				if err == nil {
					for range 3 {
						for range 8 {
							h.store(p)
						}
						h.kafka.pause(40 * time.Millisecond)
					}
					time.Sleep(2 * time.Second) // the position is written and synced
					h.kafka.setDown(true)
					h.stop(p)
					h.kafka.setDown(false)
				}
				h.doubted = 0 // what a dying process says is heard by nobody
				if reached = h.disk.Crashed(); reached {
					h.disk = h.disk.Reboot()
				}
				if err := h.end(); err != nil {
					t.Errorf("call %d, seed %d: %v\n%s", at, seed+1, err, &h.log)
				}
			})
		}
		if t.Failed() {
			return
		}
	}
}

// Without the plans messages are delivered twice, and each that is was counted before. This is what the other tests would see if plans were not kept.
func TestWithoutPlansMessagesAreDeliveredTwice(t *testing.T) {
	unpacked(t)
	twice := int64(0)
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			h := newHistory(t, seed+1)
			h.forget = true
			for range 2 {
				if err := h.live(); err != nil {
					t.Fatalf("seed %d: %v", seed+1, err)
				}
			}
			if err := h.end(); h.lost > 0 || h.twice > h.doubted {
				t.Errorf("seed %d: %d are there twice, %v", seed+1, h.twice, err)
			}
			twice += h.twice
		})
	}
	if twice == 0 {
		t.Error("no message was delivered twice")
	}
}

package producer

import (
	"bytes"
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A trap is a disk whose files panic where the test says.
type trap struct {
	spool.FS
	read, write atomic.Bool
}

func (d *trap) Create(name string) (spool.File, error) {
	f, err := d.FS.Create(name)
	return &trapped{f, d}, err
}

func (d *trap) OpenRead(name string) (spool.File, error) {
	f, err := d.FS.OpenRead(name)
	return &trapped{f, d}, err
}

type trapped struct {
	spool.File
	disk *trap
}

func (f *trapped) ReadAt(p []byte, off int64) (int, error) {
	if f.disk.read.Load() && bytes.Contains(debug.Stack(), []byte("feedLoop")) { // the start reads, too
		panic("a fault of ours")
	}
	return f.File.ReadAt(p, off)
}

func (f *trapped) WriteAt(p []byte, off int64) (int, error) {
	if f.disk.write.Load() {
		panic("a fault of ours")
	}
	return f.File.WriteAt(p, off)
}

// faulty is a log that panics at the statistics.
type faulty struct{}

func (faulty) Enabled(context.Context, slog.Level) bool { return true }

func (faulty) Handle(context.Context, slog.Record) error { panic("a fault of ours") }

func (f faulty) WithAttrs([]slog.Attr) slog.Handler { return f }

func (f faulty) WithGroup(string) slog.Handler { return f }

// Whichever goroutine of a queue fails, the queue says so and is over, and what is on its disk is there for the next start.
func TestAPanicInAnyGoroutineEndsOnlyItsQueue(t *testing.T) {
	for _, test := range []struct {
		goroutine string
		spooled   bool
		fail      func(t *testing.T, p *Producer, disk *trap)
	}{
		{"the writer of the spool", true, func(t *testing.T, p *Producer, disk *trap) {
			disk.write.Store(true)
			answer := keep(t, p, value("v"), false)
			if code := <-answer; code != resperr.Fatal {
				t.Errorf("a call that waits for the disk is answered %v", code)
			}
		}},
		{"the reader of the spool", true, func(*testing.T, *Producer, *trap) {}},
		{"the waker of scripts", false, func(t *testing.T, p *Producer, _ *trap) {
			deliver(t, p, value("v"), time.Minute)
			p.resumes.add(panics{})
		}},
		{"the writer of statistics", false, func(*testing.T, *Producer, *trap) {}},
	} {
		t.Run(test.goroutine, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				log := &logged{}
				disk := &trap{FS: faultfs.New(1)}
				deps := Deps{Log: log.logger(), Client: conf.Deps{Dialer: c.dial}}
				properties := []string{"bootstrap.servers=127.0.0.1:9092"}
				if test.spooled {
					cfg := durable(faultfs.New(1))
					cfg.FS = disk
					deps.Spool, deps.Disk = &cfg.Spool, cfg.FS
				}
				if test.goroutine == "the writer of statistics" {
					properties = append(properties, "statistics.interval.ms=1000")
					deps.Statistics = slog.New(faulty{})
				}
				if test.goroutine == "the reader of the spool" {
					// Something for it to read, that an earlier run has left.
					c.down.Store(true)
					p := c.spooled(&logged{}, spoolOn{*deps.Spool, deps.Disk})
					store(t, p, "mail", 0, 10)
					stop(t, p, time.Second)
					disk.read.Store(true)
				}
				p, err := New("kafka1", settings(t, properties...), deps)
				if err != nil {
					t.Fatal(err)
				}
				test.fail(t, p, disk)
				time.Sleep(2 * time.Second)
				if !p.state.broken.Load() {
					t.Fatal("the queue goes on")
				}
				if text := log.String(); !strings.Contains(text, test.goroutine+" has failed") || !strings.Contains(text, "a fault of ours") {
					t.Errorf("no line says so:\n%s", text)
				}
				if code := p.Offer(value("v")); code != resperr.Fatal {
					t.Errorf("a call is answered %v", code)
				}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				p.Stop(ctx)
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("the stop took %v", took)
				}
				time.Sleep(10 * time.Minute)
			})
		})
	}
}

type panics struct{}

func (panics) resume() { panic("a fault of ours") }

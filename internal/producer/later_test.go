package producer

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
	"github.com/halon-extras/kafka/internal/stored"
)

// later returns the payload of a record as a later version of this program would write it.
func later(text string) []byte {
	payload := stored.Append(nil, value(text))
	payload[0] = 2
	return payload
}

// known returns the payload of a record of this version, which is not old.
func known(text string) []byte {
	r := value(text)
	r.Timestamp = milliseconds()
	return stored.Append(nil, r)
}

// payloads returns what is pending in a spool.
func payloads(t *testing.T, disk *faultfs.FS, dir string) (all [][]byte) {
	t.Helper()
	err := spool.Export(disk, dir, false, func(f spool.Frame) error {
		all = append(all, bytes.Clone(f.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A downgrade: what a later version wrote is neither lost nor a dead letter. It stays on the disk for that version, and all others go on.
func TestARecordOfALaterVersionStaysOnTheDisk(t *testing.T) {
	for _, test := range []struct {
		sentence string
		change   func(*spoolOn)
		property string
		planned  bool
	}{
		{"durable", func(*spoolOn) {}, "linger.ms=5", false},
		{"spill", func(s *spoolOn) { s.Spill = true }, "linger.ms=5", false},
		{"without dead letters", func(s *spoolOn) { s.DeadLetter = false }, "linger.ms=5", false},
		{"a max_age that is over", func(s *spoolOn) { s.MaxAge = time.Hour }, "linger.ms=5", false},
		{"each message once", func(*spoolOn) {}, "enable.idempotence=true", false},
		{"each message once, in a batch that had no answer", func(*spoolOn) {}, "enable.idempotence=true", true},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
				want := [][]byte{later("a"), later("b")}
				cfg.onDisk(t, [][]byte{want[0], known("v000000"), want[1], known("v000001")}, func(s *spool.Spool) {
					if test.planned {
						note(t, disk, s, &plan.Batch{
							Place: plan.Place{Topic: "mail"}, Epoch: plan.Epoch{Producer: 1}, Count: 4, Bound: 0, Spans: []plan.Span{{From: 1, Count: 4}},
						})
					}
				})
				test.change(&cfg)
				for start := range 2 {
					log := &logged{}
					p := c.spooled(log, cfg, test.property)
					store(t, p, "mail", 2+10*start, 10)
					time.Sleep(30 * time.Second)
					if s := p.Snapshot(); s.Failed != 0 || s.OnDisk != 2 || p.Spool().Dead != 0 || p.Spool().Pending != 2 {
						t.Errorf("start %d: counted %+v, %+v", start, s, p.Spool())
					}
					if n := strings.Count(log.String(), "written by a later version of this program"); n != 1 || !strings.Contains(log.String(), "the record has version 2, and this program knows 1") {
						t.Errorf("start %d: %d lines say so:\n%s", start, n, log)
					}
					if r, some, err := p.Head(t.Context()); some || err != nil {
						t.Errorf("start %d: the head is %q, %v", start, r.Value, err)
					}
					stop(t, p, time.Minute)
					if diff := cmp.Diff(want, payloads(t, disk, "/spool")); diff != "" {
						t.Errorf("start %d: %s", start, diff)
					}
				}
				c.inOrder("mail", 22)
			})
		})
	}
}

// A spool that is full drops its oldest messages and none that a later version wrote, whether the feeder has read it or not.
func TestARecordOfALaterVersionIsNotDropped(t *testing.T) {
	for _, test := range []struct {
		sentence string
		own      int // of every ten records
		room     bool
	}{
		{"some are of a later version", 9, true},
		{"all are", 0, false},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, _ spoolOn) {
				c.down.Store(true)
				cfg := small(disk, false, queueconf.DropOldest)
				var all, want [][]byte
				for i := range 100 { // more than fit
					payload := stored.Append(nil, kilobyte(i))
					if i%10 >= test.own {
						payload[0] = 2
					}
					all = append(all, payload)
				}
				for _, payload := range all[:cfg.onDisk(t, all, func(*spool.Spool) {})] {
					if payload[0] == 2 {
						want = append(want, payload)
					}
				}
				p := c.spooled(&logged{}, cfg, "queue.buffering.max.messages=1")
				time.Sleep(time.Second)
				for i := range 100 {
					time.Sleep(time.Millisecond) // the oldest segment is looked into before it is dropped
					switch code := <-keep(t, p, kilobyte(i), false); {
					case test.room && code != resperr.NoError:
						t.Fatalf("call %d is answered %v", i, code)
					case !test.room && i > 5 && code != resperr.QueueFull: // the spool was not quite full
						t.Fatalf("call %d is answered %v, and the disk is full of messages that only a later version reads", i, code)
					}
				}
				if n := p.Spool().Dropped; (n > 0) != test.room {
					t.Errorf("%d are dropped", n)
				}
				c.down.Store(false)
				time.Sleep(time.Minute)
				if s := p.Spool(); s.Pending != int64(len(want)) {
					t.Errorf("the spool has %+v, want %d pending", s, len(want))
				}
				stop(t, p, time.Minute)
				if diff := cmp.Diff(want, payloads(t, disk, "/spool")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// Plans of a later version refuse the start: what that version has sent is not known here. Nothing is changed by it, and that version goes on.
func TestPlansOfALaterVersionRefuseTheStart(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		c.down.Store(true)
		p := c.spooled(&logged{}, cfg, "enable.idempotence=true")
		store(t, p, "mail", 0, 10)
		stop(t, p, time.Minute)
		name := "/spool/" + disk.Names("/spool", ".plans")[0]
		plans, _ := disk.Get(name)
		other := bytes.Clone(plans)
		for _, head := range [][]byte{other[:64], other[512:576]} { // both copies, as docs/spool-format.md draws them
			head[8] = 2
			binary.LittleEndian.PutUint32(head[60:], crc32.Checksum(head[:60], crc32.MakeTable(crc32.Castagnoli)))
		}
		disk.Put(name, other)
		before := payloads(t, disk, "/spool")
		for range 2 {
			_, err := New("kafka1", settings(t, "bootstrap.servers=127.0.0.1:9092", "enable.idempotence=true"), Deps{Log: (&logged{}).logger(), Spool: &cfg.Spool, Disk: disk})
			want := "kafka1: spool /spool: the file " + filepath.Base(name) + " was written by another version of this program, and is left alone: install that version, or move the folder away: "
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			if is, ok := disk.Get(name); !ok || !bytes.Equal(is, other) {
				t.Error("the plans are changed")
			}
			if diff := cmp.Diff(before, payloads(t, disk, "/spool")); diff != "" {
				t.Error(diff)
			}
		}
		disk.Put(name, plans)
		c.down.Store(false)
		p = c.spooled(&logged{}, cfg, "enable.idempotence=true")
		stop(t, p, time.Minute)
		c.eachOnce("mail", 10)
	})
}

// note writes one plan into the folder of s.
func note(t *testing.T, disk *faultfs.FS, s *spool.Spool, b *plan.Batch) {
	t.Helper()
	notes, _, _, err := spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: disk, Fold: &fold{spool: s}, Guard: func(run func()) { run() }})
	if err != nil {
		t.Fatal(err)
	}
	notes.Start()
	written := make(chan error, 1)
	notes.Add(plan.AppendPlan(nil, b), func(err error) { written <- err })
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if err := notes.Close(context.Background()); err != nil {
		t.Fatal(fmt.Errorf("notes: %w", err))
	}
}

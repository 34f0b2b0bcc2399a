package producer

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
	"github.com/halon-extras/kafka/internal/stored"
)

// letters returns the dead letters on disk as "reason: topic value", in order.
func letters(t *testing.T, disk spool.FS) (found []string) {
	t.Helper()
	err := spool.Export(disk, "/spool/dead", false, func(f spool.Frame) error {
		reason, payload, err := spool.ParseLetter(f.Payload)
		if err != nil {
			return err
		}
		var r record.Record
		text := fmt.Sprintf("%q", payload)
		if stored.Decode(payload, &r) == nil {
			text = r.Topic + " " + string(r.Value)
		}
		found = append(found, reason+": "+text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAnUnknownTopicIsADeadLetterAfterItsGrace(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		log := &logged{}
		p := c.spooled(log, cfg, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=30000")
		store(t, p, "nosuch", 0, 3)
		store(t, p, "mail", 0, 3)
		time.Sleep(29 * time.Second)
		if s := p.Snapshot(); s.Failed != 0 || s.Delivered != 3 {
			t.Errorf("within the grace: %+v", s)
		}
		time.Sleep(5 * time.Second)
		if s := p.Snapshot(); s.Failed != 3 || s.Queued != 0 {
			t.Errorf("after the grace: %+v", s)
		}
		if s := p.Spool(); s.Pending != 0 || s.Dead != 3 || s.Letters != 3 {
			t.Errorf("the spool has %+v", s)
		}
		if code := <-keep(t, p, &record.Record{Topic: "nosuch", Partition: -1}, false); code != resperr.UnknownTopic {
			t.Errorf("a later call is answered %v", code)
		}
		stop(t, p, time.Minute)
		want := []string{
			"3 Broker: Unknown topic or partition: nosuch v000000",
			"3 Broker: Unknown topic or partition: nosuch v000001",
			"3 Broker: Unknown topic or partition: nosuch v000002",
		}
		if diff := cmp.Diff(want, letters(t, cfg.FS)); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(log.String(), "message delivery failed: Broker: Unknown topic or partition") {
			t.Errorf("the log does not say so:\n%s", log)
		}
	})
}

func TestATopicThatIsNotAuthorisedIsTriedForAMinute(t *testing.T) {
	for _, granted := range []bool{false, true} {
		t.Run(fmt.Sprintf("granted %t", granted), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				denied := c.deny()
				disk := faultfs.New(1)
				p := c.spooled(&logged{}, durable(disk))
				store(t, p, "mail", 0, 2)
				time.Sleep(55 * time.Second)
				if s := p.Snapshot(); s.Failed != 0 {
					t.Errorf("within the minute: %+v", s)
				}
				if granted {
					denied.Store(false)
					time.Sleep(15 * time.Second)
					stop(t, p, time.Minute)
					c.inOrder("mail", 2)
					return
				}
				time.Sleep(15 * time.Second)
				if s := p.Snapshot(); s.Failed != 2 || s.Failures[0].Code != resperr.TopicAuthorizationFailed {
					t.Errorf("after the minute: %+v", s)
				}
				stop(t, p, time.Minute)
				if n := len(letters(t, disk)); n != 2 {
					t.Errorf("%d dead letters", n)
				}
			})
		})
	}
}

// A record that the broker permanently rejects must not delay those behind it.
func TestARecordThatTheBrokerRefusesIsADeadLetter(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		p := c.spooled(&logged{}, cfg)
		r := value("nowhere")
		r.Partition = 7
		if code := <-keep(t, p, r, false); code != resperr.NoError {
			t.Fatal(code)
		}
		store(t, p, "mail", 0, 10)
		stop(t, p, time.Minute)
		c.inOrder("mail", 10)
		if diff := cmp.Diff([]string{"-190 Local: Unknown partition: mail nowhere"}, letters(t, disk)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWithoutDeadLettersARefusedRecordIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		disk := faultfs.New(1)
		cfg := durable(disk)
		cfg.DeadLetter = false
		p := c.spooled(&logged{}, cfg, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=1000")
		answers, _ := deliver(t, p, value("v"), 0)
		if d := <-answers; d.Code != resperr.UnknownTopicOrPart {
			t.Errorf("answered %+v", d)
		}
		stop(t, p, time.Minute)
		if s := p.Snapshot(); s.Failed != 1 || p.Spool().Pending != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

// What nothing says about its age never becomes too old behind a spool.
func TestTimeIsUpOnlyWhenItIsSaidInWords(t *testing.T) {
	for _, test := range []struct {
		sentence   string
		properties []string
		maxAge     time.Duration
		lives      bool
	}{
		{"the default of message.timeout.ms does not count", nil, 0, true},
		{"set explicitly it does", []string{"message.timeout.ms=300000"}, 0, false},
		{"by its other name too", []string{"delivery.timeout.ms=300000"}, 0, false},
		{"max_age", nil, 5 * time.Minute, false},
		{"the shorter one counts", []string{"message.timeout.ms=3000000"}, 5 * time.Minute, false},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
				c.down.Store(true)
				cfg.MaxAge = test.maxAge
				p := c.spooled(&logged{}, cfg, append(test.properties, "queue.buffering.max.messages=100")...)
				store(t, p, "mail", 0, 500) // most of them have no room in memory
				time.Sleep(4 * time.Minute)
				if s := p.Snapshot(); s.Failed != 0 {
					t.Errorf("after four minutes: %+v", s)
				}
				time.Sleep(2 * time.Minute)
				failed := int64(500)
				if test.lives {
					failed = 0
				}
				if s := p.Snapshot(); s.Failed != failed {
					t.Errorf("after six minutes %d have failed, want %d", s.Failed, failed)
				}
				c.down.Store(false)
				time.Sleep(time.Minute)
				stop(t, p, time.Minute)
				if test.lives {
					c.inOrder("mail", 500)
				} else if n := len(letters(t, disk)); n != 500 {
					t.Errorf("%d dead letters", n)
				}
			})
		})
	}
}

func TestAFrameThatIsNoRecordIsADeadLetter(t *testing.T) {
	onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
		cfg.onDisk(t, [][]byte{[]byte("\x01no record")}, func(*spool.Spool) {})
		log := &logged{}
		p := c.spooled(log, cfg)
		store(t, p, "mail", 0, 10)
		stop(t, p, time.Minute)
		c.inOrder("mail", 10)
		if diff := cmp.Diff([]string{`-199 Local: Bad message format: "\x01no record"`}, letters(t, disk)); diff != "" {
			t.Error(diff)
		}
		if s := p.Snapshot(); s.In != 11 || s.Delivered != 10 || s.Failed != 1 {
			t.Errorf("counted %+v", s)
		}
	})
}

// A broker refuses a batch as a whole. Only the record that it means becomes a dead letter.
func TestOneBadRecordDoesNotTakeItsBatchWithIt(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		c.fake.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
			c.fake.KeepControl()
			req := kreq.(*kmsg.ProduceRequest)
			resp := req.ResponseKind().(*kmsg.ProduceResponse)
			refused := false
			for _, rt := range req.Topics {
				st := kmsg.ProduceResponseTopic{Topic: rt.Topic, TopicID: rt.TopicID}
				for _, rp := range rt.Partitions {
					refused = refused || bytes.Contains(rp.Records, []byte("poison"))
					st.Partitions = append(st.Partitions, kmsg.ProduceResponseTopicPartition{Partition: rp.Partition, ErrorCode: 87})
				}
				resp.Topics = append(resp.Topics, st)
			}
			return resp, nil, refused
		})
		p := c.spooled(&logged{}, cfg)
		answers := make([]<-chan resperr.Code, 0, 103)
		for i := range 100 {
			answers = append(answers, keep(t, p, value(fmt.Sprintf("v%06d", i)), false))
			if i%40 == 20 {
				answers = append(answers, keep(t, p, value("poison"), false))
			}
		}
		for _, a := range answers {
			if code := <-a; code != resperr.NoError {
				t.Fatal(code)
			}
		}
		time.Sleep(20 * time.Second)
		store(t, p, "mail", 100, 100)
		stop(t, p, time.Minute)
		c.inOrder("mail", 200)
		poison := "87 Broker: Broker failed to validate record: mail poison"
		if diff := cmp.Diff([]string{poison, poison}, letters(t, cfg.FS)); diff != "" {
			t.Error(diff)
		}
		if s := p.Snapshot(); s.Delivered != 200 || s.Failed != 2 {
			t.Errorf("counted %+v", s)
		}
	})
}

// What becomes of a message whose letter the disk does not take is said as it is: on the disk it is kept, in memory only it is lost.
func TestALetterThatCannotBeWrittenSaysWhatBecomesOfItsMessage(t *testing.T) {
	for _, test := range []struct {
		sentence string
		spill    bool
		line     string
		failed   int64
		letters  int // after the next start
	}{
		{"on the disk it stays", false, "a dead letter cannot be written, the message stays in the spool until the next start", 0, 1},
		{"in memory only it is lost", true, "a dead letter cannot be written, and its message is lost, because it was in memory only", 1, 0},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			onSpool(t, func(t *testing.T, c *cluster, disk *faultfs.FS, cfg spoolOn) {
				disk.Intercept(func(call faultfs.Call) faultfs.Fault {
					if strings.HasPrefix(call.Name, "/spool/dead/") && (call.Op == faultfs.Write || call.Op == faultfs.Create) {
						return faultfs.Fault{Err: syscall.EIO}
					}
					return faultfs.Fault{}
				})
				cfg.Spill = test.spill
				log := &logged{}
				p := c.spooled(log, cfg)
				r := value("nowhere")
				r.Partition = 7
				if code := <-keep(t, p, r, false); code != resperr.NoError {
					t.Fatal(code)
				}
				time.Sleep(10 * time.Second)
				if !strings.Contains(log.String(), test.line) || strings.Count(log.String(), "a dead letter cannot be written") != 1 {
					t.Errorf("want the line %q, logged:\n%s", test.line, log)
				}
				if s := p.Snapshot(); s.Failed != test.failed || p.Spool().Pending != 1-test.failed {
					t.Errorf("counted %+v, %+v", s, p.Spool())
				}
				stop(t, p, time.Minute)
				disk.Intercept(nil)
				p = c.spooled(log, cfg)
				time.Sleep(10 * time.Second)
				stop(t, p, time.Minute)
				if all := letters(t, disk); len(all) != test.letters {
					t.Errorf("dead letters after the next start: %q", all)
				}
			})
		})
	}
}

package producer

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
)

func TestStatisticsComeEachIntervalUntilTheQueueStops(t *testing.T) {
	for _, test := range []struct {
		sentence   string
		properties []string
		want       int
	}{
		{"not asked for", nil, 0},
		{"each second", []string{"statistics.interval.ms=1000"}, 10},
		{"only errors are logged", []string{"statistics.interval.ms=1000", "log_level=3"}, 0},
		{"nothing is logged", []string{"statistics.interval.ms=1000", "log.queue=true"}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, kfake.SeedTopics(1, "mail"))
			out := &syslog{}
			log := out.logger(t)
			set := settings(t, append([]string{"bootstrap.servers=127.0.0.1:9092", "client.id=mx"}, test.properties...)...)
			p, err := New("kafka1", set, Deps{Log: log, Statistics: log.WithGroup(logsink.Each), Client: conf.Deps{Dialer: c.dial}})
			if err != nil {
				t.Fatal(err)
			}
			c.offer(p, 7)
			time.Sleep(10*time.Second + 10*time.Millisecond)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			p.Stop(ctx)
			time.Sleep(10 * time.Second)
			lines := out.take()
			if len(lines) != test.want {
				t.Fatalf("%s: %d lines in ten seconds, want %d:\n%s", test.sentence, len(lines), test.want, strings.Join(lines, "\n"))
			}
			for _, line := range lines {
				text, ok := strings.CutPrefix(line, "6 kafka: STATS(6): mx#producer-1: [thrd:main]: ")
				var s report.Statistics
				if err := json.Unmarshal([]byte(text), &s); !ok || err != nil {
					t.Fatalf("%s: %q: %v", test.sentence, line, err)
				}
				if s.Name != "mx#producer-1" || s.ClientID != "mx" || s.Queue != "kafka1" || s.TxMsgs != 7 || s.MsgCnt != 0 || s.Topics["mail"].Topic != "mail" {
					t.Errorf("%s: %s", test.sentence, text)
				}
			}
		})
	}
}

// What is counted does not depend on how a record goes: packed in C, or as an entry of its own.
func TestPackedRecordsCountAsEntriesDo(t *testing.T) {
	for _, test := range []struct {
		sentence string
		intake   bool
	}{{"entries", false}, {"packed", true}} {
		t.Run(test.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				set := settings(t, "bootstrap.servers=127.0.0.1:9092", "message.timeout.ms=3600000", "socket.timeout.ms=300000", "max.in.flight=1")
				deps := Deps{Log: (&logged{}).logger(), Client: conf.Deps{Dialer: c.dial}}
				if test.intake {
					deps.Intake = c.newIntake(set)
				}
				p, err := New("kafka1", set, deps)
				if err != nil {
					t.Fatal(err)
				}
				look := func() report.PartitionStatistics {
					s, err := p.Statistics(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					return s.Topics["mail"].Partitions["0"]
				}
				c.offer(p, 1) // the topic is known from now on
				time.Sleep(time.Second)
				c.offer(p, 20)
				time.Sleep(time.Second)
				if one := look(); one.TxMsgs != 21 || one.TxBytes != 21*7 || one.MsgqCnt+one.MsgqBytes+one.MsgsInflight != 0 {
					t.Errorf("all is delivered: %+v", one)
				}
				times := p.Times().Delivery.Samples()
				if n := times[len(times)-1].Value; n != 21 {
					t.Errorf("the times of %v messages are counted, and 21 are delivered", n)
				}
				c.silence()
				c.offer(p, 30)
				time.Sleep(time.Second)
				c.offer(p, 40)
				time.Sleep(30 * time.Second)
				if one := look(); one.TxMsgs != 21 || one.MsgsInflight != 30 || one.MsgqCnt != 40 || one.MsgqBytes < 40*7 {
					t.Errorf("the broker answers nothing: %+v", one)
				}
				if age := p.Health().OldestAge(time.Now()); age < 31*time.Second || age > 32*time.Second {
					t.Errorf("the oldest message is %v old", age)
				}
				c.answer()
				stop(t, p, time.Minute)
			})
		})
	}
}

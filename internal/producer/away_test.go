package producer

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// What docs/guarantees.md says of a Kafka that is away for 5 minutes and for 5 days, behind a spool:
// nothing is lost, nothing changes its place, and the memory does not grow.
func TestAKafkaThatIsAwayForDaysCostsNothingBehindASpool(t *testing.T) {
	for _, mode := range []string{"durable", "spill"} {
		for name, away := range map[string]time.Duration{"5 minutes": 5 * time.Minute, "5 days": either(5*24*time.Hour, 5*time.Hour)} {
			t.Run(mode+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c := newCluster(t, kfake.SeedTopics(1, "mail"))
					cfg := durable(faultfs.New(1))
					cfg.Spill = mode == "spill"
					log := &logged{}
					// One attempt a minute, for the test's sake: five days have 432,000 seconds.
					p := c.spooled(log, cfg, "queue.buffering.max.messages=500", "reconnect.backoff.ms=60000", "reconnect.backoff.max.ms=60000")
					store(t, p, "mail", 0, 100)
					time.Sleep(10 * time.Second)
					c.down.Store(true)
					c.cut()
					const parts = 20
					for i := range parts {
						store(t, p, "mail", 100+i*100, 100)
						time.Sleep(away / parts)
					}
					if s := p.Snapshot(); s.Failed != 0 || s.Queued != 100*parts {
						t.Errorf("counted %+v", s)
					}
					if held := p.outstanding(); held > 500 {
						t.Errorf("%d records are in memory", held)
					}
					c.down.Store(false)
					time.Sleep(5 * time.Minute)
					store(t, p, "mail", 100+100*parts, 100)
					stop(t, p, time.Minute)
					c.inOrder("mail", 200+100*parts)
					if s := p.Snapshot(); s.Failed != 0 || s.Queued != 0 {
						t.Errorf("counted %+v", s)
					}
					if strings.Contains(log.String(), "message delivery failed") {
						t.Errorf("the log says:\n%s", log)
					}
				})
			})
		}
	}
}

// Behind a spool too, message.timeout.ms counts when an operator has written it, and max_age when it
// is not 0; what is too old becomes a dead letter.
func TestAMessageBehindASpoolExpiresOnlyWhenAnOperatorSaysSo(t *testing.T) {
	for _, test := range []struct {
		name       string
		maxAge     time.Duration
		properties []string
		expires    bool
	}{
		{"nothing is said", 0, nil, false},
		{"message.timeout.ms is written", 0, []string{"message.timeout.ms=60000"}, true},
		{"max_age is given", time.Minute, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				c.down.Store(true)
				cfg := durable(faultfs.New(1))
				cfg.MaxAge = test.maxAge
				p := c.spooled(&logged{}, cfg, test.properties...)
				store(t, p, "mail", 0, 10)
				time.Sleep(10 * time.Minute)
				failed, dead := int64(0), int64(0)
				if test.expires {
					failed, dead = 10, 10
				}
				if s, d := p.Snapshot(), p.Spool().Dead; s.Failed != failed || d != dead {
					t.Errorf("counted %+v, %d dead letters; want %d failed", s, d, failed)
				}
				if test.expires && p.Snapshot().Failures[0].Code != resperr.MsgTimedOut {
					t.Errorf("failed for %v", p.Snapshot().Failures)
				}
				c.down.Store(false)
				store(t, p, "mail", 10, 1)
				time.Sleep(5 * time.Minute)
				stop(t, p, time.Minute)
				first := "v000000"
				if test.expires {
					first = "v000010"
				}
				if got := c.records("mail", 11-int(failed)); string(got[0].Value) != first {
					t.Errorf("the first record on the topic is %q, want %q", got[0].Value, first)
				}
			})
		})
	}
}

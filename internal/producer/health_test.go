package producer

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// becomes waits until the queue says what it should, in the seconds that it has for it.
func becomes(t *testing.T, p *Producer, seconds int, sentence string, is func(*report.Health) bool) *report.Health {
	t.Helper()
	for range seconds * 10 {
		if h := p.Health(); is(h) {
			return h
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: after %d s it is %s: %+v", sentence, seconds, p.Health().State, p.Health().Problems)
	return nil
}

func state(s report.State, reason string) func(*report.Health) bool {
	return func(h *report.Health) bool { return h.State == s && strings.Contains(h.Reason(), reason) }
}

func TestABrokerThatStopsIsSeenWithinFiveSeconds(t *testing.T) {
	for _, test := range []struct {
		sentence string
		idle     bool
		stop     func(*cluster)
		start    func(*cluster)
		reason   string
	}{
		{"it refuses connections", false, func(c *cluster) { c.down.Store(true); c.cut() }, func(c *cluster) { c.down.Store(false) }, ":9092: cannot connect: the connection is refused"},
		{"it does so while nothing is sent", true, func(c *cluster) { c.down.Store(true); c.cut() }, func(c *cluster) { c.down.Store(false) }, ":9092: cannot connect: the connection is refused"},
		{"it answers nothing", false, (*cluster).silence, (*cluster).answer, "topic mail makes no progress: no answer from its brokers"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				log := &syslog{}
				p := c.logging(log, "message.timeout.ms=3600000")
				c.offer(p, 10)
				time.Sleep(time.Second)
				if h := p.Health(); h.State != report.OK || h.Reason() != "" || !h.Oldest.IsZero() {
					t.Fatalf("at the start: %+v", h)
				}
				stopped := time.Now()
				test.stop(c)
				if !test.idle {
					c.offer(p, 10)
				}
				h := becomes(t, p, 5, test.sentence, state(report.Degraded, test.reason))
				if h.Since.Before(stopped) || h.Since.After(stopped.Add(5*time.Second)) {
					t.Errorf("since %v after it", h.Since.Sub(stopped))
				}
				time.Sleep(30 * time.Second)
				h = p.Health()
				if age := h.OldestAge(time.Now()); !test.idle && (age < 30*time.Second || age > 36*time.Second) {
					t.Errorf("the oldest message is %v old", age)
				}
				if h.Error == nil && test.reason[0] == ':' {
					t.Error("there was no last error")
				}
				test.start(c)
				becomes(t, p, 20, "it is back, and all is delivered", func(h *report.Health) bool {
					return h.State == report.OK && h.Oldest.IsZero() && h.InFlight == 0
				})
				errs, ends := 0, 0
				for _, line := range log.take() {
					switch {
					case strings.HasPrefix(line, "3 "):
						errs++
					case strings.Contains(line, " again after "):
						ends++
					}
				}
				if errs != 1 || ends != 1 {
					t.Errorf("the log has %d lines for the begin and %d for the end", errs, ends)
				}
				stop(t, p, time.Minute)
			})
		})
	}
}

// A broker answers nothing, and is then away: messages go again when it is back, and not when the log has another reason why they do not.
func TestTopicsMakeProgressAgainWhenMessagesGo(t *testing.T) {
	for name, obstacle := range map[string]struct{ begin, end func(*cluster, *Producer) }{
		"the broker is away": {func(c *cluster, _ *Producer) { c.down.Store(true); c.cut() }, func(c *cluster, _ *Producer) { c.down.Store(false) }},
		"a pause by command": {func(_ *cluster, p *Producer) { p.Pause() }, func(c *cluster, p *Producer) { _, _ = p.Resume(c.t.Context()) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				log := &syslog{}
				p := c.logging(log, "message.timeout.ms=3600000")
				c.offer(p, 1)
				time.Sleep(time.Second)
				c.silence()
				c.offer(p, 10)
				becomes(t, p, 5, "it answers nothing", state(report.Degraded, "topic mail makes no progress"))
				obstacle.begin(c, p)
				time.Sleep(time.Minute)
				const over = "all topics make progress again after "
				if text := strings.Join(log.take(), "\n"); strings.Contains(text, over) {
					t.Errorf("nothing is sent, and the log says:\n%s", text)
				}
				c.answer()
				obstacle.end(c, p)
				becomes(t, p, 60, "it is back, and all is delivered", func(h *report.Health) bool { return h.State == report.OK && h.Oldest.IsZero() })
				time.Sleep(degradedAfter + observeAgain)
				if text := strings.Join(log.take(), "\n"); strings.Count(text, over) != 1 {
					t.Errorf("all is sent, and the log does not say so once:\n%s", text)
				}
				stop(t, p, time.Minute)
			})
		})
	}
}

func TestAHostThatIsGoneIsAnOutageBeforeTheFirstAttemptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		gone := make(chan struct{})
		set := settings(t, "bootstrap.servers=127.0.0.1:9092")
		log := &syslog{}
		dial := func(ctx context.Context, network, host string) (net.Conn, error) {
			select {
			case <-gone:
				<-ctx.Done()
				return nil, ctx.Err()
			default:
				return c.dial(ctx, network, host)
			}
		}
		p, err := New("kafka1", set, Deps{Log: log.logger(t), Client: conf.Deps{Dialer: dial}})
		if err != nil {
			t.Fatal(err)
		}
		c.offer(p, 1)
		time.Sleep(time.Second)
		close(gone)
		c.cut()
		becomes(t, p, 5, "packets are dropped", state(report.Degraded, ":9092: no connection: "))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.Stop(ctx)
		time.Sleep(time.Hour)
	})
}

func TestAFullQueueIsCalledFailedUntilThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		log := &syslog{}
		p := c.logging(log, "queue.buffering.max.messages=100")
		c.offer(p, 1)
		time.Sleep(time.Second)
		c.silence()
		c.offer(p, 100)
		if code := p.Offer(value("one more")); code != resperr.QueueFull {
			t.Fatalf("one more: %v", code)
		}
		becomes(t, p, 1, "full", state(report.Broken, "the queue is full: 100 messages (queue.buffering.max.messages)"))
		time.Sleep(5 * time.Second)
		if h := p.Health(); h.State != report.Broken || len(h.Problems) != 2 || h.Problems[1].Kind != report.Stalled {
			t.Errorf("five seconds later: %+v", h)
		}
		c.answer()
		becomes(t, p, 20, "there is room", state(report.OK, ""))
		text := strings.Join(log.take(), "\n")
		for _, want := range []string{"3 kafka: the queue is full: 100 messages", "5 kafka: the queue has room again after "} {
			if strings.Count(text, want) != 1 {
				t.Errorf("%q is not in the log once:\n%s", want, text)
			}
		}
		stop(t, p, time.Minute)
	})
}

func TestATopicThatIsRefusedIsAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		log := &syslog{}
		p := c.logging(log, "allow.auto.create.topics=false", "topic.metadata.propagation.max.ms=1000")
		r := value("v")
		r.Topic = "late"
		p.Offer(r)
		becomes(t, p, 5, "no such topic", state(report.Degraded, "topic late is refused: Local: Unknown topic"))
		if e := p.Health().Error; e == nil || e.Topic != "late" || e.Code != int(resperr.UnknownTopicOrPart) {
			t.Errorf("last error: %+v", e)
		}
		time.Sleep(2 * time.Minute)
		becomes(t, p, 1, "nobody asks for it any more", state(report.OK, ""))
		text := strings.Join(log.take(), "\n")
		if want := "3 kafka: the cluster does not take messages of a topic, calls are refused until it does: Broker: Unknown topic or partition (queue kafka1, topic late, errno -188)"; strings.Count(text, want) != 1 {
			t.Errorf("%q is not in the log once:\n%s", want, text)
		}
		c.create("late", 1)
		if code := p.Offer(r); code != resperr.NoError {
			t.Fatalf("a topic that was forgotten: %v", code)
		}
		time.Sleep(5 * time.Second)
		if s := p.Snapshot(); s.Delivered != 1 {
			t.Errorf("the topic is there now, and %d messages are delivered", s.Delivered)
		}
		stop(t, p, time.Minute)
	})
}

func TestRatesAreThoseOfTheLastTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{})
		for range 30 {
			c.offer(p, 50)
			time.Sleep(time.Second)
		}
		s := p.Snapshot()
		rates := p.Health().Rates
		in, out := rates.Of(time.Now(), &s)
		if in < 45 || in > 55 || out < 45 || out > 55 {
			t.Errorf("fifty messages a second are %v and %v", in, out)
		}
		time.Sleep(time.Minute)
		s, rates = p.Snapshot(), p.Health().Rates
		if in, out := rates.Of(time.Now(), &s); in != 0 || out != 0 {
			t.Errorf("a minute later: %v %v", in, out)
		}
		stop(t, p, time.Minute)
	})
}

package producer

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/resperr"
)

// syslog is the log as it reaches the host: what repeats is held back.
type syslog struct {
	sink  *logsink.Sink
	mu    sync.Mutex
	lines []string
}

func (s *syslog) logger(t *testing.T) *slog.Logger {
	s.sink = logsink.New(slog.LevelDebug, func(priority int, line string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lines = append(s.lines, fmt.Sprintf("%d %s", priority, line))
	})
	t.Cleanup(s.sink.Close)
	return slog.New(s.sink.Handler())
}

func (s *syslog) take() []string {
	s.sink.Flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	s.lines = nil
	return lines
}

// logging opens a queue that logs to s.
func (c *cluster) logging(s *syslog, properties ...string) *Producer {
	c.t.Helper()
	set := settings(c.t, append([]string{"bootstrap.servers=127.0.0.1:9092"}, properties...)...)
	p, err := New("kafka1", set, c.packed(set, Deps{Log: s.logger(c.t), Client: conf.Deps{Dialer: c.dial}}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Stop(ctx)
		time.Sleep(10 * time.Minute)
	})
	return p
}

func TestAQueueThatWorksLogsNothing(t *testing.T) {
	for _, properties := range [][]string{nil, {"enable.idempotence=true"}, {"log_level=7", "log.queue=true"}} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, kfake.SeedTopics(1, "mail"))
			log := &syslog{}
			p := c.logging(log, properties...)
			for range 20 {
				c.offer(p, 10)
				time.Sleep(time.Minute)
			}
			stop(t, p, time.Minute)
			if got := log.take(); len(got) > 0 {
				t.Errorf("with %q it logged\n%s", properties, strings.Join(got, "\n"))
			}
		})
	}
}

func TestAnOutageIsOneLineAndItsEndAnother(t *testing.T) {
	for _, test := range []struct {
		sentence   string
		properties []string
		first      string
		last       string
	}{
		{"plain", nil, "3 kafka: FAIL(3): rdkafka#producer-1: [thrd:main]: ADDRESS: cannot connect: the connection is refused: nothing listens there, or a firewall rejects it (queue kafka1, broker ADDRESS)", "5 kafka: CONNECT(5): rdkafka#producer-1: [thrd:main]: connected again after 10 min, 6"},
		{"named", []string{"client.id=mx", "log.connection.close=false"}, "3 kafka: FAIL(3): mx#producer-1: [thrd:main]: ADDRESS: cannot connect: the connection is refused: nothing listens there, or a firewall rejects it (queue kafka1, broker ADDRESS)", "5 kafka: CONNECT(5): mx#producer-1: [thrd:main]: connected again after 10 min, 6"},
		{"idempotent", []string{"enable.idempotence=true", "log.thread.name=false", "log_level=3"}, "3 kafka: FAIL(3): rdkafka#producer-1: ADDRESS: cannot connect: the connection is refused: nothing listens there, or a firewall rejects it (queue kafka1, broker ADDRESS)", ""},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				log := &syslog{}
				p := c.logging(log, append(test.properties, "message.timeout.ms=3600000")...)
				c.offer(p, 10)
				time.Sleep(time.Second)
				c.down.Store(true)
				c.cut()
				for range 600 {
					c.offer(p, 1)
					time.Sleep(time.Second)
				}
				c.down.Store(false)
				time.Sleep(time.Minute)
				var got []string
				for _, line := range log.take() { // the bootstrap name and the name that the broker has for itself
					got = append(got, strings.NewReplacer("127.0.0.1:9092", "ADDRESS", "localhost:9092", "ADDRESS").Replace(line))
				}
				want := 2
				if test.last == "" {
					want = 1
				}
				if len(got) != want || got[0] != test.first || !strings.HasPrefix(got[want-1], test.last) {
					t.Errorf("it logged\n%s\nwant %q and %q", strings.Join(got, "\n"), test.first, test.last)
				}
				stop(t, p, time.Minute)
			})
		})
	}
}

// An operator who has repaired the broker that the log named must learn that it was not the only one.
func TestAnotherBrokerOfAnOutageHasItsLineWhenTheFirstIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.SeedTopics(3, "mail"))
		for i := range int32(3) {
			if err := c.fake.MoveTopicPartition("mail", i, i); err != nil {
				t.Fatal(err)
			}
		}
		log := &syslog{}
		p := c.logging(log, "message.timeout.ms=3600000", "sticky.partitioning.linger.ms=0")
		during := func(d time.Duration) (lines []string) {
			for range d / time.Second {
				c.offer(p, 10)
				time.Sleep(time.Second)
			}
			return log.take()
		}
		one := func(when string, lines []string, want string) {
			t.Helper()
			if len(lines) != 1 || !strings.Contains(lines[0], want) {
				t.Errorf("%s it logged %q, want one line with %q", when, lines, want)
			}
		}
		status := func() string {
			var text string
			for _, problem := range p.Health().Problems {
				text += problem.Text
			}
			return text
		}
		during(time.Minute)
		c.away.Store("9093", true)
		c.away.Store("9094", true)
		c.cut()
		lines := during(time.Minute)
		first, second := "9093", "9094"
		if len(lines) > 0 && strings.Contains(lines[0], second) {
			first, second = second, first
		}
		one("with two brokers away", lines, first)
		c.away.Delete(first)
		one("with the first back", during(time.Minute), second+": cannot connect: the connection is refused")
		if text := status(); !strings.Contains(text, second) {
			t.Errorf("the status says %q, want the broker that is away", text)
		}
		c.away.Delete(second)
		one("with both back", during(time.Minute), "connected again after")
		if text := status(); text != "" {
			t.Errorf("the status says %q", text)
		}
		stop(t, p, time.Minute)
	})
}

// Two brokers that fail in two ways take turns for as long as the outage lasts: that is two lines.
func TestEachKindOfFailureOfAnOutageHasOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &syslog{}
		c := newClientLog(t.Context(), log.logger(t), settings(t))
		turns := func() []string {
			for range 200 {
				c.fails(groupTLS, "mx1.example:9093", "cannot connect: a")
				c.fails(groupConnection, "mx2.example:9093", "cannot connect: b")
				time.Sleep(10 * time.Second)
			}
			return log.take()
		}
		want := []string{
			"3 kafka: SSL(3): rdkafka#producer-1: [thrd:main]: mx1.example:9093: cannot connect: a (broker mx1.example:9093)",
			"3 kafka: FAIL(3): rdkafka#producer-1: [thrd:main]: mx2.example:9093: cannot connect: b (broker mx2.example:9093)",
		}
		if got := turns(); !slices.Equal(got, want) {
			t.Errorf("an outage has the lines\n%s", strings.Join(got, "\n"))
		}
		c.recovers(0)
		log.take()
		if got := turns(); !slices.Equal(got, want) {
			t.Errorf("the next one has the lines\n%s", strings.Join(got, "\n"))
		}
		c.fails(groupTLS, "mx2.example:9093", "cannot connect: c")
		if _, text, _, _ := c.outage.present(); text != "mx2.example:9093: cannot connect: c" {
			t.Errorf("the status says %q, want what is wrong with the broker now", text)
		}
	})
}

func TestALostConnectionIsLoggedUnlessItIsNotWanted(t *testing.T) {
	for _, test := range []struct {
		properties []string
		err        error
		want       string
	}{
		{nil, io.EOF, "6 kafka: FAIL(6): rdkafka#producer-1: [thrd:main]: mx.example:9093: the connection is lost: it closes the connection (broker mx.example:9093)"},
		{[]string{"log.connection.close=false"}, io.EOF, ""},
		{[]string{"log.connection.close=false", "log_level=7"}, io.EOF, "7 kafka: FAIL(7): rdkafka#producer-1: [thrd:main]: mx.example:9093: the connection is lost: it closes the connection (broker mx.example:9093)"},
		{[]string{"log_level=5"}, io.EOF, ""},
		{[]string{"log.queue=true"}, io.EOF, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &syslog{}
			ctx, cancel := context.WithCancel(t.Context())
			c := newClientLog(ctx, log.logger(t), settings(t, test.properties...))
			c.Lost("mx.example:9093", test.err)
			time.Sleep(2 * lossHeld)
			if got := strings.Join(log.take(), "\n"); got != test.want {
				t.Errorf("%q, %v: logged %q, want %q", test.properties, test.err, got, test.want)
			}
			cancel()
			c.Lost("mx.example:9093", io.EOF)
			time.Sleep(2 * lossHeld)
			if got := log.take(); len(got) > 0 {
				t.Errorf("at the end it logged %q", got)
			}
		})
	}
}

// A connection breaks, and what comes then tells what it was: the beginning of an outage has one line, and a broker that is back has one.
func TestALossIsTheOutagesLineOrItsOwn(t *testing.T) {
	for _, test := range []struct {
		sentence string
		then     func(c *clientLog, end func())
		want     []string
	}{
		{"it is back at once", func(*clientLog, func()) {}, []string{"6 kafka: FAIL(6): rdkafka#producer-1: [thrd:main]: mx:1: the connection is lost: it closes the connection (broker mx:1)"}},
		{
			"the next attempt fails", func(c *clientLog, _ func()) { c.Failed("mx:1", client.Connecting, io.EOF) },
			[]string{"3 kafka: FAIL(3): rdkafka#producer-1: [thrd:main]: mx:1: cannot connect: it closes the connection (broker mx:1)"},
		},
		{
			"the host does not answer", func(c *clientLog, _ func()) {
				time.Sleep(silentAfter + time.Second/2)
				c.fails(groupConnection, "mx:1", "no connection: lost")
			},
			[]string{"3 kafka: FAIL(3): rdkafka#producer-1: [thrd:main]: mx:1: no connection: lost (broker mx:1)"},
		},
		{"the queue ends", func(_ *clientLog, end func()) { end() }, nil},
		{
			"others break in the outage", func(c *clientLog, _ func()) { c.Failed("mx:1", client.Connecting, io.EOF); c.Lost("mx:2", io.EOF) },
			[]string{"3 kafka: FAIL(3): rdkafka#producer-1: [thrd:main]: mx:1: cannot connect: it closes the connection (broker mx:1)"},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &syslog{}
			queue, end := context.WithCancel(t.Context())
			defer end()
			c := newClientLog(queue, log.logger(t), settings(t))
			c.Lost("mx:1", io.EOF)
			test.then(c, end)
			time.Sleep(2 * lossHeld)
			if got := log.take(); !slices.Equal(got, test.want) {
				t.Errorf("%s: logged\n%s\nwant\n%s", test.sentence, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestAPanicWhileALossIsToldEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClientLog(t.Context(), slog.New(faulty{}), settings(t))
		c.Lost("mx:1", io.EOF)
		time.Sleep(2 * lossHeld) // the process lives
		if lost := c.losses.take(); lost != nil {
			t.Errorf("%v was not told", lost)
		}
	})
}

func TestABrokerThatHangsIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		log := &syslog{}
		p := c.logging(log, "message.timeout.ms=3600000")
		c.offer(p, 10)
		time.Sleep(time.Second)
		c.silence()
		c.offer(p, 10)
		time.Sleep(10 * time.Minute)
		got := log.take()
		if len(got) == 0 || len(got) > 11 || !strings.Contains(strings.Join(got, "\n"), ":9092: no connection: no answer to Produce for 1m0s") {
			t.Errorf("ten minutes gave %d lines:\n%s", len(got), strings.Join(got, "\n"))
		}
		c.answer()
		stop(t, p, time.Minute)
	})
}

func TestEveryMessageIsRefusedAndTheLogSaysWhyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		log := &syslog{}
		p := c.logging(log, "linger.ms=400000")
		for range 3 {
			if code := p.Offer(value("v")); code != resperr.InvalidArg {
				t.Errorf("answered %v", code)
			}
		}
		want := "3 kafka: TOPICCONF(3): rdkafka#producer-1: [thrd:main]: Incompatible configuration settings for topic \"mail\": " +
			"`message.timeout.ms` must be greater than `linger.ms` (queue kafka1, topic mail)"
		if got := log.take(); len(got) != 1 || got[0] != want {
			t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), want)
		}
	})
}

func TestReasonsGoByTheTypeOfTheError(t *testing.T) {
	c := newClientLog(t.Context(), slog.New(slog.DiscardHandler), settings(t, "security.protocol=sasl_ssl", "sasl.mechanism=PLAIN",
		"sasl.username=mail", "sasl.password=secret"))
	for _, test := range []struct {
		err   error
		at    client.Stage
		group string
		text  string
	}{
		{fmt.Errorf("unable to dial: %w", x509.UnknownAuthorityError{}), client.Connecting, groupTLS, "its certificate is signed by an unknown authority: ssl.ca.location must name the certificate of that authority"},
		{fmt.Errorf("x: %w", kerr.SaslAuthenticationFailed), client.Versions, groupLogin, "the login of the user mail with PLAIN is refused: wrong sasl.username or sasl.password"},
		{kerr.UnsupportedSaslMechanism, client.Versions, groupLogin, "it does not offer PLAIN: set sasl.mechanism to one that it offers"},
		{kerr.ClusterAuthorizationFailed, client.Versions, groupConnection, "cannot connect: it answers CLUSTER_AUTHORIZATION_FAILED: Cluster authorization failed."},
		{io.EOF, client.Versions, groupConnection, "cannot connect: it closes the connection: is the port for another security.protocol than sasl_ssl?"},
		{context.DeadlineExceeded, client.Connecting, groupConnection, "cannot connect: it does not answer in time"},
		{io.EOF, client.Login, groupLogin, "the login of the user mail with PLAIN is refused: wrong sasl.username or sasl.password"},
		{fmt.Errorf("no token"), client.Versions, groupLogin, "the login with PLAIN fails on this side: no token"},
	} {
		if group, text := c.blame(test.err, test.at); group != test.group || text != test.text {
			t.Errorf("%v is %s: %s\nwant %s: %s", test.err, group, text, test.group, test.text)
		}
	}
}

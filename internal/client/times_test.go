package client

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// world runs a test with one broker in a bubble.
func world(t *testing.T, properties []string, f func(l *liar, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLiar(t)
		b := newBench(t, l.dial, append([]string{"bootstrap.servers=one:9092"}, properties...)...)
		defer time.Sleep(2 * time.Second)
		defer b.c.Close()
		f(l, b)
	})
}

// post sends r and returns where its error comes.
func (b *bench) post(r *Produce) chan error {
	b.t.Helper()
	done := make(chan error, 2)
	r.Done = func(_ *Produce, err error) { done <- err }
	if !b.c.Send(1, r) {
		b.t.Fatalf("the broker takes nothing; the log:\n%s", b.told())
	}
	return done
}

// answerNothing takes produce requests without a word.
func (l *liar) answerNothing() {
	l.lies(func(c *talk) bool { return c.key == produceKey })
}

func TestPausesGrow(t *testing.T) {
	refused := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	for _, test := range []struct {
		name       string
		lie        func(l *liar, c *talk) bool
		dial       func(context.Context, string, string) (net.Conn, error)
		properties []string
		most       int64 // connections in ten minutes
	}{
		{name: "nobody listens", dial: refused, most: 90},
		{name: "a refused login", properties: []string{"security.protocol=sasl_plaintext", "sasl.mechanisms=PLAIN", "sasl.username=me", "sasl.password=x"}, most: 90, lie: func(_ *liar, c *talk) bool {
			if c.key != loginKey {
				return false
			}
			r := c.req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
			r.ErrorCode, r.ErrorMessage = 58, kmsg.StringPtr("no such user")
			c.answer(r.AppendTo(nil))
			return true
		}},
		{name: "it hangs up as soon as it is usable", most: 90, lie: func(_ *liar, c *talk) bool {
			if c.key == metadataKey {
				c.Close()
			}
			return c.key == metadataKey
		}},
		{name: "no pause is set", dial: refused, properties: []string{"reconnect.backoff.ms=0", "reconnect.backoff.max.ms=0"}, most: 100_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLiar(t)
				dials := 0
				dial := func(ctx context.Context, network, address string) (net.Conn, error) {
					dials++ // by one goroutine: there is one broker
					if test.dial != nil {
						return test.dial(ctx, network, address)
					}
					return l.dial(ctx, network, address)
				}
				b := newBench(t, dial, append([]string{"bootstrap.servers=one:9092"}, test.properties...)...)
				if test.lie != nil {
					l.lies(func(c *talk) bool { return test.lie(l, c) })
				}
				for start := time.Now(); time.Since(start) < 10*time.Minute; {
					b.c.AskMetadata([]string{"mail"}, false)
					b.next(MetadataFailed)
				}
				b.c.Close()
				if int64(dials) > test.most || dials < 40 {
					t.Errorf("%d connections in ten minutes, the log ends:\n%s", dials, last(b.told(), 300))
				}
			})
		})
	}
}

func last(s string, n int) string { return s[max(len(s)-n, 0):] }

func TestTimeouts(t *testing.T) {
	world(t, nil, func(l *liar, b *bench) {
		b.ask("mail")
		b.up(1)
		l.answerNothing()
		first, second := mail(-1), mail(-1)
		first.Deadline = 10 * time.Second
		start := time.Now()
		one, two := b.post(first), b.post(second)
		for i, done := range []chan error{one, two} {
			if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("request %d ends with %v", i, err)
			}
		}
		if d := time.Since(start); d != 10*time.Second || !first.Written {
			t.Errorf("after %v, written %v", d, first.Written)
		}
		if e := b.next(Down); e.Idle || !errors.Is(e.Err, os.ErrDeadlineExceeded) {
			t.Errorf("%+v", e)
		}
		if told := b.told(); told != "lost one:9092: no answer to Produce for 10s: i/o timeout" {
			t.Error(told)
		}
		l.lies(nil)
		b.up(1)
	})
}

// Where time-outs don't end the connection, a late answer is for nobody, and the next one for the next.
func TestTimeoutsThatEndNothing(t *testing.T) {
	world(t, []string{"socket.max.fails=0"}, func(l *liar, b *bench) {
		b.ask("mail")
		b.up(1)
		l.lies(func(c *talk) bool {
			if c.key == produceKey {
				time.Sleep(15 * time.Second)
			}
			return false
		})
		first, second := mail(-1), mail(-1)
		first.Deadline = 10 * time.Second
		one, two := b.post(first), b.post(second)
		if err := <-one; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		if err := <-two; err != nil || second.Batches[0].Answer.BaseOffset != 42 {
			t.Error(err)
		}
		if l.dials.Load() != 1 || b.told() != "" {
			t.Errorf("%d connections, the log:\n%s", l.dials.Load(), b.told())
		}
	})
}

func TestThrottle(t *testing.T) {
	world(t, nil, func(l *liar, b *bench) {
		b.ask("mail")
		b.up(1)
		l.lies(func(c *talk) bool {
			if c.key != produceKey {
				return false
			}
			l.lies(func(*talk) bool { // the broker reads nothing for half a minute
				time.Sleep(30 * time.Second)
				l.lies(nil)
				return false
			})
			time.Sleep(time.Second) // the second one is written meanwhile
			r := l.honest(c).(*kmsg.ProduceResponse)
			r.ThrottleMillis = 30_000
			c.answer(r.AppendTo(nil))
			return true
		})
		one, open := mail(-1), mail(-1)
		open.Deadline = 10 * time.Second
		first, second := b.post(one), b.post(open)
		start := time.Now()
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if b.c.Ready(1) || b.c.Send(1, mail(-1)) || b.c.Brokers()[0].State != Muted {
			t.Error("a muted broker is written to")
		}
		if err := <-second; err != nil {
			t.Errorf("the pause counts for an open request: %v", err)
		}
		b.next(Up)
		if d := time.Since(start); d != 31*time.Second || !b.c.Ready(1) {
			t.Errorf("usable again after %v", d)
		}
		if b.told() != "throttled one:9092: 30s" {
			t.Error(b.told())
		}
	})
}

func TestIdleConnections(t *testing.T) {
	t.Run("this side ends it", func(t *testing.T) {
		world(t, []string{"connections.max.idle.ms=60000"}, func(l *liar, b *bench) {
			b.ask("mail")
			b.up(1)
			start := time.Now()
			if e := b.next(Down); !e.Idle || time.Since(start) != time.Minute {
				t.Errorf("%+v after %v", e, time.Since(start))
			}
			time.Sleep(time.Hour)
			if l.dials.Load() != 1 || l.open.Load() != 0 || b.told() != "" {
				t.Errorf("%d connections, %d open, the log: %s", l.dials.Load(), l.open.Load(), b.told())
			}
			b.up(1)
		})
	})
	t.Run("the broker ends it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLiar(t)
			var mu sync.Mutex
			var far []net.Conn
			b := newBench(t, func(ctx context.Context, network, address string) (net.Conn, error) {
				mu.Lock()
				defer mu.Unlock()
				near, other := net.Pipe()
				go l.serve(other)
				far = append(far, other)
				return near, nil
			}, "bootstrap.servers=one:9092")
			defer b.c.Close()
			b.ask("mail")
			b.up(1)
			time.Sleep(10 * time.Minute)
			start := time.Now()
			mu.Lock()
			far[0].Close()
			mu.Unlock()
			if e := b.next(Down); !e.Idle || time.Since(start) != 0 {
				t.Errorf("%+v after %v", e, time.Since(start))
			}
			b.up(1)
			if time.Since(start) != 0 {
				t.Errorf("a broker that has ended what nobody used is left alone for %v", time.Since(start))
			}
			if r, err := b.send(1, mail(1)); err != nil || r.Batches[0].Answer.BaseOffset != 42 {
				t.Error(err)
			}
		})
	})
}

func TestNoAcknowledgement(t *testing.T) {
	world(t, nil, func(l *liar, b *bench) {
		b.ask("mail")
		b.up(1)
		for range 3 {
			r, err := b.send(1, mail(0))
			if err != nil || r.Batches[0].Answer.BaseOffset != -1 || !r.Written {
				t.Fatalf("%v, %+v", err, r)
			}
		}
		// Some brokers answer although nobody has asked for that.
		l.lies(func(c *talk) bool {
			if c.key == produceKey {
				c.answer(c.req.ResponseKind().AppendTo(nil))
			}
			return false
		})
		for range 3 {
			if _, err := b.send(1, mail(0)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.send(1, mail(1)); err == nil {
			t.Error("an answer of another is taken for that of a request") // twice: the lie, and the honest one
		}
	})
}

// A request whose first byte was not written says so: it costs no retry.
func TestNothingWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLiar(t)
		broken := errors.New("broken pipe")
		var fail bool
		both := make(chan struct{}) // closed when both requests wait: no connection takes one that has failed before
		b := newBench(t, func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := l.dial(ctx, network, address)
			return writer{conn, func() error {
				if fail {
					<-both
					return broken
				}
				return nil
			}}, err
		}, "bootstrap.servers=one:9092")
		defer b.c.Close()
		b.ask("mail")
		b.up(1)
		synctest.Wait()
		fail = true
		one, two := mail(-1), mail(-1)
		first, second := b.post(one), b.post(two)
		close(both)
		for _, done := range []chan error{first, second} {
			if err := <-done; !errors.Is(err, broken) {
				t.Error(err)
			}
		}
		if one.Written || two.Written {
			t.Errorf("written: %v, %v", one.Written, two.Written)
		}
		fail = false
	})
}

type writer struct {
	net.Conn
	fails func() error
}

func (w writer) Write(p []byte) (int, error) {
	if err := w.fails(); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

func TestClose(t *testing.T) {
	for _, test := range []struct {
		name string
		lie  func(c *talk) bool
	}{
		{"a request is open", func(c *talk) bool { return c.key == produceKey }},
		{"the broker reads nothing", func(c *talk) bool {
			if c.key == produceKey {
				time.Sleep(time.Hour)
			}
			return true
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLiar(t)
				l.window = 0
				b := newBench(t, l.dial, "bootstrap.servers=one:9092")
				b.ask("mail")
				b.up(1)
				l.lies(test.lie)
				var all []chan error
				for range 5 {
					all = append(all, b.post(mail(-1)))
				}
				synctest.Wait()
				start := time.Now()
				b.c.Close()
				for _, done := range all {
					select {
					case err := <-done:
						if !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
					default:
						t.Error("a request has no answer")
					}
				}
				if d := time.Since(start); d > closeLimit {
					t.Errorf("it took %v", d)
				}
				b.c.Connect(1)
				b.c.AskMetadata(nil, false)
				b.c.AskProducerID()
				if b.c.Send(1, mail(1)) || b.c.Ready(1) || b.told() != "" {
					t.Error("a closed client goes on: " + b.told())
				}
				b.c.Close()
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// A panic is handed to the guard, and what was under way is answered.
func TestPanics(t *testing.T) {
	for _, test := range []string{"in Append", "in Done"} {
		t.Run(test, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLiar(t)
				caught := make(chan any, 10)
				b := newBench(t, l.dial, "bootstrap.servers=one:9092")
				b.c.deps.Guard = func(f func()) {
					defer func() {
						if fault := recover(); fault != nil {
							caught <- fault
						}
					}()
					f()
				}
				b.ask("mail")
				b.up(1)
				l.answerNothing()
				open := b.post(mail(-1))
				synctest.Wait()
				l.lies(nil)
				bad := mail(-1)
				switch test {
				case "in Append":
					bad.Batches[0].Append = func([]byte, int16) ([]byte, [][]byte) { panic("a fault") }
					bad.Done = func(*Produce, error) {}
				case "in Done":
					bad.Done = func(*Produce, error) { panic("a fault") }
				}
				b.c.Send(1, bad)
				if test == "in Done" {
					l.lies(nil)
					time.Sleep(2 * time.Minute) // the first one is never answered, and times out
				}
				if fault := <-caught; fault != "a fault" {
					t.Errorf("%v", fault)
				}
				b.c.Close()
				if err := <-open; err == nil {
					t.Error("a request that was never answered was delivered")
				}
			})
		})
	}
}

// The one that Close waits with is no exception: a panic in it would end the host.
func TestEachGoroutineRunsInTheGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var guarded atomic.Int32
		c := New(settings(t, "bootstrap.servers=one:9092"), Deps{Guard: func(run func()) { guarded.Add(1); run() }})
		if !c.Close() || guarded.Load() != 1 {
			t.Errorf("%d goroutines of a client that has only been closed ran in the guard", guarded.Load())
		}
	})
}

func TestStatus(t *testing.T) {
	world(t, nil, func(_ *liar, b *bench) {
		b.ask("mail")
		b.up(1)
		if _, err := b.send(1, mail(-1)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s := b.c.Brokers()
		if len(s) != 1 || s[0].ID != 1 || s[0].Address != "one:9092" || s[0].State != Ready || s[0].Requests != 3 || s[0].Answers != 3 || s[0].Connects != 1 || s[0].TxBytes == 0 || s[0].RxBytes == 0 {
			t.Errorf("%+v", s)
		}
		if s[0].State.String() != "UP" {
			t.Error(s[0].State)
		}
	})
}

package client

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// town has a liar at each address, all of which name the same brokers.
type town struct {
	mu     sync.Mutex
	liars  map[string]*liar
	ways   map[string]string // how an address behaves: "refused", "dead" (no answer to a SYN); guarded by mu
	dialed []string          // in order; guarded by mu
}

// newTown makes a town of brokers 1, 2 and so on at these addresses.
func newTown(t *testing.T, addresses ...string) *town {
	w := &town{liars: map[string]*liar{}, ways: map[string]string{}}
	for _, a := range addresses {
		w.liars[a] = newLiar(t)
	}
	w.name(addresses...)
	return w
}

// name makes these the brokers that the town names.
func (w *town) name(addresses ...string) {
	var named []kmsg.MetadataResponseBroker
	for i, a := range addresses {
		b := broker1(strings.TrimSuffix(a, ":9092"), 9092)[0]
		b.NodeID = int32(i + 1)
		named = append(named, b)
	}
	for _, l := range w.liars {
		l.mu.Lock()
		l.brokes = named
		l.mu.Unlock()
	}
}

func (w *town) is(address, way string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ways[address] = way
}

func (w *town) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	way, l := w.ways[address], w.liars[address]
	w.mu.Unlock()
	switch {
	case way == "dead":
		<-ctx.Done()
		return nil, ctx.Err()
	case way == "refused" || l == nil:
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return l.dial(ctx, network, address)
}

func (w *town) dials(address string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.dialed {
		if a == address {
			n++
		}
	}
	return n
}

func visit(t *testing.T, w *town, properties []string, f func(b *bench)) {
	t.Helper()
	b := newBench(t, w.dial, properties...)
	defer time.Sleep(time.Minute)
	defer b.c.Close()
	f(b)
}

const three = "bootstrap.servers=a:9092,b:9092,c:9092"

func TestBootstrapServersAreTriedBeside(t *testing.T) {
	for _, way := range []string{"refused", "dead"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t, "a:9092", "b:9092", "c:9092")
				w.is("a:9092", way)
				w.is("b:9092", way)
				visit(t, w, []string{three}, func(b *bench) {
					start := time.Now()
					b.ask("mail")
					if d := time.Since(start); d > 2*time.Second {
						t.Errorf("the third server was asked after %v", d)
					}
				})
			})
		})
	}
	t.Run("none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			visit(t, newTown(t), nil, func(b *bench) {
				b.c.AskMetadata(nil, false)
				if e := b.next(MetadataFailed); e.Err != ErrNoBrokers { //nolint:errorlint // itself
					t.Error(e.Err)
				}
			})
		})
	})
}

// A connection to a bootstrap server becomes that of the broker at its address, and no second one is made; one
// whose address is none of a broker is closed.
func TestBootstrapConnectionsAreAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092")
		visit(t, w, []string{"bootstrap.servers=a:9092"}, func(b *bench) {
			b.ask("mail")
			b.up(1)
			if n := w.dials("a:9092"); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	})
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092", "front:9092")
		w.name("a:9092")
		visit(t, w, []string{"bootstrap.servers=front:9092"}, func(b *bench) {
			b.ask("mail")
			b.up(1)
			time.Sleep(2 * time.Second)
			if n := w.liars["front:9092"].open.Load(); n != 0 || b.told() != "" {
				t.Errorf("%d connections to the bootstrap server are left; the log: %s", n, b.told())
			}
			b.ask("mail")
			if n := w.dials("front:9092"); n != 1 {
				t.Errorf("the bootstrap server was connected to %d times", n)
			}
		})
	})
}

// Whatever a broker does, who leads now is known soon from the others.
func TestABrokerThatIsAwayDelaysNoQuestion(t *testing.T) {
	for _, test := range []struct {
		name string
		stop func(w *town, address string)
		most time.Duration
	}{
		{"killed", func(w *town, a string) {
			w.is(a, "refused")
			w.liars[a].lies(func(c *talk) bool { c.Close(); return true })
		}, 10 * time.Millisecond},
		{"gone with its machine", func(w *town, a string) {
			w.is(a, "dead")
			w.liars[a].lies(func(c *talk) bool { c.Close(); return true })
		}, time.Second},
		{"hung", func(w *town, a string) { w.liars[a].lies(func(*talk) bool { return true }) }, 2 * time.Second},
		{"lying", func(w *town, a string) { w.liars[a].lies(func(c *talk) bool { c.id += 9; return false }) }, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t, "a:9092", "b:9092", "c:9092")
				visit(t, w, []string{three}, func(b *bench) {
					b.ask("mail")
					for id := range int32(3) {
						b.up(id + 1)
					}
					test.stop(w, "b:9092")
					b.c.Send(2, &Produce{Acks: -1, Deadline: 10 * time.Second, Batches: mail(-1).Batches, Done: func(*Produce, error) {}})
					for i := range 20 { // whoever is asked first
						start := time.Now()
						b.ask("mail")
						if d := time.Since(start); d > test.most {
							t.Errorf("question %d was answered after %v", i, d)
						}
						time.Sleep(500 * time.Millisecond)
					}
				})
			})
		})
	}
}

func TestABrokerMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092", "b:9092", "c:9092")
		w.name("a:9092", "b:9092")
		visit(t, w, []string{"bootstrap.servers=a:9092"}, func(b *bench) {
			b.ask("mail")
			b.up(1)
			b.up(2)
			w.liars["b:9092"].lies(func(c *talk) bool {
				if c.key == produceKey {
					time.Sleep(5 * time.Second)
				}
				return false
			})
			open := mail(-1)
			done := make(chan error, 1)
			open.Done = func(_ *Produce, err error) { done <- err }
			b.c.Send(2, open)
			synctest.Wait()
			w.name("a:9092", "c:9092")
			b.ask("mail")
			if b.c.Ready(2) {
				t.Error("a request for broker 2 would go to its old address")
			}
			if err := <-done; err != nil {
				t.Errorf("an open request is not awaited: %v", err)
			}
			if e := b.next(Down); e.Broker != 2 || e.Err != ErrUnknownBroker { //nolint:errorlint // itself
				t.Errorf("%+v", e)
			}
			if e := b.next(Up); e.Broker != 2 || w.dials("c:9092") != 1 {
				t.Errorf("%+v, %d connections to the new address", e, w.dials("c:9092"))
			}
			if _, err := b.send(2, mail(-1)); err != nil || w.liars["c:9092"].produced.Load() != 1 {
				t.Errorf("%v, %d at the new address", err, w.liars["c:9092"].produced.Load())
			}
		})
	})
}

// A broker that is tried in vain is not tried any more when the cluster has it elsewhere, or has it no more.
func TestABrokerThatIsAwayMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092", "b:9092", "c:9092")
		w.name("a:9092", "b:9092")
		w.is("b:9092", "refused")
		visit(t, w, []string{"bootstrap.servers=a:9092"}, func(b *bench) {
			b.ask("mail")
			b.c.Connect(2)
			b.next(Down)
			time.Sleep(time.Minute)
			w.name("a:9092", "c:9092")
			b.ask("mail")
			b.up(2)
			n := w.dials("b:9092")
			w.name("a:9092")
			b.ask("mail")
			time.Sleep(time.Minute)
			if b.c.Ready(2) || w.dials("b:9092") != n || w.liars["c:9092"].open.Load() != 0 {
				t.Errorf("a broker that is gone is still connected to: %+v", b.c.Brokers())
			}
			if s := b.c.Brokers(); len(s) != 1 {
				t.Errorf("brokers that are gone are remembered: %+v", s)
			}
			b.c.Connect(2) // nothing follows
			b.c.Connect(77)
		})
	})
}

// When all brokers have moved, the bootstrap servers know where; what they said before is forgotten.
func TestAClusterMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "front:9092", "a:9092", "b:9092", "x:9092", "y:9092")
		w.name("a:9092", "b:9092")
		visit(t, w, []string{"bootstrap.servers=front:9092"}, func(b *bench) {
			b.ask("mail")
			b.up(1)
			for _, gone := range []string{"a:9092", "b:9092"} {
				w.is(gone, "dead")
				w.liars[gone].lies(func(c *talk) bool { c.Close(); return true })
			}
			w.name("x:9092", "y:9092")
			start := time.Now()
			for known := false; !known; {
				b.c.AskMetadata([]string{"mail"}, false)
				select {
				case e := <-b.events:
					known = e.Kind == MetadataReceived
				case <-time.After(time.Minute):
				}
			}
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("the bootstrap server was asked after %v", d)
			}
			b.up(1)
			if w.dials("x:9092") == 0 {
				t.Error("broker 1 is still at its old address")
			}
		})
	})
}

func TestNothingCanBeLearnt(t *testing.T) {
	for _, strategy := range []string{"none", "rebootstrap"} {
		t.Run(strategy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t, "front:9092", "a:9092")
				w.name("a:9092")
				visit(t, w, []string{"bootstrap.servers=front:9092", "metadata.recovery.strategy=" + strategy, "metadata.recovery.rebootstrap.trigger.ms=60000"}, func(b *bench) {
					b.ask("mail")
					w.is("a:9092", "refused")
					w.is("front:9092", "refused")
					for _, l := range w.liars {
						l.lies(func(c *talk) bool { c.Close(); return true })
					}
					for start := time.Now(); time.Since(start) < 2*time.Minute; time.Sleep(time.Second) {
						b.c.AskMetadata([]string{"mail"}, false)
						b.next(MetadataFailed)
					}
					b.c.mu.Lock()
					n := len(b.c.known)
					b.c.mu.Unlock()
					if (n == 0) != (strategy == "rebootstrap") {
						t.Errorf("%d brokers are known", n)
					}
				})
			})
		})
	}
}

func TestQuestionsReplaceEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092")
		var asked []string
		w.liars["a:9092"].lies(func(c *talk) bool {
			if m, ok := c.req.(*kmsg.MetadataRequest); ok {
				asked = append(asked, fmt.Sprint(len(m.Topics), *m.Topics[0].Topic, m.AllowAutoTopicCreation))
				time.Sleep(time.Second)
			}
			return false
		})
		visit(t, w, []string{"bootstrap.servers=a:9092"}, func(b *bench) {
			b.c.AskMetadata([]string{"one"}, false)
			synctest.Wait()
			b.c.AskMetadata([]string{"two"}, false)
			b.c.AskMetadata([]string{"three", "four"}, true)
			b.next(MetadataReceived)
			if m := b.next(MetadataReceived).Metadata; m.Topics[0].Name != "three" || m.Topics[1].Name != "four" {
				t.Errorf("%+v", m)
			}
			if got := fmt.Sprint(asked); got != "[1onefalse 2threetrue]" {
				t.Error(got)
			}
		})
	})
}

func TestProducerIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092", "b:9092")
		tries := 0
		for _, l := range w.liars {
			l.lies(func(c *talk) bool {
				if c.key != producerIDKey {
					return false
				}
				if tries++; tries > 3 {
					return false
				}
				r := c.req.ResponseKind().(*kmsg.InitProducerIDResponse)
				r.ErrorCode = []int16{14, 15, 16, 51}[tries]
				c.answer(r.AppendTo(nil))
				return true
			})
		}
		visit(t, w, []string{"bootstrap.servers=a:9092,b:9092"}, func(b *bench) {
			b.c.AskProducerID()
			b.c.AskProducerID()
			if e := b.next(ProducerID); e.ID != 7 || e.Code != 0 || e.Err != nil || tries != 4 {
				t.Errorf("%+v after %d tries", e, tries)
			}
			for _, l := range w.liars {
				l.lies(func(c *talk) bool {
					if c.key == producerIDKey {
						r := c.req.ResponseKind().(*kmsg.InitProducerIDResponse)
						r.ErrorCode = 31
						c.answer(r.AppendTo(nil))
					}
					return c.key == producerIDKey
				})
			}
			b.c.AskProducerID()
			if e := b.next(ProducerID); e.Code != 31 || e.Err == nil {
				t.Errorf("%+v", e)
			}
		})
	})
}

func TestConnectionsThatAreNotSparse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092", "b:9092", "c:9092")
		visit(t, w, []string{"bootstrap.servers=a:9092", "enable.sparse.connections=false"}, func(b *bench) {
			b.ask()
			synctest.Wait()
			for id := range int32(3) {
				if !b.c.Ready(id + 1) {
					t.Errorf("broker %d is not connected to", id+1)
				}
			}
		})
	})
}

// Brokers that the configuration says are too old are not asked what they speak, and the log has the reason.
func TestBrokersThatAreNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "a:9092")
		w.liars["a:9092"].lies(func(*talk) bool {
			t.Error("the broker is asked")
			return false
		})
		visit(t, w, []string{"bootstrap.servers=a:9092", "api.version.request=false", "broker.version.fallback=0.9.0.1"}, func(b *bench) {
			b.c.AskMetadata([]string{"mail"}, false)
			b.next(MetadataFailed)
			if !strings.Contains(b.told(), "as broker.version.fallback says: brokers before Apache Kafka 0.11 are not supported") {
				t.Error(b.told())
			}
		})
	})
}

// A broker that does not know the version of the first question is asked in one that it knows (KIP-511).
func TestOldBrokersAreAskedAgain(t *testing.T) {
	for _, tells := range []int16{-1, 0, 2, 3} {
		synctest.Test(t, func(t *testing.T) {
			w := newTown(t, "a:9092")
			var asked []int16
			w.liars["a:9092"].lies(func(c *talk) bool {
				if c.key != versionsKey {
					return false
				}
				asked = append(asked, c.version)
				if c.version <= max(tells, 0) {
					return false
				}
				r := kmsg.NewPtrApiVersionsResponse() // version 0
				r.ErrorCode = unsupportedVersion
				if tells >= 0 {
					k := kmsg.NewApiVersionsResponseApiKey()
					k.ApiKey, k.MaxVersion = versionsKey, tells
					r.ApiKeys = append(r.ApiKeys, k)
				}
				c.answer(r.AppendTo(nil))
				return true
			})
			visit(t, w, []string{"bootstrap.servers=a:9092"}, func(b *bench) {
				b.ask("mail")
				if want := fmt.Sprint([]int16{4, max(tells, 0)}); fmt.Sprint(asked) != want {
					t.Errorf("asked in the versions %v, want %v", asked, want)
				}
			})
		})
	}
}

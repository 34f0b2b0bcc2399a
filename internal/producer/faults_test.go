package producer

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// dialing opens a queue whose connections go through dial.
func (c *cluster) dialing(log *logged, dial func(ctx context.Context, network, address string) (net.Conn, error), properties ...string) *Producer {
	c.t.Helper()
	set := settings(c.t, properties...)
	p, err := New("kafka1", set, c.packed(set, Deps{Log: log.logger(), Client: conf.Deps{Dialer: dial}}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		stop(c.t, p, time.Second)
		time.Sleep(10 * time.Minute)
	})
	return p
}

// within waits, in the bubble's time, until all of n records are delivered, and says how long it took.
func delivered(t *testing.T, p *Producer, n int64, limit time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	for p.Snapshot().Delivered < n {
		if time.Since(start) > limit {
			t.Fatalf("after %v: %+v, want %d delivered", limit, p.Snapshot(), n)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(start)
}

func TestAKilledBrokerOfThreeDelaysItsPartitionByNoMoreThanItsElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.SeedTopics(1, "mail"))
		killed := fmt.Sprint(9092 + c.fake.LeaderFor("mail", 0))
		var dead atomic.Bool
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			if dead.Load() && strings.HasSuffix(address, killed) {
				return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
			}
			return c.dial(ctx, network, address)
		}
		p := c.dialing(&logged{}, dial, "bootstrap.servers=127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094", "message.timeout.ms=10000")
		c.offer(p, 100)
		delivered(t, p, 100, time.Second)
		dead.Store(true)
		c.cut()
		c.offer(p, 100)
		time.Sleep(5 * time.Second) // nobody leads the partition
		if err := c.fake.MoveTopicPartition("mail", 0, (c.fake.LeaderFor("mail", 0)+1)%3); err != nil {
			t.Fatal(err)
		}
		if took := delivered(t, p, 200, 5*time.Second); took > 2*time.Second {
			t.Errorf("the new leader was found after %v", took)
		}
		if s := p.Snapshot(); s.Failed != 0 {
			t.Errorf("%d are lost", s.Failed)
		}
	})
}

func TestBootstrapServersThatNeverAnswerAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			if !strings.Contains(address, "9092") {
				<-ctx.Done() // no answer to a SYN
				return nil, ctx.Err()
			}
			return c.dial(ctx, network, address)
		}
		p := c.dialing(&logged{}, dial, "bootstrap.servers=10.0.0.1:1,10.0.0.2:1,127.0.0.1:9092")
		c.offer(p, 1)
		if took := delivered(t, p, 1, time.Minute); took > 2*time.Second {
			t.Errorf("the third server was asked after %v", took)
		}
	})
}

func TestSmallBatchesArrive(t *testing.T) {
	for _, property := range []string{"batch.num.messages=1", "batch.size=1", "batch.size=100", "message.max.bytes=1000"} {
		t.Run(property, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				if err := c.fake.CreateTopic("mail", 1, map[string]string{"max.message.bytes": "32768"}); err != nil {
					t.Fatal(err)
				}
				p := c.queue(&logged{}, property)
				c.offer(p, 500)
				delivered(t, p, 500, time.Minute)
				c.inOrder("mail", 500)
			})
		})
	}
}

// A batch is larger than the topic takes: it is halved until its parts fit, in order.
func TestABatchThatIsTooLargeForItsTopicIsHalved(t *testing.T) {
	for _, idempotence := range []string{"false", "true"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t)
			if err := c.fake.CreateTopic("mail", 1, map[string]string{"max.message.bytes": "1000"}); err != nil {
				t.Fatal(err)
			}
			p := c.queue(&logged{}, "enable.idempotence="+idempotence)
			c.offer(p, 500)
			delivered(t, p, 500, time.Minute)
			c.inOrder("mail", 500)
			if code := offer(p, value(strings.Repeat("x", 2000))); code != resperr.NoError {
				t.Fatal(code)
			}
			c.offer(p, 10)
			delivered(t, p, 510, time.Minute)
			if s := p.Snapshot(); s.Failed != 1 || s.Failures[0].Code != resperr.MsgSizeTooLarge {
				t.Errorf("the one that fits nowhere: %+v", s)
			}
		})
	}
}

func TestATopicThatIsRecreatedWithFewerPartitionsGetsEverything(t *testing.T) {
	for _, mode := range []string{"memory", "memory, idempotent", "durable", "durable, idempotent"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(8, "mail"))
				properties := []string{"bootstrap.servers=127.0.0.1:9092", "sticky.partitioning.linger.ms=0"}
				if strings.Contains(mode, "idempotent") {
					properties = append(properties, "enable.idempotence=true")
				}
				var p *Producer
				if strings.HasPrefix(mode, "durable") {
					p = c.spooled(&logged{}, durable(faultfs.New(1)), properties[1:]...)
				} else {
					p = c.queue(&logged{}, properties[1:]...)
				}
				n := int64(0)
				put := func(many int) {
					for range many {
						r := value(fmt.Sprintf("v%06d", n))
						if p.Spooled() {
							if code := <-keep(t, p, r, false); code != resperr.NoError {
								t.Fatal(code)
							}
						} else if code := offer(p, r); code != resperr.NoError {
							t.Fatal(code)
						}
						n++
						time.Sleep(time.Millisecond)
					}
				}
				put(200)
				c.remove("mail")
				put(100)
				c.create("mail", 1)
				put(200)
				delivered(t, p, n, 30*time.Second)
				if s := p.Snapshot(); s.Failed != 0 {
					t.Errorf("%d have failed: %+v", s.Failed, s.Failures)
				}
			})
		})
	}
}

func TestATopicThatGrowsUsesItsNewPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "topic.metadata.refresh.interval.ms=1000")
		c.offer(p, 1)
		time.Sleep(time.Second)
		c.grow("mail", 4)
		for range 5 { // records keep the topic in use
			time.Sleep(time.Second)
			c.offer(p, 1)
		}
		r := value("v")
		r.Partition = 3
		if code := offer(p, r); code != resperr.NoError {
			t.Fatalf("a record for the new partition is answered %v", code)
		}
		delivered(t, p, 7, time.Minute)
	})
}

// What was accepted first arrives first, through an outage with short pauses, for those who ask for that.
func TestTheOrderSurvivesAnOutage(t *testing.T) {
	for _, mode := range []string{"max.in.flight=1", "enable.idempotence=true", "spill", "durable"} {
		t.Run(mode, func(t *testing.T) {
			for seed := range either(uint64(50), 3) {
				synctest.Test(t, func(t *testing.T) {
					c := newCluster(t, kfake.SeedTopics(1, "mail"))
					properties := []string{"retry.backoff.ms=10", "retry.backoff.max.ms=50", "reconnect.backoff.ms=10", "reconnect.backoff.max.ms=50", "linger.ms=1"}
					var p *Producer
					if mode == "spill" || mode == "durable" {
						cfg := durable(faultfs.New(seed))
						cfg.Spill = mode == "spill"
						p = c.spooled(&logged{}, cfg, properties...)
					} else {
						p = c.queue(&logged{}, append(properties, mode)...)
					}
					const n = 300
					for i := range n {
						switch i {
						case 25:
							c.down.Store(true)
							c.cut()
						case 225:
							c.down.Store(false)
						}
						if i%97 == int(seed) {
							c.cut()
						}
						r := value(fmt.Sprintf("v%06d", i))
						accept := func() resperr.Code { return offer(p, r) }
						if p.Spooled() {
							accept = func() resperr.Code { return <-keep(t, p, r, false) }
						}
						if code := accept(); code != resperr.NoError {
							t.Fatalf("record %d is answered %v", i, code)
						}
						time.Sleep(20 * time.Millisecond)
					}
					delivered(t, p, n, time.Minute)
					last, seen := -1, map[string]bool{}
					for _, r := range c.all("mail") {
						if v := string(r.Value); !seen[v] {
							seen[v] = true
							var i int
							if _, err := fmt.Sscanf(v, "v%d", &i); err != nil || i != last+1 {
								t.Fatalf("seed %d: %s comes after v%06d", seed, v, last)
							}
							last = i
						}
					}
				})
			}
		})
	}
}

func TestAConnectionThatWasClosedWhileIdleCostsNoRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		p := c.queue(&logged{}, "retries=0")
		for i := range 5 {
			c.offer(p, 1)
			time.Sleep(time.Second)
			c.cut()
			time.Sleep(time.Minute)
			if s := p.Snapshot(); s.Delivered != int64(i+1) {
				t.Fatalf("after %d rounds: %+v", i+1, s)
			}
		}
	})
}

// A step of the wall clock expires nothing: the calls below carry the time of six minutes ago, as those do that were made before the
// clock was set.
func TestAStepOfTheWallClockExpiresNothing(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "mail"))
	p := c.withIntake(&logged{}, "message.timeout.ms=60000")
	c.silence()
	for range 50 {
		call := intake.Call{Queue: p.ID(), Topic: "mail", Value: []byte("v"), Partition: -1, Milliseconds: time.Now().Add(-6 * time.Minute).UnixMilli()}
		if answer, code := call.Offer(); answer != intake.Taken {
			t.Fatalf("answered %v, %d", answer, code)
		}
	}
	if code := offer(p, &record.Record{Topic: "mail", Partition: -1, Timestamp: time.Now().Add(-6 * time.Minute).UnixMilli()}); code != resperr.NoError {
		t.Fatal(code)
	}
	c.answer()
	if n := p.drain(t.Context()); n != 0 {
		t.Fatalf("%d queued", n)
	}
	if s := p.Snapshot(); s.Delivered != 51 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}

func TestARefusedLoginIsTriedAsRarelyAsABrokerThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"), kfake.EnableSASL(), kfake.Superuser("PLAIN", "mail", "right"))
		p := c.queue(&logged{}, "security.protocol=sasl_plaintext", "sasl.mechanism=PLAIN", "sasl.username=mail", "sasl.password=wrong")
		c.offer(p, 1)
		time.Sleep(time.Minute)
		if n := c.dials.Load(); n < 3 || n > 15 {
			t.Errorf("%d logins in a minute", n)
		}
	})
}

func TestAPanicTakesItsQueueDownAndNotTheHost(t *testing.T) {
	panics := func(string) { panic("a fault of ours") }
	for _, test := range []struct {
		goroutine string
		spoiled   func(c *cluster, log *logged) *Producer
	}{
		{"the sender", func(c *cluster, log *logged) *Producer {
			return c.spoiled(log, Deps{Worked: func(int, int) { panics("") }})
		}},
		{"a connection", func(c *cluster, log *logged) *Producer {
			return c.spoiled(log, Deps{Client: conf.Deps{Dialer: func(context.Context, string, string) (net.Conn, error) {
				panics("")
				return nil, nil
			}}})
		}},
	} {
		t.Run(test.goroutine, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				log := &logged{}
				p := test.spoiled(c, log)
				other := c.queue(&logged{})
				waits := make(chan resperr.Code, 1)
				answers, _ := deliver(t, p, value("v"), 0)
				c.offer(p, 1)
				parked, code := p.Park(value("v"), func(code resperr.Code) { waits <- code })
				time.Sleep(time.Second)
				if code := offer(p, value("v")); code != resperr.Fatal {
					t.Errorf("a call after the fault is answered %v", code)
				}
				if !parked {
					t.Errorf("a call on a full queue is answered %v", code)
				} else if code := <-waits; code != resperr.Fatal {
					t.Errorf("a parked call is answered %v", code)
				}
				select {
				case d := <-answers:
					if d.Code != resperr.Fatal {
						t.Errorf("a call that waits for its delivery is answered %v", d.Code)
					}
				case <-time.After(time.Second):
					t.Error("a call that waits for its delivery has no answer")
				}
				if text := log.String(); !strings.Contains(text, "a fault of ours") || !strings.Contains(text, "level=ERROR+4") || !strings.Contains(text, "goroutine ") {
					t.Errorf("no critical line with the stack:\n%s", text)
				}
				c.offer(other, 10)
				delivered(t, other, 10, time.Minute)
				start := time.Now()
				stop(t, p, time.Minute)
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("the stop took %v", took)
				}
			})
		})
	}
}

// spoiled opens a queue of two messages with deps.
func (c *cluster) spoiled(log *logged, deps Deps) *Producer {
	c.t.Helper()
	deps.Log = log.logger()
	if deps.Client.Dialer == nil {
		deps.Client.Dialer = c.dial
	}
	p, err := New("kafka1", settings(c.t, "bootstrap.servers=127.0.0.1:9092", "queue.buffering.max.messages=2"), deps)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		stop(c.t, p, time.Second)
		time.Sleep(10 * time.Minute)
	})
	return p
}

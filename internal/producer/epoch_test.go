package producer

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A producer id has 32,768 epochs. Behind the last one a partition goes on with an id that it has not had: a broker refuses epoch 0 of the same.
func TestBehindTheLastEpochOfAProducerIDComesAnotherOne(t *testing.T) {
	for _, spooled := range []bool{false, true} {
		t.Run(fmt.Sprintf("spooled %t", spooled), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				var mu sync.Mutex
				var sent []string // ids and epochs; guarded by mu
				ids := 0          // guarded by mu
				c.fake.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
					c.fake.KeepControl()
					mu.Lock()
					defer mu.Unlock()
					ids++
					return nil, nil, false
				})
				c.fake.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
					c.fake.KeepControl()
					mu.Lock()
					defer mu.Unlock()
					for _, part := range request.(*kmsg.ProduceRequest).Topics[0].Partitions {
						h, err := recordbatch.Decode(part.Records, func(*record.Record) {})
						if err != nil {
							t.Error(err)
						}
						sent = append(sent, fmt.Sprintf("%d epoch %d", h.ProducerID, h.Epoch))
					}
					return nil, nil, false
				})
				properties := []string{"enable.idempotence=true", "retries=1"}
				var p *Producer
				if spooled {
					p = c.spooled(&logged{}, durable(faultfs.New(1)), properties...)
				} else {
					p = c.queue(&logged{}, properties...)
				}
				deliverOne := func(i int) {
					r := value(fmt.Sprintf("v%06d", i))
					if !spooled {
						if code := offer(p, r); code != resperr.NoError {
							t.Fatal(code)
						}
					} else if code := <-keep(t, p, r, false); code != resperr.NoError {
						t.Fatal(code)
					}
					time.Sleep(10 * time.Second)
				}
				restart := func(epoch int16) {
					if _, err := ask(t.Context(), p, func() bool {
						p.mu.Lock()
						part := p.topicOfLocked("mail").send.partitions[0]
						p.mu.Unlock()
						part.epoch = epoch
						part.restart()
						return true
					}); err != nil {
						t.Fatal(err)
					}
				}
				deliverOne(0)
				restart(32766)
				deliverOne(1)
				restart(32767)
				deliverOne(2)
				stop(t, p, time.Minute)
				c.inOrder("mail", 3)
				mu.Lock()
				defer mu.Unlock()
				if ids != 2 || len(sent) != 3 || sent[1] != sent[0][:len(sent[0])-1]+"32767" || sent[2] == sent[0] {
					t.Errorf("%d ids were asked for, sent with %q", ids, sent)
				}
			})
		})
	}
}

// An administrator gives the right to a producer id after the first messages: what is on the disk by then is sent without a further call.
func TestARefusedProducerIDIsAskedForAgain(t *testing.T) {
	spoolModes(t, func(t *testing.T, c *cluster, cfg spoolOn) {
		var refused atomic.Bool
		var asked atomic.Int32
		refused.Store(true)
		c.fake.ControlKey(int16(kmsg.InitProducerID), func(request kmsg.Request) (kmsg.Response, error, bool) {
			c.fake.KeepControl()
			asked.Add(1)
			if !refused.Load() {
				return nil, nil, false
			}
			resp := request.ResponseKind().(*kmsg.InitProducerIDResponse)
			resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
			return resp, nil, true
		})
		log := &logged{}
		p := c.spooled(log, cfg, "enable.idempotence=true")
		store(t, p, "mail", 0, 2)
		for i := range 20 { // each would ask again
			time.Sleep(500 * time.Millisecond)
			store(t, p, "mail", 2+i, 1)
		}
		if n := asked.Load(); n < 5 || n > 15 {
			t.Errorf("asked %d times in 10 seconds", n)
		}
		if problem := p.Health().Problems[0].Text; problem != "topic mail makes no progress: the cluster gives no producer id" {
			t.Error(problem)
		}
		if !strings.Contains(log.String(), "no producer id: Broker: Cluster authorization failed: look at the rights of the queue") {
			t.Errorf("the log does not say so:\n%s", log)
		}
		refused.Store(false)
		time.Sleep(5 * time.Second)
		if s := p.Snapshot(); s.Delivered != 22 || s.Failed != 0 {
			t.Errorf("after the right was given: %+v", s)
		}
		stop(t, p, time.Minute)
		c.inOrder("mail", 22)
	})
}

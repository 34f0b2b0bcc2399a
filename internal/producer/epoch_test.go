package producer

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

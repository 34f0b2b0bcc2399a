package producer

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// wantKeys makes the cluster refuse a batch in which a record has no key, as Apache Kafka does for a compacted topic: it writes nothing of it, names those
// records, and says why.
func (c *cluster) wantKeys() {
	c.fake.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		req := request.(*kmsg.ProduceRequest)
		part := req.Topics[0].Partitions[0]
		var wrong []kmsg.ProduceResponseTopicPartitionErrorRecord
		i := int32(0)
		if _, err := recordbatch.Decode(part.Records, func(r *record.Record) {
			if r.Key == nil {
				said := "the record has no key"
				wrong = append(wrong, kmsg.ProduceResponseTopicPartitionErrorRecord{RelativeOffset: i, ErrorMessage: &said})
			}
			i++
		}); err != nil {
			c.t.Error(err)
		}
		if len(wrong) == 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		answer := kmsg.NewProduceResponseTopicPartition()
		answer.ErrorCode, answer.ErrorRecords = kerr.InvalidRecord.Code, wrong
		resp.Topics = []kmsg.ProduceResponseTopic{{Topic: req.Topics[0].Topic, TopicID: req.Topics[0].TopicID, Partitions: []kmsg.ProduceResponseTopicPartition{answer}}}
		return resp, nil, true
	})
}

// Those records that the broker names fail, the others of their batch are delivered in order, and the log has what the broker says.
func TestTheRecordsThatTheBrokerNamesFail(t *testing.T) {
	for _, spooled := range []bool{false, true} {
		for _, idempotent := range []bool{false, true} {
			t.Run(fmt.Sprintf("spooled %t, idempotent %t", spooled, idempotent), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCluster(t, kfake.SeedTopics(1, "mail"))
					c.wantKeys()
					log := &logged{}
					properties := []string{"linger.ms=100", fmt.Sprintf("enable.idempotence=%t", idempotent)}
					var p *Producer
					if spooled {
						p = c.spooled(log, durable(faultfs.New(1)), properties...)
					} else {
						p = c.queue(log, properties...)
					}
					for i := range 10 {
						r := value(fmt.Sprintf("v%06d", i/2))
						if i%2 == 0 {
							r.Key = []byte("k")
						}
						if spooled {
							keep(t, p, r, false)
						} else if code := offer(p, r); code != resperr.NoError {
							t.Fatal(code)
						}
					}
					time.Sleep(10 * time.Second)
					stop(t, p, time.Minute)
					c.inOrder("mail", 5)
					fate := report.Failed
					if spooled {
						fate = report.Dead
					}
					if s := p.Snapshot(); s.Delivered != 5 || len(s.Failures) != 1 || s.Failures[0] != (report.Failure{Loss: report.Loss{Fate: fate, Code: resperr.InvalidRecord}, Count: 5}) {
						t.Errorf("%+v", s)
					}
					if !strings.Contains(log.String(), "mail [0]: the broker refuses messages: the record has no key") {
						t.Errorf("the log does not say so:\n%s", log)
					}
				})
			})
		}
	}
}

package producer

import (
	"fmt"
	"maps"
	"strconv"
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

// answerAll makes the cluster answer every message with code, as often as times says, and then as it is.
func (c *cluster) answerAll(code resperr.Code, times int) {
	c.fake.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		if times--; times < 0 {
			return nil, nil, false
		}
		req := request.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, asked := range req.Topics {
			one := kmsg.ProduceResponseTopic{Topic: asked.Topic, TopicID: asked.TopicID}
			for _, part := range asked.Partitions {
				answer := kmsg.NewProduceResponseTopicPartition()
				answer.Partition, answer.ErrorCode = part.Partition, int16(code)
				one.Partitions = append(one.Partitions, answer)
			}
			resp.Topics = append(resp.Topics, one)
		}
		return resp, nil, true
	})
}

// fateOf says what has become of two messages that were sent together, when the broker has answered the first times requests with code.
func fateOf(t *testing.T, code resperr.Code, times int, spooled, idempotent bool) (fate string) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		c.answerAll(code, times)
		properties := []string{"linger.ms=100", "retries=3", fmt.Sprintf("enable.idempotence=%t", idempotent)}
		var p *Producer
		if spooled {
			p = c.spooled(&logged{}, durable(faultfs.New(1)), properties...)
			for i := range 2 {
				keep(t, p, value(fmt.Sprintf("v%06d", i)), false)
			}
		} else {
			p = c.queue(&logged{}, append(properties, "message.timeout.ms=60000")...)
			c.offer(p, 2)
		}
		time.Sleep(2 * time.Minute)
		s := p.Snapshot()
		for _, f := range s.Failures {
			fate = "fails"
			switch {
			case f.Code == resperr.MsgTimedOut:
				fate = "expires"
			case f.Code != code:
				t.Errorf("%v: it fails with %v", code, f.Code)
			case f.Fate == report.Dead:
				fate = "dead"
			}
		}
		switch n := len(c.all("mail")); {
		case s.Delivered == 2 && n == 2:
			fate += "delivered"
		case s.Delivered == 2:
			fate += "counted"
		case s.Queued == 2:
			fate += "kept"
		}
		stop(t, p, time.Minute)
	})
	return fate
}

// fates says what becomes of messages that the broker answers with code once, and with it always: they are counted as delivered without being in the topic, are
// delivered, fail with the code or become dead letters with it, expire, or are kept on the disk.
const fates = `
code memory             spool            idempotent-memory  idempotent-spool
0    counted/counted    counted/counted  counted/counted    counted/counted
2    delivered/fails    delivered/kept   delivered/fails    delivered/kept
3    delivered/expires  delivered/kept   delivered/expires  delivered/kept
5    delivered/expires  delivered/kept   delivered/expires  delivered/kept
6    delivered/expires  delivered/kept   delivered/expires  delivered/kept
7    delivered/fails    delivered/kept   delivered/fails    delivered/kept
8    delivered/expires  delivered/kept   delivered/expires  delivered/kept
9    delivered/expires  delivered/kept   delivered/expires  delivered/kept
10   delivered/fails    delivered/dead   delivered/fails    delivered/dead
13   delivered/fails    delivered/kept   delivered/fails    delivered/kept
15   delivered/expires  delivered/kept   delivered/expires  delivered/kept
16   delivered/expires  delivered/kept   delivered/expires  delivered/kept
17   fails/fails        dead/dead        fails/fails        dead/dead
18   delivered/fails    delivered/dead   delivered/fails    delivered/dead
19   delivered/fails    delivered/kept   delivered/fails    delivered/kept
20   delivered/fails    delivered/kept   delivered/fails    delivered/kept
21   fails/fails        dead/dead        fails/fails        dead/dead
29   fails/fails        delivered/dead   fails/fails        delivered/dead
31   fails/fails        delivered/kept   fails/fails        delivered/kept
32   fails/fails        delivered/dead   fails/fails        delivered/dead
42   fails/fails        dead/dead        fails/fails        dead/dead
43   fails/fails        dead/dead        fails/fails        dead/dead
44   fails/fails        delivered/dead   fails/fails        delivered/dead
45   fails/fails        dead/dead        delivered/fails    delivered/kept
46   counted/counted    counted/counted  counted/counted    counted/counted
47   fails/fails        dead/dead        delivered/fails    delivered/kept
56   delivered/fails    delivered/kept   delivered/fails    delivered/kept
59   fails/fails        dead/dead        delivered/fails    delivered/kept
74   delivered/fails    delivered/kept   delivered/fails    delivered/kept
75   delivered/fails    delivered/kept   delivered/fails    delivered/kept
76   fails/fails        dead/dead        fails/fails        dead/dead
87   fails/fails        delivered/dead   fails/fails        delivered/dead
100  delivered/expires  delivered/kept   delivered/expires  delivered/kept
999  fails/fails        delivered/kept   fails/fails        delivered/kept
`

func TestWhatBecomesOfAMessageByTheAnswerOfTheBroker(t *testing.T) {
	missing := maps.Clone(outcomes)
	for line := range strings.Lines(strings.TrimSpace(fates)) {
		want := strings.Fields(line)
		n, err := strconv.Atoi(want[0])
		if err != nil {
			continue // the heads of the columns
		}
		code := resperr.Code(n)
		delete(missing, code)
		if n%either(1, 5) != 0 {
			continue
		}
		for i, column := range []struct{ idempotent, spooled bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
			if column.spooled && packing() {
				continue
			}
			once, always := fateOf(t, code, 1, column.spooled, column.idempotent), fateOf(t, code, 1<<30, column.spooled, column.idempotent)
			if got := once + "/" + always; got != want[1+i] {
				t.Errorf("code %d, %+v: it is %s, want %s", code, column, got, want[1+i])
			}
		}
	}
	for code := range missing {
		if code >= 0 { // the others no broker answers
			t.Errorf("code %d has no row", code)
		}
	}
}

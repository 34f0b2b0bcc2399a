package calm

import (
	"encoding/binary"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const (
	goodTopic  = "bench-0"
	partitions = 4
	recordsAt  = 57 // in a batch: the number of its records
	lengthAt   = 8  // and the bytes after the next four
)

// badTopics are those that can't be produced to, each for a reason of its own.
var badTopics = map[string]*kerr.Error{
	"bad-0": kerr.UnknownTopicOrPartition,
	"bad-1": kerr.LeaderNotAvailable,
	"bad-2": kerr.TopicAuthorizationFailed,
}

// counter is a broker that keeps nothing, and counts the records of the good topic.
type counter struct {
	bad           map[string]*kerr.Error
	address, host string
	port          int32
	good          atomic.Int64
	last, silence atomic.Int64 // nanoseconds: when the good topic was last produced to, and the longest time that it was not
}

func newCounter(t *testing.T, bad map[string]*kerr.Error) *counter {
	t.Helper()
	// The newest version that names its topics.
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, goodTopic), kfake.MaxVersions(kversion.V3_8_0()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	c := &counter{bad: bad, address: cluster.ListenAddrs()[0]}
	host, port, err := net.SplitHostPort(c.address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	c.host, c.port = host, int32(n)
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return c.produce(req.(*kmsg.ProduceRequest)), nil, true
	})
	cluster.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return c.metadata(req.(*kmsg.MetadataRequest)), nil, true
	})
	return c
}

func (c *counter) produce(req *kmsg.ProduceRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition = p.Partition
			if err := c.bad[t.Topic]; err != nil {
				partition.ErrorCode = err.Code
			}
			topic.Partitions = append(topic.Partitions, partition)
			for batch := p.Records; t.Topic == goodTopic && len(batch) >= recordsAt+4; {
				c.heard()
				c.good.Add(int64(binary.BigEndian.Uint32(batch[recordsAt:])))
				batch = batch[min(len(batch), lengthAt+4+int(binary.BigEndian.Uint32(batch[lengthAt:]))):]
			}
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// heard notes that the good topic makes progress. All requests are answered by one goroutine.
func (c *counter) heard() {
	now := time.Now().UnixNano()
	if last := c.last.Swap(now); last != 0 {
		c.silence.Store(max(c.silence.Load(), now-last))
	}
}

func (c *counter) metadata(req *kmsg.MetadataRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	node := kmsg.NewMetadataResponseBroker()
	node.Host, node.Port = c.host, c.port
	resp.Brokers = append(resp.Brokers, node)
	for _, t := range req.Topics {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = t.Topic
		copy(topic.TopicID[:], *t.Topic) // the same at each question: another one would be another topic
		reason := c.bad[*t.Topic]
		if reason != nil && reason != kerr.LeaderNotAvailable {
			topic.ErrorCode = reason.Code
			resp.Topics = append(resp.Topics, topic)
			continue
		}
		for n := range int32(partitions) {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Partition, p.Replicas, p.ISR = n, []int32{0}, []int32{0}
			if reason != nil {
				p.Leader, p.ErrorCode = -1, reason.Code
			}
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// topics has the same calls twice: to a good topic, and each 50th to one of three more, which are good as well the first time and
// can't be produced to the second time. At full speed the two differ by what the machine does beside, so that is not judged.
func topics(t *testing.T, a *table) {
	p := a.proof
	const (
		steady   = 50000 // calls a second
		least    = 0.9   // of the rate beside good topics
		mostIdle = 500 * time.Millisecond
	)
	for _, rate := range []float64{steady, 0} {
		var rates [2]float64
		var silence time.Duration
		var answers map[string]int64
		for i, reasons := range []map[string]*kerr.Error{nil, badTopics} {
			broker := newCounter(t, reasons)
			s := p.drive(t,
				"--mode", "calm", "--threads", "2", "--seconds", number(p.seconds), "--rate", number(rate), "--pause-us", "200",
				"--bad-every", "50", "--bad-topics", number(float64(len(badTopics))),
				"--broker", broker.address, "--conf", "allow.auto.create.topics=false")
			rates[i], silence, answers = float64(broker.good.Load())/p.seconds, time.Duration(broker.silence.Load()), s.Answers
		}
		pace := "full speed"
		if rate > 0 {
			pace = "paced"
			if rates[0] == 0 || rates[1] < least*rates[0] || silence > mostIdle {
				t.Errorf("the good topic has %.0f messages a second beside three that can't be produced to, %v without any, and %.0f beside three that can",
					rates[1], silence, rates[0])
			}
		}
		a.note("topics, %s: the good one has %.0f messages a second beside three more, and %.0f when of these one is unknown, one has no leader and one is not allowed; then it was silent for %v at most; answers %v",
			pace, rates[0], rates[1], silence.Round(time.Millisecond), answers)
	}
}

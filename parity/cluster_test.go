package parity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A script is how the broker behaves in one scenario. The zero script is a good broker without topics.
type script struct {
	topics map[string]int32 // name to number of partitions
	auto   bool             // topics that are asked for are created
	absent bool             // nobody listens at the broker's address
	silent bool             // connections are taken, and nothing is ever answered

	// produce decides the nth request, from 1, that has records for topic. Nil: all are taken.
	produce func(topic string, nth int) verdict

	// metadata answers for a topic with a code, or with ok false as usual. Nil: as usual.
	metadata func(topic string) (code int16, ok bool)

	// asks are what steps of the plan want done.
	asks map[string]func(*cluster) error
}

// A verdict is what becomes of a produce request. The zero verdict takes it.
type verdict struct {
	code int16
	bad  []int32 // with code: the records in the batch that are to blame
	hang bool    // no answer, on this connection never again
	cut  bool    // the connection breaks
}

// cluster is the broker of one run.
type cluster struct {
	script  script
	kafka   *kfake.Cluster
	silence net.Listener
	address string

	mu       sync.Mutex
	requests map[string]int // by topic; guarded by mu
	traits   map[string]bool
	broken   []error // what the script cannot express; guarded by mu
}

var errCut = errors.New("cut by the script")

func start(s script) (*cluster, error) {
	c := &cluster{script: s, requests: make(map[string]int), traits: make(map[string]bool)}
	if s.absent {
		c.address = "127.0.0.1:1" // a port that needs rights to listen on
		return c, nil
	}
	if s.silent {
		var err error
		if c.silence, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
		c.address = c.silence.Addr().String() // the kernel takes connections in the program's stead
		return c, nil
	}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(1)}
	for name, partitions := range s.topics {
		options = append(options, kfake.SeedTopics(partitions, name))
	}
	if s.auto {
		options = append(options, kfake.AllowAutoTopicCreation())
	}
	var err error
	if c.kafka, err = kfake.NewCluster(options...); err != nil {
		return nil, err
	}
	c.address = c.kafka.ListenAddrs()[0]
	c.kafka.ControlKey(int16(kmsg.Produce), c.produce)
	if s.metadata != nil {
		c.kafka.ControlKey(int16(kmsg.Metadata), c.metadata)
	}
	return c, nil
}

func (c *cluster) close() {
	if c.kafka != nil {
		c.kafka.Close()
	}
	if c.silence != nil {
		c.silence.Close()
	}
}

// do performs what a step asks for.
func (c *cluster) do(what string) error {
	act, ok := c.script.asks[what]
	if !ok {
		return fmt.Errorf("the script has no %q", what)
	}
	return act(c)
}

// produce notes what a request is like, and answers it if the script says so.
func (c *cluster) produce(request kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's signature
	c.kafka.KeepControl()
	req := request.(*kmsg.ProduceRequest)
	names := make([]string, len(req.Topics))
	for i, t := range req.Topics {
		names[i] = t.Topic
		if info := c.kafka.TopicIDInfo(t.TopicID); t.Topic == "" && info != nil {
			names[i] = info.Topic
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var verdicts []verdict
	scripted := false
	for _, name := range names {
		c.requests[name]++
		v := verdict{}
		if c.script.produce != nil {
			v = c.script.produce(name, c.requests[name])
		}
		scripted = scripted || v.code != 0 || v.hang || v.cut
		verdicts = append(verdicts, v)
	}
	for _, v := range verdicts {
		switch {
		case v.cut:
			return nil, errCut, true
		case v.hang:
			return nil, nil, true
		case scripted && v.code == 0:
			c.broken = append(c.broken, fmt.Errorf("a request for %q holds what the script takes and what it does not", names))
		}
	}
	c.note(req) // not of those without an answer: whether they came before the end is chance
	if !scripted {
		return nil, nil, false
	}
	return refuse(req, verdicts), nil, true
}

func refuse(req *kmsg.ProduceRequest, verdicts []verdict) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for i, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode, rp.BaseOffset = p.Partition, verdicts[i].code, -1
			for _, bad := range verdicts[i].bad {
				r := kmsg.NewProduceResponseTopicPartitionErrorRecord()
				r.RelativeOffset = bad
				rp.ErrorRecords = append(rp.ErrorRecords, r)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// codecs are the names of the lowest three bits of a batch's attributes.
var codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// note keeps what all requests of a run have in common. The caller holds c.mu.
func (c *cluster) note(req *kmsg.ProduceRequest) {
	c.traits[fmt.Sprintf("acks %d", req.Acks)] = true
	if req.TransactionID != nil {
		c.traits["transactional"] = true
	}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			if len(p.Records) == 0 {
				continue // franz-go leaves a batch out that failed while its request was built
			}
			batch := kmsg.NewRecordBatch()
			if err := batch.ReadFrom(p.Records); err != nil {
				c.broken = append(c.broken, fmt.Errorf("a batch of %d bytes for %q/%d that cannot be read: %w", len(p.Records), t.Topic, p.Partition, err))
				continue
			}
			if codec := int(batch.Attributes & 7); codec < len(codecs) {
				c.traits["codec "+codecs[codec]] = true
			}
			if batch.ProducerID >= 0 {
				c.traits["idempotent"] = true
			}
		}
	}
}

// metadata answers for topics that the script has a code for.
func (c *cluster) metadata(request kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's signature
	c.kafka.KeepControl()
	req := request.(*kmsg.MetadataRequest)
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	usual := 0
	for _, t := range req.Topics {
		name := ""
		if t.Topic != nil {
			name = *t.Topic
		}
		code, ok := c.script.metadata(name)
		if !ok {
			usual++
			continue
		}
		rt := kmsg.NewMetadataResponseTopic()
		rt.Topic, rt.ErrorCode = kmsg.StringPtr(name), code
		resp.Topics = append(resp.Topics, rt)
	}
	if len(resp.Topics) == 0 {
		return nil, nil, false
	}
	if usual > 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.broken = append(c.broken, errors.New("a metadata request asks for a topic of the script and for another"))
	}
	host, port, _ := net.SplitHostPort(c.address)
	b := kmsg.NewMetadataResponseBroker()
	b.Host = host
	if _, err := fmt.Sscan(port, &b.Port); err != nil {
		return nil, err, true
	}
	resp.Brokers = append(resp.Brokers, b)
	return resp, nil, true
}

// wire is what all requests of the run had in common, as text.
func (c *cluster) wire() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(c.traits)), ", ")
}

// asked returns how many requests there were for each topic, by name.
func (c *cluster) asked() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.requests)
}

func (c *cluster) faults() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.broken...)
}

// records reads all that the broker holds.
func (c *cluster) records(ctx context.Context) ([]*kgo.Record, error) {
	if c.kafka == nil {
		return nil, nil
	}
	starts := make(map[string]map[int32]kgo.Offset)
	var want int64
	for topic := range c.asked() {
		for _, p := range c.kafka.PartitionInfos(topic) {
			if p.HighWatermark == 0 {
				continue
			}
			if starts[topic] == nil {
				starts[topic] = make(map[int32]kgo.Offset)
			}
			starts[topic][p.Partition] = kgo.NewOffset().AtStart()
			want += p.HighWatermark
		}
	}
	if want == 0 {
		return nil, nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.address), kgo.ConsumePartitions(starts),
		kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var records []*kgo.Record
	for int64(len(records)) < want {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			return nil, fmt.Errorf("%d of %d records: %w", len(records), want, err)
		}
		records = append(records, fetched.Records()...)
	}
	return records, nil
}

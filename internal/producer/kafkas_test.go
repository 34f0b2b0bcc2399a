package producer

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/realkafka"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// kafkas are three real brokers under load.
type kafkas struct {
	t       *testing.T
	brokers []*realkafka.Broker
	client  *kgo.Client
	admin   *kadm.Client // asks any broker, so one that hangs may hold it for 10 s
}

func threeKafkas(t *testing.T, options realkafka.Options) *kafkas {
	if os.Getenv("KAFKA_E2E") == "" {
		t.Skip("set KAFKA_E2E=1 for tests on a real Apache Kafka")
	}
	brokers, err := realkafka.StartCluster(t.Context(), 3, options)
	realkafka.Require(t, err)
	k := &kafkas{t: t, brokers: brokers}
	t.Cleanup(func() {
		for _, b := range brokers {
			b.Close()
		}
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers[0].Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	k.client, k.admin = client, kadm.NewClient(client)
	return k
}

func (k *kafkas) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// lead lets node lead every partition of topic, with the replicas that are given.
func (k *kafkas) lead(topic string, partitions int, nodes ...int32) {
	k.t.Helper()
	var req kadm.AlterPartitionAssignmentsReq
	for p := range partitions {
		req.Assign(topic, int32(p), nodes)
	}
	_, err := k.admin.AlterPartitionAssignments(k.t.Context(), req)
	k.must(err)
	k.within(20*time.Second, "the replicas of "+topic+" move", func() bool {
		list, err := k.admin.ListPartitionReassignments(k.t.Context(), nil)
		return err == nil && len(list) == 0
	})
	_, err = k.admin.ElectLeaders(k.t.Context(), kadm.ElectPreferredReplica, nil)
	k.must(err)
	k.within(20*time.Second, fmt.Sprintf("node %d leads %s", nodes[0], topic), func() bool {
		topics, err := k.admin.ListTopics(k.t.Context(), topic)
		if err != nil {
			return false
		}
		led := 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			if p.Leader == nodes[0] {
				led++
			}
		})
		return led == partitions
	})
}

func (k *kafkas) within(limit time.Duration, what string, done func() bool) {
	k.t.Helper()
	deadline := time.Now().Add(limit)
	for !done() {
		if time.Now().After(deadline) {
			k.t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// A stream is records with ids, from a thread for each key.
type stream struct {
	k     *kafkas
	p     *Producer
	topic string
	next  [keys]atomic.Int64
	stop  atomic.Bool
	ended sync.WaitGroup
}

const keys = 4

func (k *kafkas) start(topic string, properties ...string) *stream {
	k.t.Helper()
	set := settings(k.t, append([]string{"bootstrap.servers=" + k.brokers[0].Addr() + "," + k.brokers[1].Addr() + "," + k.brokers[2].Addr()}, properties...)...)
	p, err := New("kafka1", set, Deps{Log: new(logged).logger()})
	k.must(err)
	l := &stream{k: k, p: p, topic: topic}
	for key := range keys {
		l.ended.Go(func() {
			var id, name [8]byte
			binary.BigEndian.PutUint64(name[:], uint64(key))
			for !l.stop.Load() {
				binary.BigEndian.PutUint64(id[:], uint64(l.next[key].Load()))
				code := p.Offer(&record.Record{Topic: topic, Partition: -1, Key: name[:], Value: id[:]})
				if code == resperr.NoError {
					l.next[key].Add(1)
				}
				time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
			}
		})
	}
	return l
}

// end stops the load, waits for the rest, and holds what is in the topic against what was offered.
func (l *stream) end(ordered bool) {
	t := l.k.t
	t.Helper()
	l.stop.Store(true)
	l.ended.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	lost := l.p.Stop(ctx)
	s := l.p.Snapshot()
	if lost != 0 || s.Failed != 0 {
		t.Errorf("%d lost, %d failed: %+v", lost, s.Failed, s.Failures)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(l.k.brokers[0].Addr()), kgo.ConsumeTopics(l.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	l.k.must(err)
	defer client.Close()
	ends, err := l.k.admin.ListEndOffsets(t.Context(), l.topic)
	l.k.must(err)
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	var seen [keys]map[int64]bool
	var last [keys]int64
	twice, disorder := 0, 0
	for key := range keys {
		seen[key], last[key] = map[int64]bool{}, -1
	}
	for left > 0 && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			left--
			key, id := binary.BigEndian.Uint64(r.Key), int64(binary.BigEndian.Uint64(r.Value))
			switch {
			case seen[key][id]:
				twice++
			case id < last[key]:
				disorder++
			default:
				last[key] = id
			}
			seen[key][id] = true
		})
	}
	missing, all := int64(0), int64(0)
	for key := range keys {
		all += l.next[key].Load()
		missing += l.next[key].Load() - int64(len(seen[key]))
	}
	t.Logf("%d records, %d missing, %d twice, %d out of order", all, missing, twice, disorder)
	if missing != 0 || ordered && disorder+twice != 0 {
		t.Errorf("%d of %d are missing, %d are there twice, %d out of order", missing, all, twice, disorder)
	}
}

// offers waits until the load has offered n records more.
func (l *stream) offers(n int64) {
	l.k.t.Helper()
	want := l.p.Snapshot().In + n
	l.k.within(10*time.Second, fmt.Sprintf("%d more records are offered", n), func() bool { return l.p.Snapshot().In >= want })
}

// delivered waits until what is queued now is delivered, and says how long it took.
func (l *stream) delivered(what string, limit time.Duration) {
	l.k.t.Helper()
	start := time.Now()
	want := l.p.Snapshot().In
	l.k.within(limit, what+": everything is delivered", func() bool { s := l.p.Snapshot(); return s.Delivered+s.Failed >= want })
	l.k.t.Logf("%s: caught up after %v", what, time.Since(start).Round(100*time.Millisecond))
}

func TestThreeKafkas(t *testing.T) {
	k := threeKafkas(t, realkafka.Options{})
	for _, idempotence := range []string{"false", "true"} {
		t.Run("enable.idempotence="+idempotence, func(t *testing.T) {
			k.t = t
			ordered := idempotence == "true"
			topic := "mail-" + idempotence
			_, err := k.admin.CreateTopic(t.Context(), 4, 3, nil, topic)
			k.must(err)
			k.lead(topic, 4, 2, 3, 1)
			l := k.start(topic, "enable.idempotence="+idempotence, "message.timeout.ms=60000", "socket.timeout.ms=10000")
			l.delivered("at first", 10*time.Second)

			k.must(k.brokers[1].Kill())
			l.offers(100)
			l.delivered("after the leader was killed", 15*time.Second)
			k.must(k.brokers[1].Start(t.Context()))

			k.lead(topic, 4, 3, 2, 1)
			l.delivered("after the leaders have moved", 5*time.Second)

			k.must(k.brokers[2].Pause())
			l.offers(100)
			l.delivered("while the leader hangs", 30*time.Second)
			k.must(k.brokers[2].Resume())

			for _, b := range k.brokers[1:] {
				k.must(b.Restart(t.Context()))
				l.delivered("after a restart", 20*time.Second)
			}
			l.end(ordered)
		})
	}
	t.Run("a topic grows, and is recreated with fewer partitions", func(t *testing.T) {
		k.t = t
		_, err := k.admin.CreateTopic(t.Context(), 4, 3, nil, "grows")
		k.must(err)
		l := k.start("grows", "topic.metadata.refresh.interval.ms=1000")
		l.delivered("at first", 10*time.Second)
		_, err = k.admin.UpdatePartitions(t.Context(), 8, "grows")
		k.must(err)
		k.within(20*time.Second, "the new partitions have records", func() bool {
			ends, err := k.admin.ListEndOffsets(t.Context(), "grows")
			used := 0
			ends.Each(func(o kadm.ListedOffset) {
				if o.Partition >= 4 && o.Offset > 0 {
					used++
				}
			})
			return err == nil && used > 0
		})
		l.delivered("after it has grown", 10*time.Second)
		_, err = k.admin.DeleteTopic(t.Context(), "grows")
		k.must(err)
		l.offers(100)
		k.within(20*time.Second, "the topic is there again", func() bool {
			_, err := k.admin.CreateTopic(t.Context(), 1, 3, nil, "grows")
			return err == nil // while it is being deleted, the brokers refuse its name
		})
		l.delivered("after it was recreated", 20*time.Second)
		l.stop.Store(true)
		l.ended.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if lost := l.p.Stop(ctx); lost != 0 {
			t.Errorf("%d lost", lost)
		}
		if s := l.p.Snapshot(); s.Failed != 0 {
			t.Errorf("%d failed: %+v", s.Failed, s.Failures)
		}
	})
}

// The leader has written messages, the replicas do not have them, and it has forgotten their producer: nobody can read them, and it would take them again. A queue
// that delivers once waits for the replicas.
func TestThreeKafkasWhoseReplicasStayBehind(t *testing.T) {
	k := threeKafkas(t, realkafka.Options{Properties: map[string]string{
		"producer.id.expiration.ms": "5000", "producer.id.expiration.check.interval.ms": "1000", "replica.lag.time.max.ms": "120000", "broker.session.timeout.ms": "120000",
	}})
	_, err := k.admin.CreateTopic(t.Context(), 1, 3, nil, "mail")
	k.must(err)
	k.lead("mail", 1, 1, 2, 3)
	dir := t.TempDir()
	open := func() (*Producer, *logged) {
		log := new(logged)
		p, err := New("kafka1", settings(t, "bootstrap.servers="+k.brokers[0].Addr(), "enable.idempotence=true", "socket.timeout.ms=2000", "request.timeout.ms=1000"),
			Deps{Log: log.logger(), Spool: &queueconf.Spool{Path: dir, MaxBytes: 1 << 24, SegmentBytes: 1 << 20}})
		k.must(err)
		return p, log
	}
	active := func() []kmsg.DescribeProducersResponseTopicPartitionActiveProducer {
		req := kmsg.NewPtrDescribeProducersRequest()
		req.Topics = []kmsg.DescribeProducersRequestTopic{{Topic: "mail", Partitions: []int32{0}}}
		answer, err := k.client.Broker(1).Request(t.Context(), req)
		k.must(err)
		partition := answer.(*kmsg.DescribeProducersResponse).Topics[0].Partitions[0]
		k.must(kerr.ErrorForCode(partition.ErrorCode))
		return partition.ActiveProducers
	}
	p, _ := open()
	store(t, p, "mail", 0, 10)
	k.within(10*time.Second, "the first are delivered", func() bool { return p.Spool().Pending == 0 })
	k.must(k.brokers[1].Pause())
	k.must(k.brokers[2].Pause())
	store(t, p, "mail", 10, 100)
	k.within(20*time.Second, "the leader has written some of them", func() bool {
		return slices.ContainsFunc(active(), func(a kmsg.DescribeProducersResponseTopicPartitionActiveProducer) bool { return a.LastSequence > 9 })
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	p.Stop(ctx)
	k.within(20*time.Second, "the leader forgets the producer", func() bool { return len(active()) == 0 })
	p, log := open()
	k.within(20*time.Second, "the queue asks the leader again and again, and sends nothing", func() bool {
		looks, err := ask(t.Context(), p, func() int {
			p.mu.Lock()
			defer p.mu.Unlock()
			if t := p.topics["mail"]; t != nil && len(t.send.partitions) > 0 { // the reader of the spool may not have come to it yet
				return t.send.partitions[0].looks
			}
			return 0
		})
		k.must(err)
		return looks >= 3
	})
	k.must(k.brokers[1].Resume())
	k.must(k.brokers[2].Resume())
	k.within(time.Minute, "all are delivered", func() bool { return p.Spool().Pending == 0 })
	stop(t, p, time.Minute)
	ends, err := k.admin.ListEndOffsets(t.Context(), "mail")
	k.must(err)
	if end, _ := ends.Lookup("mail", 0); end.Offset != 110 || p.Spool().Doubted != 0 {
		t.Errorf("%d messages are on the topic, want 110; %d were called possibly duplicated\n%s", end.Offset, p.Spool().Doubted, log)
	}
}

package client

import (
	"errors"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/halon-extras/kafka/internal/recordbatch"
)

// numbered returns the bytes of a batch of n records of a producer.
func numbered(producer int64, epoch int16, first, n int32) func([]byte, int16) ([]byte, [][]byte) {
	return func(dst []byte, _ int16) ([]byte, [][]byte) {
		at := len(dst)
		dst = recordbatch.Begin(dst)
		for i := range n {
			dst = recordbatch.AppendRecord(dst, i, 0, nil, make([]byte, 100), nil)
		}
		return recordbatch.Finish(dst, at, recordbatch.Head{FirstTimestamp: 1, MaxTimestamp: 1, Count: n, ProducerID: producer, Epoch: epoch, Sequence: first}, nil), nil
	}
}

// raw is what the functions write.
func raw(write ...func([]byte, int16) ([]byte, [][]byte)) (b []byte) {
	for _, w := range write {
		b, _ = w(b, 9)
	}
	return b
}

// What kmsg writes in each version is read as kmsg means it.
func TestAnswersOfALookAreReadAsKmsgWritesThem(t *testing.T) {
	d := &Doubt{Place: Place{"mail", [16]byte{7}, 1}, Producer: 40, Epoch: 2}
	tags := kmsg.Tags{}
	tags.Set(77, []byte("of a later Kafka"))
	each(describeKey, func(v int16) {
		r := kmsg.NewPtrDescribeProducersResponse()
		r.Version, r.ThrottleMillis, r.UnknownTags = v, 9, tags
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic, rt.UnknownTags = "mail", tags
		for p := range int32(2) {
			rp := kmsg.NewDescribeProducersResponseTopicPartition()
			rp.Partition, rp.UnknownTags = p, tags
			for id := range int64(3) {
				a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
				a.ProducerID, a.ProducerEpoch, a.LastSequence, a.UnknownTags = 39+id, 5-p, 10*p, tags
				rp.ActiveProducers = append(rp.ActiveProducers, a)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		r.Topics = append(r.Topics, rt)
		p, throttle, err := d.readDescribe(at(r.AppendTo(nil), describeKey, v), v)
		if err != nil || throttle != 9 || p != (producerState{true, 4, 10}) {
			t.Errorf("version %d: %v, %+v, throttle %d", v, err, p, throttle)
		}
		r.Topics[0].Partitions[1].ErrorCode = 29
		if _, _, err := d.readDescribe(at(r.AppendTo(nil), describeKey, v), v); !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("version %d: %v", v, err)
		}
	})
	each(listKey, func(v int16) {
		r := kmsg.NewPtrListOffsetsResponse()
		r.Version, r.ThrottleMillis, r.UnknownTags = v, 9, tags
		rt, rp := kmsg.NewListOffsetsResponseTopic(), kmsg.NewListOffsetsResponseTopicPartition()
		rp.Partition, rp.Offset, rt.Topic, rp.UnknownTags, rt.UnknownTags = 1, 77, "mail", tags, tags
		rt.Partitions = append(rt.Partitions, rp)
		r.Topics = append(r.Topics, rt)
		offset, _, err := d.readOffset(at(r.AppendTo(nil), listKey, v), v)
		if err != nil || offset != 77 {
			t.Errorf("version %d: %v, %d", v, err, offset)
		}
		r.Topics[0].Topic = "spam"
		if _, _, err := d.readOffset(at(r.AppendTo(nil), listKey, v), v); err == nil {
			t.Errorf("version %d: an answer about another topic is taken", v)
		}
	})
	each(fetchKey, func(v int16) {
		r := kmsg.NewPtrFetchResponse()
		r.Version, r.ThrottleMillis, r.UnknownTags = v, 9, tags
		rt, rp := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
		rp.Partition, rp.RecordBatches, rt.Topic, rt.TopicID, rp.UnknownTags, rt.UnknownTags = 1, []byte("batches"), "mail", d.ID, tags, tags
		rp.AbortedTransactions = append(rp.AbortedTransactions, kmsg.NewFetchResponseTopicPartitionAbortedTransaction())
		rt.Partitions = append(rt.Partitions, rp)
		r.Topics = append(r.Topics, rt)
		batches, throttle, err := d.readFetch(at(r.AppendTo(nil), fetchKey, v), v)
		if err != nil || throttle != 9 || string(batches) != "batches" {
			t.Errorf("version %d: %v, %q, throttle %d", v, err, batches, throttle)
		}
		r.Topics[0].Partitions[0].ErrorCode = 1
		if _, _, err := d.readFetch(at(r.AppendTo(nil), fetchKey, v), v); !errors.Is(err, kerr.OffsetOutOfRange) {
			t.Errorf("version %d: %v", v, err)
		}
	})
}

func TestALeaderTellsWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		b := newBench(t, f.dial, "bootstrap.servers=127.0.0.1:9092")
		m := b.ask("mail")
		id, leader := m.Topics[0].ID, m.Topics[0].Partitions[1].Leader
		b.up(leader)
		b.c.AskProducerID()
		ours := b.next(ProducerID).ID
		f.remembers(ours, 0, 8004)
		var first int32
		for _, n := range []int32{3, 4000, 4000, 2} { // some fetches are of one batch
			for _, w := range []func([]byte, int16) ([]byte, [][]byte){numbered(ours, 0, first, n), batch("of another")} {
				r, err := b.send(leader, &Produce{Acks: -1, Timeout: time.Second, Batches: []Batch{{Topic: "mail", TopicID: id, Partition: 1, Append: w}}})
				if err != nil || r.Batches[0].Answer.Code != 0 {
					t.Fatalf("%v, %+v", err, r.Batches[0].Answer)
				}
			}
			first += n
		}
		place := Place{"mail", id, 1}
		all := []Seen{{0, 3, 0}, {3, 4000, 4}, {4003, 4000, 4005}, {8003, 2, 8006}}
		for _, test := range []struct {
			sentence string
			doubt    Doubt
			want     Sighting
		}{
			{"all of it", Doubt{place, ours, 0, 0, 8004, -1, -1}, Sighting{true, true, 0, 8004, true, 0, 8009, false, all}},
			{"no further than what is in doubt", Doubt{place, ours, 0, 0, 2, 0, -1}, Sighting{true, true, 0, 8004, true, 0, 8009, false, all[:2]}},
			{"from an offset on", Doubt{place, ours, 0, 3, 8004, 4, -1}, Sighting{true, true, 0, 8004, true, 0, 8009, false, all[1:]}},
			{"what comes next is not there, and the log is not read for it", Doubt{place, ours, 0, 8005, 8010, 8009, -1}, Sighting{Asked: true, Known: true, Last: 8004}},
			{"a later epoch is not there", Doubt{place, ours, 1, 0, 2, 0, -1}, Sighting{Asked: true, Known: true, Last: 8004}},
			{"an unknown producer", Doubt{place, ours + 1, 0, 0, 2, 8000, -1}, Sighting{Asked: true, Scanned: true, End: 8009}},
		} {
			got, err := b.look(leader, test.doubt)
			if len(got.Seen) > len(test.want.Seen) && len(test.want.Seen) == 2 {
				got.Seen = got.Seen[:2] // of one fetch
			}
			if err != nil || !reflect.DeepEqual(*got, test.want) {
				t.Errorf("%s: %v, %+v, want %+v", test.sentence, err, *got, test.want)
			}
		}
		ends := make(chan int64, 1)
		b.c.AskEnd(leader, place, func(end int64, err error) { ends <- end })
		if end := <-ends; end != 8009 {
			t.Errorf("the log ends at %d", end)
		}
		other := (leader + 1) % 3
		b.up(other)
		if s, err := b.look(other, Doubt{place, ours + 1, 0, 0, 2, 0, -1}); !errors.Is(err, kerr.NotLeaderForPartition) {
			t.Errorf("a broker that does not lead says %v, %v", s, err)
		}
		if s, err := b.look(other, Doubt{place, ours, 0, 8005, 8010, 8009, -1}); !errors.Is(err, kerr.NotLeaderForPartition) {
			t.Errorf("a broker that does not lead, and remembers less than the leader may, says %v, %v", s, err)
		}
		if s, err := b.look(leader, Doubt{place, ours, 0, 8005, 8010, 8009, 7}); !errors.Is(err, kerr.UnknownLeaderEpoch) {
			t.Errorf("a leader that does not know of the epoch says %v, %v", s, err)
		}
		if _, err := b.look(99, Doubt{Place: place}); !errors.Is(err, ErrUnknownBroker) {
			t.Errorf("a broker that is not there: %v", err)
		}
	})
}

// remembers lets brokers that are asked remember a producer: the fake tells of transactions only. As in Apache Kafka, one that does not lead answers, too.
func (f *fleet) remembers(id int64, epoch, last int32) {
	f.fake.ControlKey(describeKey, func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.fake.KeepControl()
		q := req.(*kmsg.DescribeProducersRequest)
		r := q.ResponseKind().(*kmsg.DescribeProducersResponse)
		rt, rp, ra := kmsg.NewDescribeProducersResponseTopic(), kmsg.NewDescribeProducersResponseTopicPartition(), kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		ra.ProducerID, ra.ProducerEpoch, ra.LastSequence = id, epoch, last
		rp.Partition, rp.ActiveProducers = q.Topics[0].Partitions[0], append(rp.ActiveProducers, ra)
		rt.Topic, rt.Partitions = q.Topics[0].Topic, append(rt.Partitions, rp)
		r.Topics = append(r.Topics, rt)
		return r, nil, true
	})
}

func (b *bench) look(broker int32, d Doubt) (*Sighting, error) {
	type result struct {
		s   *Sighting
		err error
	}
	done := make(chan result, 1)
	b.c.Find(broker, d, func(s *Sighting, err error) { done <- result{s, err} })
	r := <-done
	if r.s == nil {
		r.s = &Sighting{}
	}
	return r.s, r.err
}

func TestBrokersThatCannotTellAreReadAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, kfake.MaxVersions(kversion.V2_0_0()))
		b := newBench(t, f.dial, "bootstrap.servers=127.0.0.1:9092")
		m := b.ask("mail")
		leader := m.Topics[0].Partitions[0].Leader
		b.up(leader)
		b.c.AskProducerID()
		ours := b.next(ProducerID).ID
		if _, err := b.send(leader, &Produce{Acks: -1, Timeout: time.Second, Batches: []Batch{{Topic: "mail", Append: numbered(ours, 0, 0, 3)}}}); err != nil {
			t.Fatal(err)
		}
		got, err := b.look(leader, Doubt{Place{"mail", [16]byte{}, 0}, ours, 0, 0, 2, 0, -1})
		if want := (Sighting{Scanned: true, End: 3, Seen: []Seen{{0, 3, 0}}}); err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%v, %+v, want %+v", err, *got, want)
		}
	})
}

// A batch that the leader has and the replicas in sync do not have yet cannot be read: a look waits for them, and says so when they do not come.
func TestALookWaitsForTheReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		b := newBench(t, f.dial, "bootstrap.servers=127.0.0.1:9092")
		m := b.ask("mail")
		leader := m.Topics[0].Partitions[1].Leader
		b.up(leader)
		var asked atomic.Int32
		behind := int32(7)       // so often
		var refusal atomic.Int32 // of the question for what the leader has
		f.fake.ControlKey(listKey, func(req kmsg.Request) (kmsg.Response, error, bool) {
			f.fake.KeepControl()
			q := req.(*kmsg.ListOffsetsRequest)
			r := q.ResponseKind().(*kmsg.ListOffsetsResponse)
			rt, rp := kmsg.NewListOffsetsResponseTopic(), kmsg.NewListOffsetsResponseTopicPartition()
			rp.Partition, rp.Offset = 1, 0
			switch {
			case q.Topics[0].Partitions[0].Timestamp == earliestOffset:
			case q.ReplicaID == debugging:
				rp.Offset, rp.ErrorCode = 3, int16(refusal.Load())
			case asked.Add(1) > behind:
				rp.Offset = 3
			}
			rt.Topic, rt.Partitions = "mail", append(rt.Partitions, rp)
			r.Topics = append(r.Topics, rt)
			return r, nil, true
		})
		start := time.Now()
		d := Doubt{Place{"mail", m.Topics[0].ID, 1}, 40, 0, 0, 2, 3, -1}
		got, err := b.look(leader, d)
		if want := (Sighting{Asked: true, Scanned: true, End: 3}); err != nil || !reflect.DeepEqual(*got, want) || time.Since(start) < 7*replicaEvery {
			t.Errorf("%v, %+v, want %+v, after %v", err, *got, want, time.Since(start))
		}
		behind = 1 << 30
		if _, err := b.look(leader, d); !errors.Is(err, ErrNotReplicated) {
			t.Errorf("replicas that stay behind: %v", err)
		}
		behind = 0
		refusal.Store(int32(kerr.NotLeaderForPartition.Code))
		if _, err := b.look(leader, d); !errors.Is(err, kerr.NotLeaderForPartition) {
			t.Errorf("a broker that leads no longer: %v", err)
		}
		refusal.Store(int32(kerr.InvalidRequest.Code)) // it does not know the question
		if _, err := b.look(leader, d); err != nil {
			t.Errorf("a broker that does not know what its leader has: %v", err)
		}
	})
}

func TestGapsAreSeen(t *testing.T) {
	whole := raw(numbered(40, 0, 0, 5), numbered(40, 0, 5, 3))
	second := len(raw(numbered(40, 0, 0, 5)))
	for _, test := range []struct {
		sentence string
		offset   byte // of the second batch, the first is at 10
		count    byte // of its records
		at       int64
		want     bool
	}{
		{"nothing is missing", 15, 3, 10, false},
		{"it is asked for from the middle of a batch on", 15, 3, 12, false},
		{"a batch is missing between them", 16, 3, 10, true},
		{"the first is missing", 15, 3, 9, true},
		{"a record of a batch is missing", 15, 2, 10, true},
		{"all records of a batch are missing", 15, 0, 10, true},
	} {
		b := slices.Clone(whole)
		b[7], b[second+7], b[second+60] = 10, test.offset, test.count
		d, s := Doubt{Producer: 40}, Sighting{}
		d.heads(b, test.at, &s)
		if s.Gaps != test.want || len(s.Seen) != 2 {
			t.Errorf("%s: %v, %v", test.sentence, s.Gaps, s.Seen)
		}
	}
}

// What is read of a log may be cut anywhere, or be no batches at all.
func FuzzHeads(f *testing.F) {
	whole := raw(numbered(40, 0, 0, 5), numbered(40, 0, 5, 3))
	f.Add(whole)
	f.Add(whole[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		d, s := Doubt{Producer: 40}, Sighting{}
		if next := d.heads(b, 7, &s); next < 7 || len(s.Seen) > len(b)/61 {
			t.Errorf("next %d, seen %v", next, s.Seen)
		}
	})
}

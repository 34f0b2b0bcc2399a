package producer

import (
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
)

// handle answers a request, or ends its connection.
func (k *simKafka) handle(req kmsg.Request) (kmsg.Response, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	resp := req.ResponseKind()
	if req.Key() != 18 {
		k.tell("%s", kmsg.NameForKey(req.Key()))
	}
	switch q := req.(type) {
	case *kmsg.ApiVersionsRequest:
		r := resp.(*kmsg.ApiVersionsResponse)
		for _, v := range [][3]int16{{0, 3, 13}, {1, 4, 13}, {2, 1, 6}, {3, 4, 12}, {18, 0, 3}, {22, 0, 4}, {61, 0, 0}} {
			r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: v[0], MinVersion: v[1], MaxVersion: v[2]})
		}
	case *kmsg.MetadataRequest:
		k.metadata(q, resp.(*kmsg.MetadataResponse))
	case *kmsg.InitProducerIDRequest:
		r := resp.(*kmsg.InitProducerIDResponse)
		k.nextID++
		r.ProducerID = k.nextID
	case *kmsg.DescribeProducersRequest:
		if k.chanceLocked(8) {
			k.happenedLocked("look cut")
			return nil, true
		}
		r := resp.(*kmsg.DescribeProducersResponse)
		n := q.Topics[0].Partitions[0]
		rp := kmsg.NewDescribeProducersResponseTopicPartition()
		rp.Partition = n
		if k.unreadable {
			rp.ErrorCode = 29
		}
		for id, s := range k.parts[n].states {
			a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
			newest := s.last[len(s.last)-1]
			a.ProducerID, a.ProducerEpoch, a.LastSequence = id, int32(s.epoch), plan.Sequence(newest.first, int32(len(newest.values))-1)
			rp.ActiveProducers = append(rp.ActiveProducers, a)
		}
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic, rt.Partitions = q.Topics[0].Topic, append(rt.Partitions, rp)
		r.Topics = append(r.Topics, rt)
	case *kmsg.ListOffsetsRequest:
		r := resp.(*kmsg.ListOffsetsResponse)
		in := q.Topics[0].Partitions[0]
		rp := kmsg.NewListOffsetsResponseTopicPartition()
		rp.Partition = in.Partition
		p := &k.parts[in.Partition]
		switch high := p.replicated(); {
		case in.Timestamp != -1:
			rp.Offset = k.start
		case q.ReplicaID == -2:
			rp.Offset = p.end
		case high < p.lead:
			rp.ErrorCode = 78
		default:
			rp.Offset = high
		}
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic, rt.Partitions = q.Topics[0].Topic, append(rt.Partitions, rp)
		r.Topics = append(r.Topics, rt)
	case *kmsg.FetchRequest:
		k.fetch(q, resp.(*kmsg.FetchResponse))
	case *kmsg.ProduceRequest:
		return k.produce(q, resp.(*kmsg.ProduceResponse))
	}
	return resp, false
}

func (k *simKafka) metadata(q *kmsg.MetadataRequest, r *kmsg.MetadataResponse) {
	b := kmsg.NewMetadataResponseBroker()
	b.Host, b.Port = "sim", 9092
	r.Brokers = append(r.Brokers, b)
	for _, t := range q.Topics {
		rt := kmsg.NewMetadataResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, [16]byte{k.topicID}
		for i := range k.parts {
			rp := kmsg.NewMetadataResponseTopicPartition()
			rp.Partition, rp.LeaderEpoch = int32(i), 0
			rt.Partitions = append(rt.Partitions, rp)
		}
		r.Topics = append(r.Topics, rt)
	}
}

func (k *simKafka) fetch(q *kmsg.FetchRequest, r *kmsg.FetchResponse) {
	in := q.Topics[0].Partitions[0]
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.Partition = in.Partition
	n := 0
	p := &k.parts[in.Partition]
	high := p.replicated()
	for _, b := range p.log {
		if b.offset+int64(len(b.values)) <= max(in.FetchOffset, k.start) || n >= 3 || b.offset >= high { // few at a time
			continue
		}
		n++
		at := len(rp.RecordBatches)
		rp.RecordBatches = recordbatch.Begin(rp.RecordBatches)
		for i, v := range b.values {
			rp.RecordBatches = recordbatch.AppendRecord(rp.RecordBatches, int32(i), 0, nil, []byte(v), nil)
		}
		rp.RecordBatches = recordbatch.Finish(rp.RecordBatches, at, recordbatch.Head{Count: int32(len(b.values)), ProducerID: b.producer, Epoch: b.epoch, Sequence: b.first}, nil)
		binary.BigEndian.PutUint64(rp.RecordBatches[at:], uint64(b.offset))
	}
	rt := kmsg.NewFetchResponseTopic()
	rt.Topic, rt.TopicID, rt.Partitions = q.Topics[0].Topic, q.Topics[0].TopicID, append(rt.Partitions, rp)
	r.Topics = append(r.Topics, rt)
}

// produce writes the batches of a request, or has a fault.
func (k *simKafka) produce(q *kmsg.ProduceRequest, r *kmsg.ProduceResponse) (kmsg.Response, bool) {
	write := func(faults bool) {
		if faults && k.chanceLocked(15) {
			k.happenedLocked("unreplicated")
			for i := range k.parts {
				k.parts[i].replicated()
				k.parts[i].behind = time.Now().Add(time.Duration(k.r.Int64N(int64(4 * time.Second))))
			}
		}
		for _, t := range q.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.LogAppendTime = p.Partition, -1
				code := int16(0)
				if faults && k.chanceLocked(15) {
					code = []int16{6, 7, 10, 19, 20, 56}[k.r.IntN(6)]
					k.happenedLocked("error")
					k.tell("  code %d", code)
				}
				switch {
				case code == 10 && binary.BigEndian.Uint32(p.Records[57:]) > 1, code == 19, (code == 6 || code == 56) && k.r.IntN(2) == 0: // nothing is written; 10 is for batches, which are halved
					rp.ErrorCode, rp.BaseOffset = code, -1
				default:
					rp.ErrorCode, rp.BaseOffset = k.write(p.Partition, p.Records)
					if part := &k.parts[p.Partition]; rp.ErrorCode == 0 && part.replicated() <= rp.BaseOffset && part.end > rp.BaseOffset {
						rp.ErrorCode = 7 // a repeat waits for the replicas too
					}
					if rp.ErrorCode == 0 && code != 0 && code != 10 {
						rp.ErrorCode, rp.BaseOffset = code, -1
					}
				}
				rt.Partitions = append(rt.Partitions, rp)
			}
			r.Topics = append(r.Topics, rt)
		}
	}
	next := ""
	if len(k.next) > 0 {
		next, k.next = k.next[0], k.next[1:]
	}
	switch {
	case next == "halve", next == "refuse": // nothing is written
		code := int16(10)
		if next == "refuse" {
			code = 19
			k.mu.Unlock()
			time.Sleep(5 * time.Millisecond) // the next ones are on their way meanwhile
			k.mu.Lock()
		}
		for _, t := range q.Topics {
			rt, rp := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
			rt.Topic, rt.TopicID, rp.Partition, rp.ErrorCode, rp.BaseOffset = t.Topic, t.TopicID, t.Partitions[0].Partition, code, -1
			rt.Partitions = append(rt.Partitions, rp)
			r.Topics = append(r.Topics, rt)
		}
		return r, false
	case k.mute:
		write(false)
		k.down = true
		return nil, true
	case k.chanceLocked(12) || next == "late":
		k.happenedLocked("late")
		k.late = append(k.late, func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			write(false)
		})
		return nil, true
	case k.chanceLocked(12):
		k.happenedLocked("swallowed")
		write(false)
		return nil, true
	case k.chanceLocked(20):
		k.happenedLocked("lost")
		return nil, true
	}
	write(true)
	return r, false
}

func (k *simKafka) write(n int32, raw []byte) (code int16, offset int64) {
	b := simBatch{offset: k.parts[n].end}
	h, err := recordbatch.Decode(raw, func(r *record.Record) { b.values = append(b.values, string(r.Value)) })
	if err != nil {
		return 2, -1
	}
	b.producer, b.epoch, b.first = h.ProducerID, h.Epoch, h.Sequence
	defer func() {
		k.tell("  produce [%d] epoch %d sequence %d %v: code %d, offset %d", n, b.epoch, b.first, b.values, code, offset)
	}()
	p := &k.parts[n]
	s := p.states[b.producer]
	switch {
	case s != nil && b.epoch < s.epoch:
		return 47, -1
	case s != nil && b.epoch > s.epoch && b.first != 0:
		return 45, -1
	case s != nil && b.epoch == s.epoch:
		for _, old := range s.last {
			if old.first == b.first && len(old.values) == len(b.values) {
				return 0, old.offset
			}
		}
		newest := s.last[len(s.last)-1]
		if b.first != plan.Sequence(newest.first, int32(len(newest.values))) {
			return 45, -1
		}
	}
	if s == nil || b.epoch > s.epoch {
		s = &simState{epoch: b.epoch}
		p.states[b.producer] = s
	}
	s.at = time.Now()
	s.remember(b)
	p.log = append(p.log, b)
	p.end += int64(len(b.values))
	return 0, b.offset
}

func (s *simState) remember(b simBatch) {
	if s.last = append(s.last, b); len(s.last) > 5 {
		s.last = s.last[1:]
	}
}

func (k *simKafka) note(what string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tell("%s", what)
}

// pause waits a moment of the bubble's time.
func (k *simKafka) pause(most time.Duration) {
	k.mu.Lock()
	d := time.Duration(k.r.Int64N(int64(most)))
	k.mu.Unlock()
	time.Sleep(d)
}

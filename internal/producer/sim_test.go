package producer

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
)

// A simKafka is one broker as Apache Kafka was measured to treat repeated batches: it remembers the last five batches of a producer on a partition, after a
// restart only the last one, and after a while none; without memory it takes any sequence. What it has written may be on no replica for a while: then nobody may
// read it, and another leader may lack it. It speaks the protocol over pipes, and its faults follow from a seed. Requests may reach it after their connection has
// ended.
type simKafka struct {
	mu      sync.Mutex
	r       *rand.Rand
	topicID byte
	parts   []simPart
	nextID  int64
	down    bool
	calm    bool // no faults from now on
	conns   map[net.Conn]bool
	late    []func() // received, and not handled yet; their connections have ended
	trouble map[string]int
	told    []string // what has happened, for the message of a failure; guarded by mu

	next       []string // what happens to the next produce requests, instead of chance
	mute       bool     // a produce request is handled, and not answered; nobody may connect after it
	unreadable bool     // nobody may read the topic
	start      int64    // where the logs begin
}

type simPart struct {
	log    []simBatch
	end    int64
	states map[int64]*simState

	high   int64     // what is before it was on every replica when they last kept up
	behind time.Time // until when they do not keep up
	lead   int64     // where the log ended when the leader began to lead
}

// replicated is the end of what every replica has.
func (p *simPart) replicated() int64 {
	if !time.Now().Before(p.behind) {
		p.high = p.end
	}
	return p.high
}

type simBatch struct {
	offset   int64
	producer int64
	epoch    int16
	first    int32
	values   []string
}

type simState struct {
	epoch int16
	last  []simBatch // five at most
	at    time.Time  // of the last one
}

func newSimKafka(r *rand.Rand, partitions int) *simKafka {
	k := &simKafka{r: r, topicID: 1, conns: map[net.Conn]bool{}, nextID: 1000, trouble: map[string]int{}}
	k.parts = make([]simPart, partitions)
	for i := range k.parts {
		k.parts[i].states = map[int64]*simState{}
	}
	return k
}

// happenedLocked notes a trouble.
func (k *simKafka) happenedLocked(what string) {
	k.trouble[what]++
	k.tell("%s", what)
}

func (k *simKafka) tell(format string, args ...any) {
	k.told = append(k.told, time.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

// chanceLocked is true once in n times, unless there is calm.
func (k *simKafka) chanceLocked(n int) bool { return !k.calm && k.r.IntN(n) == 0 }

func (k *simKafka) dial(_ context.Context, network, address string) (net.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	k.conns[far] = true
	go k.serve(far)
	return near, nil
}

// cut ends all connections.
func (k *simKafka) cut() {
	for c := range k.conns {
		c.Close()
		delete(k.conns, c)
	}
}

// set changes what the cluster does from now on.
func (k *simKafka) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

// setDown lets nobody connect, or everybody again.
func (k *simKafka) setDown(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down = down; down {
		k.cut()
	}
}

// restart loses what is under way, and all but the last batch of each producer; of records that are old it loses that too.
func (k *simKafka) restart(old bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.happenedLocked("restart")
	k.cut()
	k.late = nil
	for i := range k.parts {
		p := &k.parts[i]
		p.replicated()
		p.lead = p.end
		for id, s := range p.states {
			s.last = s.last[len(s.last)-1:]
			if old {
				delete(p.states, id)
			}
		}
	}
}

// move lets a replica lead that has what is replicated and perhaps some more. It has made its memory of the same log.
func (k *simKafka) move() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.happenedLocked("move")
	k.cut()
	k.late = nil
	for i := range k.parts {
		p := &k.parts[i]
		high := p.replicated()
		for n := len(p.log); n > 0 && p.log[n-1].offset >= high && k.r.IntN(2) == 0; n-- {
			k.happenedLocked("truncated")
			p.log, p.end = p.log[:n-1], p.log[n-1].offset
		}
		p.lead = p.end
		known := p.states
		p.states = map[int64]*simState{}
		for _, b := range p.log {
			if known[b.producer] == nil {
				continue // expired, also for the replica
			}
			s := p.states[b.producer]
			if s == nil || s.epoch != b.epoch {
				s = &simState{epoch: b.epoch, at: known[b.producer].at}
				p.states[b.producer] = s
			}
			s.remember(b)
		}
	}
}

// expire forgets every producer that has written nothing for idleAfter. What is on its way outside of the broker for longer than that is not part of this world.
func (k *simKafka) expire() {
	k.handleLate()
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.parts {
		for id, s := range k.parts[i].states {
			if time.Since(s.at) > idleAfter {
				delete(k.parts[i].states, id)
				k.happenedLocked("expiry")
			}
		}
	}
}

// handleLate handles requests whose sender is gone.
func (k *simKafka) handleLate() {
	k.mu.Lock()
	late := k.late
	k.late = nil
	k.mu.Unlock()
	for _, f := range late {
		f()
	}
}

func (k *simKafka) serve(conn net.Conn) {
	frames := make(chan []byte, 100)
	go func() { // the kernel takes bytes of whoever is gone
		defer close(frames)
		for {
			var head [4]byte
			if _, err := io.ReadFull(conn, head[:]); err != nil {
				return
			}
			frame := make([]byte, binary.BigEndian.Uint32(head[:]))
			if _, err := io.ReadFull(conn, frame); err != nil {
				return
			}
			frames <- frame
		}
	}()
	defer conn.Close()
	for frame := range frames {
		r := kbin.Reader{Src: frame}
		key, version, id := r.Int16(), r.Int16(), r.Int32()
		r.NullableString()
		req := kmsg.RequestForKey(key)
		req.SetVersion(version)
		if req.IsFlexible() {
			kmsg.SkipTags(&r)
		}
		if err := req.ReadFrom(r.Src); err != nil {
			panic(err)
		}
		answer, end := k.handle(req)
		if end {
			k.mu.Lock()
			delete(k.conns, conn)
			k.mu.Unlock()
			return
		}
		head := kbin.AppendInt32(nil, id)
		if req.IsFlexible() && key != 18 {
			head = append(head, 0)
		}
		body := answer.AppendTo(head)
		out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		if _, err := conn.Write(append(out, body...)); err != nil {
			return
		}
	}
}

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

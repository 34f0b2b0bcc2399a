package client

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func at(body []byte, key, version int16) *cursor {
	return &cursor{Reader: kbin.Reader{Src: body}, flexible: version >= speaks[key].flexible}
}

func each(key int16, f func(version int16)) {
	for v := speaks[key].min; v <= speaks[key].max; v++ {
		f(v)
	}
}

// What kmsg writes in each version is read as kmsg means it, with tags that nobody knows in every place.
func TestAnswersAreReadAsKmsgWritesThem(t *testing.T) {
	tags := kmsg.Tags{}
	tags.Set(77, []byte("of a later Kafka"))
	each(produceKey, func(v int16) {
		r := kmsg.NewPtrProduceResponse()
		r.Version, r.ThrottleMillis, r.UnknownTags = v, 9, tags
		req := &Produce{}
		for _, name := range []string{"mail", "spam"} {
			id := [16]byte{name[0]}
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID, rt.UnknownTags = name, id, tags
			for p := range int32(2) {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode, rp.BaseOffset, rp.LogAppendTime, rp.LogStartOffset = p, int16(p), 40+int64(p), 50, 60
				rp.UnknownTags = tags
				rp.ErrorMessage = kmsg.StringPtr("odd")
				e := kmsg.NewProduceResponseTopicPartitionErrorRecord()
				e.RelativeOffset, e.ErrorMessage, e.UnknownTags = 3, kmsg.StringPtr("too old"), tags
				rp.ErrorRecords = append(rp.ErrorRecords, e)
				rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch = 5, 6
				rt.Partitions = append(rt.Partitions, rp)
				req.Batches = append([]Batch{{Topic: name, TopicID: id, Partition: p}}, req.Batches...) // in another order
			}
			r.Topics = append(r.Topics, rt)
		}
		throttle, err := req.readAnswer(at(r.AppendTo(nil), produceKey, v), v)
		if err != nil || throttle != 9 {
			t.Errorf("version %d: %v, throttle %d", v, err, throttle)
			return
		}
		for _, b := range req.Batches {
			want := Answer{Code: int16(b.Partition), BaseOffset: 40 + int64(b.Partition), LogAppendTime: 50, Leader: -1, LeaderEpoch: -1}
			if v >= 8 {
				want.Message, want.Records = "odd", []RecordError{{3, "too old"}}
			}
			if v >= 9 { // kmsg writes the leader in all of them
				want.Leader, want.LeaderEpoch = 5, 6
			}
			if !reflect.DeepEqual(b.Answer, want) {
				t.Errorf("version %d: %+v, want %+v", v, b.Answer, want)
			}
		}
	})
	each(metadataKey, func(v int16) {
		r := honestMetadata(v)
		q := &question{topics: []string{"spam", "mail"}}
		m, throttle, err := q.read(at(r.AppendTo(nil), metadataKey, v), v)
		if err != nil || throttle != 9 {
			t.Errorf("version %d: %v, throttle %d", v, err, throttle)
			return
		}
		id, epoch := [16]byte{1}, int32(3)
		if v < 10 {
			id = [16]byte{}
		}
		if v < 7 {
			epoch = -1
		}
		parts := []Partition{{0, 1, epoch, 0, 1000, 1}, {1, 1, epoch, 0, 1, 1}}
		want := metadataAnswer{
			Metadata:  Metadata{ClusterID: "c", Controller: 1, Brokers: []int32{1}, Topics: []Topic{{"spam", id, 0, parts}, {"mail", id, 0, parts}}},
			addresses: map[int32]string{1: "one:9092"},
		}
		if !reflect.DeepEqual(m, want) {
			t.Errorf("version %d: %+v, want %+v", v, m, want)
		}
	})
	each(versionsKey, func(v int16) {
		r := kmsg.NewPtrApiVersionsResponse()
		r.Version, r.UnknownTags = v, tags
		for _, key := range []int16{0, 3, 60} {
			k := kmsg.NewApiVersionsResponseApiKey()
			k.ApiKey, k.MinVersion, k.MaxVersion, k.UnknownTags = key, 2, 8, tags
			r.ApiKeys = append(r.ApiKeys, k)
		}
		a, err := readVersions(at(r.AppendTo(nil), versionsKey, v), v)
		if err != nil || a.keys != 3 || !reflect.DeepEqual(a.has, map[int16]span{0: {2, 8}, 3: {2, 8}}) {
			t.Errorf("version %d: %+v, %v", v, a, err)
		}
	})
	each(producerIDKey, func(v int16) {
		r := kmsg.NewPtrInitProducerIDResponse()
		r.Version, r.ThrottleMillis, r.ErrorCode, r.ProducerID, r.ProducerEpoch, r.UnknownTags = v, 9, 0, 1<<40, 7, tags
		if a, throttle, err := readProducerID(at(r.AppendTo(nil), producerIDKey, v), v); err != nil || throttle != 9 || a != (idAnswer{0, 1 << 40, 7}) {
			t.Errorf("version %d: %+v, %d ms, %v", v, a, throttle, err)
		}
	})
	each(handshakeKey, func(v int16) {
		r := kmsg.NewPtrSASLHandshakeResponse()
		r.Version, r.ErrorCode, r.SupportedMechanisms = v, 33, []string{"PLAIN", "GSSAPI"}
		if a, err := readHandshake(at(r.AppendTo(nil), handshakeKey, v), v); err != nil || a.code != 33 || len(a.mechanisms) != 2 {
			t.Errorf("version %d: %+v, %v", v, a, err)
		}
	})
	each(loginKey, func(v int16) {
		r := kmsg.NewPtrSASLAuthenticateResponse()
		r.Version, r.ErrorCode, r.ErrorMessage, r.SASLAuthBytes, r.SessionLifetimeMillis, r.UnknownTags = v, 58, kmsg.StringPtr("no"), []byte("tok"), 99, tags
		a, err := readLogin(at(r.AppendTo(nil), loginKey, v), v)
		if err != nil || a.code != 58 || a.message != "no" || string(a.challenge) != "tok" || v > 0 && a.lifetimeMS != 99 {
			t.Errorf("version %d: %+v, %v", v, a, err)
		}
	})
}

func honestMetadata(v int16) *kmsg.MetadataResponse {
	tags := kmsg.Tags{}
	tags.Set(77, []byte("of a later Kafka"))
	r := kmsg.NewPtrMetadataResponse()
	r.Version, r.ThrottleMillis, r.ClusterID, r.ControllerID, r.UnknownTags = v, 9, kmsg.StringPtr("c"), 1, tags
	r.Brokers = broker1("one", 9092)
	r.Brokers[0].UnknownTags, r.Brokers[0].Rack = tags, kmsg.StringPtr("r")
	for _, name := range []string{"mail", "nobody asked", "spam"} {
		mt := mailTopic(name)
		mt.UnknownTags, mt.Partitions[0].UnknownTags = tags, tags
		mt.Partitions[0].Replicas = make([]int32, 1000)
		mt.Partitions[0], mt.Partitions[1] = mt.Partitions[1], mt.Partitions[0]
		r.Topics = append(r.Topics, mt)
	}
	return r
}

// What the client writes is what kmsg reads, in each version.
func TestRequestsAreWhatKmsgReads(t *testing.T) {
	large := make([]byte, 3<<20)
	for i := range large {
		large[i] = byte(i * i >> 8)
	}
	sizes := []int{1, 100, 127, 128, 20_000, 16_382, 2<<20 - 2, 2<<20 - 1, 3 << 20}
	each(produceKey, func(v int16) {
		r := &Produce{Acks: -1, Timeout: 1500_000_000}
		for i, size := range sizes {
			name := "mail"
			if i > 4 {
				name = "spam"
			}
			r.Batches = append(r.Batches, Batch{
				Topic: name, TopicID: [16]byte{name[0]}, Partition: int32(i),
				Append: func(dst []byte, version int16) ([]byte, [][]byte) {
					if version != v {
						t.Errorf("the batch gets version %d, want %d", version, v)
					}
					if i%2 == 0 {
						return append(dst, large[:size]...), nil
					}
					return dst, [][]byte{large[:size/3], large[size/3 : size]}
				},
			})
		}
		w, cuts := r.appendBody(appendHeader(nil, produceKey, v, 7, "me"), v, nil)
		raw, at := []byte(nil), 0
		for _, cut := range cuts {
			raw = append(append(raw, w[at:cut.at]...), bytes.Join(cut.pieces, nil)...)
			at = cut.at
		}
		raw = append(raw, w[at:]...)
		var got kmsg.ProduceRequest
		got.Version = v
		head := len(appendHeader(nil, produceKey, v, 7, "me"))
		if err := got.ReadFrom(raw[head:]); err != nil {
			t.Fatalf("version %d: %v", v, err)
		}
		if len(got.Topics) != 2 || got.Acks != -1 || got.TimeoutMillis != 1500 || got.TransactionID != nil {
			t.Fatalf("version %d: %+v", v, got)
		}
		n := 0
		for _, topic := range got.Topics {
			for _, p := range topic.Partitions {
				if !bytes.Equal(p.Records, large[:sizes[n]]) || p.Partition != int32(n) {
					t.Errorf("version %d: batch %d has %d bytes, want %d, or others", v, n, len(p.Records), sizes[n])
				}
				n++
			}
		}
		if again := got.AppendTo(nil); len(again) != len(raw)-head {
			t.Errorf("version %d: %d bytes, kmsg has %d", v, len(raw)-head, len(again))
		}
	})
	r := &Produce{Batches: []Batch{{TopicID: [16]byte{1}}, {Topic: "unknown"}}}
	if v := r.version(13); v != 12 {
		t.Errorf("a topic without an id is written with version %d", v)
	}
}

// fuzzed are the readers of answers, as fuzz targets and the test of their cost need them.
var fuzzed = []struct {
	name string
	key  int16
	read func(body []byte, version int16) error
}{
	{"produce", produceKey, func(body []byte, v int16) error {
		_, err := mail(1).readAnswer(at(body, produceKey, v), v)
		return err
	}},
	{"metadata", metadataKey, func(body []byte, v int16) error {
		q := question{topics: []string{"mail", "spam"}}
		m, _, err := q.read(at(body, metadataKey, v), v)
		if err == nil {
			for _, topic := range m.Topics {
				for i, p := range topic.Partitions {
					if _, ok := m.addresses[p.Leader]; int(p.ID) != i || p.Leader != -1 && !ok {
						return errors.New("a partition without sense")
					}
				}
			}
		}
		return err
	}},
	{"versions", versionsKey, func(body []byte, v int16) error { _, err := readVersions(at(body, versionsKey, v), v); return err }},
	{"producer id", producerIDKey, func(body []byte, v int16) error {
		_, _, err := readProducerID(at(body, producerIDKey, v), v)
		return err
	}},
	{"handshake", handshakeKey, func(body []byte, v int16) error { _, err := readHandshake(at(body, handshakeKey, v), v); return err }},
	{"login", loginKey, func(body []byte, v int16) error { _, err := readLogin(at(body, loginKey, v), v); return err }},
}

// cost returns how many bytes f allocates.
func cost(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// An answer costs at most ten times its size, and a page for what is there once.
func FuzzAnswers(f *testing.F) {
	for i := range fuzzed {
		each(fuzzed[i].key, func(v int16) {
			f.Add(uint8(i), v, []byte{})
			f.Add(uint8(i), v, []byte("\xff\xff\xff\xff\x0f\xff\xff\xff\xff\x0f"))
			f.Add(uint8(i), v, make([]byte, 100))
		})
	}
	each(metadataKey, func(v int16) { f.Add(uint8(1), v, honestMetadata(v).AppendTo(nil)) })
	f.Fuzz(func(t *testing.T, which uint8, version int16, body []byte) {
		test := fuzzed[int(which)%len(fuzzed)]
		s := speaks[test.key]
		v := s.min + (max(version, 0) % (s.max - s.min + 1))
		var err error
		if n := cost(func() { err = test.read(body, v) }); n > 10*uint64(len(body))+16<<10 {
			t.Errorf("%s: %d bytes for an answer of %d", test.name, n, len(body))
		}
		if err != nil && err.Error() == "a partition without sense" {
			t.Error(err)
		}
	})
}

// A broker may tell of a million replicas, of topics that nobody asked for, and count more than it has.
func TestLargeAnswersCostLittle(t *testing.T) {
	big := func(twist func(r *kmsg.MetadataResponse)) []byte {
		r := honestMetadata(12)
		twist(r)
		return r.AppendTo(nil)
	}
	many := big(func(r *kmsg.MetadataResponse) {
		for range 100_000 {
			r.Topics = append(r.Topics, mailTopic("nobody asked"))
		}
	})
	replicas := big(func(r *kmsg.MetadataResponse) {
		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				r.Topics[i].Partitions[j].Replicas = make([]int32, 1_000_000)
			}
		}
	})
	partitions := big(func(r *kmsg.MetadataResponse) {
		for i := range int32(200_000) {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Partition, p.Leader = i+2, 1
			r.Topics[0].Partitions = append(r.Topics[0].Partitions, p)
		}
	})
	for _, test := range []struct {
		name string
		body []byte
		most uint64
	}{
		{"100,000 topics that nobody asked for", many, 64 << 10},
		{"4,000,000 replicas", replicas, 64 << 10},
		{"200,000 partitions", partitions, 10 * uint64(len(partitions))},
	} {
		q := question{topics: []string{"mail", "spam"}}
		var err error
		if n := cost(func() { _, _, err = q.read(at(test.body, metadataKey, 12), 12) }); err != nil || n > test.most {
			t.Errorf("%s: %d bytes for %d, %v", test.name, n, len(test.body), err)
		}
	}
	for i := range fuzzed {
		each(fuzzed[i].key, func(v int16) {
			for size := range 64 {
				body := make([]byte, size)
				for j := range body {
					body[j] = 0x7f
				}
				if n := cost(func() { _ = fuzzed[i].read(body, v) }); n > 16<<10 {
					t.Errorf("%s, version %d: %d bytes for %d", fuzzed[i].name, v, n, size)
				}
			}
		})
	}
}

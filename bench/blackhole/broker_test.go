package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchOf is the header of a batch of n records, and 10 bytes in place of the records, which nobody looks at.
func batchOf(n int32) []byte {
	b := kmsg.NewRecordBatch()
	b.Length, b.Magic, b.NumRecords = batchHeader-batchPrefix+10, 2, n
	b.Records = make([]byte, 10)
	return b.AppendTo(nil)
}

func start(t *testing.T, partitions int32) *broker {
	t.Helper()
	b, err := newBroker("127.0.0.1:0", partitions, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.setMode(modeRefuse); err != nil {
			t.Error(err)
		}
	})
	return b
}

func dial(t *testing.T, b *broker) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", b.address)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, c net.Conn, req kmsg.Request, correlation int32) {
	t.Helper()
	text := kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, correlation)
	if _, err := c.Write(text); err != nil {
		t.Fatal(err)
	}
}

// read reads an answer, all of which must mean something.
func read(t *testing.T, c net.Conn, req kmsg.Request, correlation uint32) kmsg.Response {
	t.Helper()
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatalf("%s version %d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	if got := binary.BigEndian.Uint32(head[4:]); got != correlation {
		t.Fatalf("correlation %d, want %d", got, correlation)
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	resp := req.ResponseKind()
	if resp.IsFlexible() && req.Key() != int16(kmsg.ApiVersions) {
		body = body[1:] // the tags of the header
	}
	if err := resp.ReadFrom(body); err != nil {
		t.Fatalf("%s version %d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	if again := resp.AppendTo(nil); len(again) != len(body) {
		t.Fatalf("%s version %d: an answer of %d bytes, of which %d mean something",
			kmsg.NameForKey(req.Key()), req.GetVersion(), len(body), len(again))
	}
	return resp
}

// ask sends one request on a connection of its own and reads the answer.
func ask(t *testing.T, b *broker, req kmsg.Request) kmsg.Response {
	t.Helper()
	c := dial(t, b)
	defer c.Close()
	write(t, c, req, 77)
	return read(t, c, req, 77)
}

func TestEveryProduceVersionIsAnsweredAndCounted(t *testing.T) {
	for version := int16(3); version <= produceMax; version++ {
		b := start(t, 3)
		req := kmsg.NewPtrProduceRequest()
		req.SetVersion(version)
		req.Acks, req.TimeoutMillis = -1, 1000
		for _, name := range []string{"one", "two"} {
			topic := kmsg.NewProduceRequestTopic()
			topic.Topic = name
			for p := range int32(3) {
				partition := kmsg.NewProduceRequestTopicPartition()
				partition.Partition = p
				partition.Records = append(batchOf(100), batchOf(p)...)
				topic.Partitions = append(topic.Partitions, partition)
			}
			req.Topics = append(req.Topics, topic)
		}
		resp := ask(t, b, req).(*kmsg.ProduceResponse)
		if len(resp.Topics) != 2 || resp.Topics[1].Topic != "two" || len(resp.Topics[1].Partitions) != 3 {
			t.Fatalf("version %d: answered topics %+v", version, resp.Topics)
		}
		for i, p := range resp.Topics[1].Partitions {
			if p.Partition != int32(i) || p.ErrorCode != 0 {
				t.Errorf("version %d: answered partition %+v at %d", version, p, i)
			}
		}
		want := totals{Records: 2 * (300 + 0 + 1 + 2), Batches: 12, Bytes: 12 * (batchHeader + 10), Requests: 1}
		got := b.stat()
		got.CPU = 0
		if got != want {
			t.Errorf("version %d: counted %+v, want %+v", version, got, want)
		}
	}
}

func TestAnApiVersionsRequestThatIsTooNewIsToldWhatToAsk(t *testing.T) {
	b := start(t, 1)
	req := kmsg.NewPtrApiVersionsRequest()
	req.SetVersion(3)
	if got := ask(t, b, req).(*kmsg.ApiVersionsResponse); got.ErrorCode != 0 || len(got.ApiKeys) != len(offered) {
		t.Errorf("answered %+v", got)
	}
	// The answer to a newer one is in version 0, whatever was asked in.
	tooNew := newer{req}
	if got := ask(t, b, tooNew).(*kmsg.ApiVersionsResponse); got.ErrorCode != unsupportedVersion || len(got.ApiKeys) == 0 {
		t.Errorf("answered %+v", got)
	}
}

// newer asks in a version that the broker does not have, and reads the answer in version 0.
type newer struct{ *kmsg.ApiVersionsRequest }

func (newer) GetVersion() int16 { return 4 }

func (newer) ResponseKind() kmsg.Response { return kmsg.NewPtrApiVersionsResponse() }

func TestATopicKeepsItsIDAndSharesItWithNone(t *testing.T) {
	b := start(t, 2)
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(metadataMax)
	for _, name := range []string{"one", "two", "one"} {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
	}
	got := ask(t, b, req).(*kmsg.MetadataResponse).Topics
	if len(got) != 3 || len(got[1].Partitions) != 2 || *got[1].Topic != "two" {
		t.Fatalf("answered %+v", got)
	}
	if got[0].TopicID != got[2].TopicID || got[0].TopicID == got[1].TopicID || got[0].TopicID == [16]byte{} {
		t.Errorf("ids %x, %x, %x", got[0].TopicID, got[1].TopicID, got[2].TopicID)
	}
}

func TestABatchThatLiesAboutItsLengthEndsTheConnection(t *testing.T) {
	b := start(t, 1)
	bad := batchOf(5)
	binary.BigEndian.PutUint32(bad[8:], 1<<30)
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(9)
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = bad
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = "one", []kmsg.ProduceRequestTopicPartition{partition}
	req.Topics = append(req.Topics, topic)

	ours, theirs := net.Pipe()
	go func() {
		_, _ = ours.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1))
		_ = ours.Close()
	}()
	c := &conn{broker: b, in: newStream(theirs)}
	if err := c.request(); err == nil {
		t.Error("the request was taken")
	}
	if got := b.stat().Records; got != 0 {
		t.Errorf("%d records counted", got)
	}
}

func TestAProducerDeliversThroughEveryCodecAndAfterARefusal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	b := start(t, 4)
	want := int64(0)
	for _, codec := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		client, err := kgo.NewClient(kgo.SeedBrokers(b.address), kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic("t"),
			kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond }))
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(ctx, records(1000)...).FirstErr(); err != nil {
			t.Errorf("before the refusal: %v", err)
		}
		if want += 1000; b.stat().Records != want {
			t.Errorf("before the refusal: %d records counted, want %d", b.stat().Records, want)
		}
		if err := b.setMode(modeRefuse); err != nil {
			t.Fatal(err)
		}
		if c, err := net.Dial("tcp4", b.address); err == nil {
			_ = c.Close()
			t.Error("a broker that refuses took a connection")
		}
		if err := b.setMode(modeAck); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(ctx, records(1000)...).FirstErr(); err != nil {
			t.Errorf("after the refusal: %v", err)
		}
		client.Close()
		// The client may find one of its requests on the closed connection when the next ones have been taken on another, and sends all of them
		// again: this broker has no memory of its producers, and counts them twice.
		if got := b.stat().Records; got < want+1000 {
			t.Errorf("after the refusal: %d records counted, want %d at least", got, want+1000)
		} else {
			want = got
		}
	}
}

// The answer to a later request on the connection proves that the produce request was read and passed over.
func TestABrokerThatHangsAnswersAllButProduceRequests(t *testing.T) {
	b := start(t, 1)
	if err := b.setMode(modeHang); err != nil {
		t.Fatal(err)
	}
	c := dial(t, b)
	defer c.Close()
	produce := kmsg.NewPtrProduceRequest()
	produce.SetVersion(9)
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = batchOf(5)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = "one", []kmsg.ProduceRequestTopicPartition{partition}
	produce.Topics = append(produce.Topics, topic)
	versions := kmsg.NewPtrApiVersionsRequest()
	versions.SetVersion(3)
	write(t, c, produce, 1)
	write(t, c, versions, 2)
	read(t, c, versions, 2)
	if got := b.stat().Records; got != 0 {
		t.Errorf("%d records counted", got)
	}

	if err := b.setMode(modeAck); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("the connection gave %d bytes and did not end, so that the client would wait for its timeout", n)
	}
}

func records(n int) []*kgo.Record {
	list := make([]*kgo.Record, n)
	for i := range list {
		list[i] = &kgo.Record{Key: []byte{byte(i)}, Value: []byte("value")}
	}
	return list
}

func TestControlLines(t *testing.T) {
	b := start(t, 1)
	for line, want := range map[string]string{
		"mode hang":   "ok",
		"mode ack":    "ok",
		"mode asleep": `error: mode "asleep": want ack, hang or refuse`,
		"halt":        `error: command "halt": want stat or mode`,
	} {
		if got := b.command(line); got != want {
			t.Errorf("%q answered %q, want %q", line, got, want)
		}
	}
}

package recordbatch

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// update lets both clients write the batches of g to a broker that keeps the bytes.
func (g *golden) update(t *testing.T) {
	g.archive.Files = g.archive.Files[:1]
	for _, client := range []struct {
		name    string
		command []string
	}{
		{"librdkafka", []string{"../../build/venv/bin/python", "testdata/clients/produce.py"}},
		{"kafka-clients", []string{"java", "-cp", "../../build/kafka-jars/*", "testdata/clients/Produce.java"}},
	} {
		address, batches := capture(t)
		command := exec.CommandContext(t.Context(), client.command[0], append(client.command[1:], address, g.codec, g.idempotence)...)
		command.Stdin = strings.NewReader(g.lines())
		var stderr bytes.Buffer
		command.Stderr = &stderr
		version, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", client.name, err, &stderr)
		}
		g.write(t, client.name+" "+string(version), batches())
	}
}

// lines are the records as the clients read them.
func (g *golden) lines() string {
	var b strings.Builder
	text := func(p []byte) string {
		if p == nil {
			return "null"
		}
		return "x" + hex.EncodeToString(p)
	}
	for i, batch := range g.batches {
		if i > 0 {
			b.WriteString("flush\n")
		}
		for _, r := range batch {
			fmt.Fprint(&b, r.timestamp, " ", text(r.key), " ", text(r.value))
			for _, h := range r.headers {
				fmt.Fprint(&b, " ", text([]byte(h.Key)), "=", text(h.Value))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// capture starts a broker that acknowledges whatever comes and keeps it. Its producer id is always the same, so that files
// only change when clients do.
func capture(t *testing.T) (address string, batches func() [][]byte) {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "golden"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	var mu sync.Mutex
	var got [][]byte
	kafka.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		req := request.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		mu.Lock()
		defer mu.Unlock()
		for _, t := range req.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				got = append(got, bytes.Clone(p.Records))
				partition := kmsg.NewProduceResponseTopicPartition()
				partition.Partition = p.Partition
				topic.Partitions = append(topic.Partitions, partition)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
	kafka.ControlKey(int16(kmsg.InitProducerID), func(request kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		resp := request.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ProducerID, resp.ProducerEpoch = 0x1122334455667788, 0x0304
		return resp, nil, true
	})
	return kafka.ListenAddrs()[0], func() [][]byte {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

package producer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/realkafka"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// librdkafkaReader prints what librdkafka's own consumer reads, with check.crcs, as one line a record.
const librdkafkaReader = `
import sys, confluent_kafka
from confluent_kafka import Consumer, TopicPartition
c = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "reader", "check.crcs": True, "enable.partition.eof": True, "auto.offset.reset": "earliest"})
c.assign([TopicPartition(sys.argv[2], 0, 0)])
while True:
    m = c.poll(30)
    if m is None:
        sys.exit("no answer within 30 s")
    if m.error():
        if m.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
            break
        sys.exit(str(m.error()))
    print(m.key(), m.value(), m.headers(), sep="|")
c.close()
`

// wheel is the version of confluent-kafka whose librdkafka is the one that this project is held against.
const wheel = "2.15.0"

// python returns an interpreter with the wheel of confluent-kafka, which carries librdkafka.
func python(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("../../build/venv")
	if err != nil {
		t.Fatal(err)
	}
	interpreter := filepath.Join(folder, "bin", "python")
	if exec.Command(interpreter, "-c", "import confluent_kafka").Run() == nil {
		return interpreter
	}
	for _, command := range [][]string{{"python3", "-m", "venv", folder}, {interpreter, "-m", "pip", "install", "-q", "confluent-kafka==" + wheel}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
			t.Skipf("NOT TESTED with librdkafka's consumer: %s: %v\n%s", command, err, out)
		}
	}
	return interpreter
}

// What is stored is read by librdkafka's own consumer, which checks each CRC, and by Kafka's own tool, which looks into each batch.
func TestWhatIsStoredIsReadByOthers(t *testing.T) {
	if os.Getenv("KAFKA_E2E") == "" {
		t.Skip("set KAFKA_E2E=1 for tests on a real Apache Kafka")
	}
	broker, err := realkafka.Start(t.Context(), realkafka.Options{})
	realkafka.Require(t, err)
	t.Cleanup(func() { broker.Close() })
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	interpreter := python(t)
	const n = 1000
	var topics []string
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, idempotence := range []string{"false", "true"} {
			topic := codec + "-" + idempotence
			topics = append(topics, topic)
			if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
				t.Fatal(err)
			}
			p, err := New("kafka1", settings(t, "bootstrap.servers="+broker.Addr(), "compression.codec="+codec, "enable.idempotence="+idempotence,
				"batch.num.messages=100"), Deps{Log: new(logged).logger()})
			if err != nil {
				t.Fatal(err)
			}
			want := make([]string, n)
			for i := range n {
				r := &record.Record{Topic: topic, Partition: -1, Value: fmt.Appendf(nil, "value %d %s", i, strings.Repeat("of a mail log, ", i%40))}
				shown := "None"
				if i%3 == 0 {
					r.Key = fmt.Appendf(nil, "k%d", i)
					shown = fmt.Sprintf("b'k%d'", i)
				}
				headers := "None"
				if i%5 == 0 {
					r.Headers = []record.Header{{Key: "id", Value: fmt.Appendf(nil, "%d", i)}, {Key: "empty", Value: []byte{}}, {Key: "null"}}
					headers = fmt.Sprintf("[('id', b'%d'), ('empty', b''), ('null', None)]", i)
				}
				want[i] = shown + "|b'" + string(r.Value) + "'|" + headers
				if code := p.Offer(r); code != resperr.NoError {
					t.Fatal(code)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			if lost := p.Stop(ctx); lost != 0 {
				t.Fatalf("%s: %d lost", topic, lost)
			}
			cancel()
			out, err := exec.CommandContext(t.Context(), interpreter, "-c", librdkafkaReader, broker.Addr(), topic).CombinedOutput()
			if err != nil {
				t.Fatalf("%s: librdkafka's consumer: %v\n%s", topic, err, out)
			}
			got := strings.Split(strings.TrimSpace(string(out)), "\n")
			if len(got) != n {
				t.Fatalf("%s: librdkafka's consumer reads %d records, want %d\n%.500s", topic, len(got), n, out)
			}
			for i := range n {
				if got[i] != want[i] {
					t.Fatalf("%s: record %d is read as %s, want %s", topic, i, got[i], want[i])
				}
			}
		}
	}
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		text, err := broker.Dump(t.Context(), topic, 0)
		if err != nil {
			t.Fatal(err)
		}
		codec, idempotence, _ := strings.Cut(topic, "-")
		batches := strings.Count(text, "baseOffset:")
		switch {
		case strings.Count(text, "| offset:") != n:
			t.Errorf("%s: Kafka's tool reads %d records, want %d", topic, strings.Count(text, "| offset:"), n)
		case batches != strings.Count(text, "isvalid: true"):
			t.Errorf("%s: of %d batches %d are valid", topic, batches, strings.Count(text, "isvalid: true"))
		case strings.Count(text, "compresscodec: "+codec) != batches:
			t.Errorf("%s: of %d batches %d are compressed so", topic, batches, strings.Count(text, "compresscodec: "+codec))
		case idempotence == "true" && strings.Contains(text, "baseSequence: -1"):
			t.Errorf("%s: a batch has no sequence", topic)
		}
	}
}

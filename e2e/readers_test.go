package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/realkafka"
)

// perTopic records go to each topic of the readers, at most perBatch in a batch.
const (
	perTopic = 500
	perBatch = 100
)

// A sort is one way to write batches. Its topic and its queue are named after it.
type sort struct {
	codec      string
	idempotent bool
}

func (s sort) String() string {
	if s.idempotent {
		return s.codec + "-idempotent"
	}
	return s.codec + "-plain"
}

var sorts = []sort{
	{codec: "none"},
	{codec: "gzip"},
	{codec: "snappy"},
	{codec: "lz4"},
	{codec: "zstd"},
	{codec: "none", idempotent: true},
	{codec: "gzip", idempotent: true},
	{codec: "snappy", idempotent: true},
	{codec: "lz4", idempotent: true},
	{codec: "zstd", idempotent: true},
}

// What Apache Kafka has stored is read by librdkafka's own consumer, which checks each CRC, and by Kafka's own tool, which looks into
// each batch: no reader of ours could tell that our batches are only read by ourselves.
func TestWhatIsStoredIsReadByOthers(t *testing.T) {
	if under.broker != apache {
		t.Skip("set E2E_BROKER=kafka for tests on a real Apache Kafka")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	broker, err := realkafka.Start(ctx, realkafka.Options{})
	realkafka.Require(t, err)
	t.Cleanup(func() { broker.Close() })
	var topics []string
	for _, s := range sorts {
		topics = append(topics, s.String())
	}
	if err := createTopics(ctx, broker.Addr(), 1, topics...); err != nil {
		t.Fatal(err)
	}
	// A broker names itself as the leader a little before it accepts records. Without idempotence a batch that it rejects until then is
	// sent again, and may then follow newer ones.
	for _, topic := range topics {
		if err := awaitCount(broker.Addr(), topic, 0); err != nil {
			t.Fatal(err)
		}
	}
	produceSorts(ctx, t, broker.Addr())
	t.Run("librdkafka", func(t *testing.T) { readWithLibrdkafka(ctx, t, broker.Addr(), topics) })
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, s := range sorts {
		t.Run("DumpLogSegments/"+s.String(), func(t *testing.T) {
			text, err := broker.Dump(ctx, s.String(), 0)
			if err != nil {
				t.Fatal(err)
			}
			checkDump(t, s, text)
		})
	}
}

// produceSorts lets a script send the same records through a queue of each sort.
func produceSorts(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	configuration := "plugins:\n- id: kafka\n  config:\n    queues:\n"
	names := ""
	for _, s := range sorts {
		configuration += fmt.Sprintf(`    - id: %[1]s
      config:
        bootstrap.servers: %[2]s
        compression.codec: %[3]s
        enable.idempotence: %[4]t
        batch.num.messages: %[5]d
        linger.ms: 500
`, s, address, s.codec, s.idempotent, perBatch)
		names += strconv.Quote(s.String()) + ", "
	}
	script := fmt.Sprintf(`
import { kafka_producer } from "extras://kafka";
$long = "of a mail log, ";
for ($i = 0; $i < 12; $i += 1)
    $long = $long . $long;
foreach ([%s] as $queue) {
    for ($i = 0; $i < %d; $i += 1) {
        $key = none;
        if ($i %% 3 == 1) $key = "";
        if ($i %% 3 == 2) $key = "key " . $i;
        $value = "value " . $i . " of a mail log";
        if ($i %% 7 == 1) $value = none;
        if ($i %% 7 == 2) $value = "";
        if ($i %% 7 == 3) $value = "\x00\xff\x80";
        if ($i %% 250 == 0) $value = $long;
        $headers = [];
        if ($i %% 5 == 0) $headers = ["id" => "" . $i, "empty" => "", "" => "\x00"];
        $result = kafka_producer($queue, $queue, $value, $key, $headers);
        if ($result !== [])
            echo $queue . " " . $i . ": " . $result;
    }
}
`, names, perTopic)
	folder := t.TempDir()
	for name, text := range map[string]string{"smtpd.yaml": configuration, "sorts.hsl": script} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(ctx, filepath.Join(under.bin, "hslrun"), "-c", "smtpd.yaml", "-p", "kafka", "sorts.hsl")
	command.Dir = folder
	if out, err := command.Output(); err != nil || len(out) > 0 {
		t.Fatalf("hslrun: %v\n%s", err, out)
	}
}

// wantLine is the i-th record of the script as read.py prints it.
func wantLine(topic string, i int) string {
	key := [...]string{"null", "x", fmt.Sprintf("x%x", fmt.Sprintf("key %d", i))}[i%3]
	value := fmt.Sprintf("x%x", fmt.Sprintf("value %d of a mail log", i))
	switch i % 7 {
	case 1:
		value = "null"
	case 2:
		value = "x"
	case 3:
		value = "x00ff80"
	}
	if i%250 == 0 {
		value = fmt.Sprintf("x%x", bytes.Repeat([]byte("of a mail log, "), 1<<12))
	}
	line := topic + " " + key + " " + value
	if i%5 == 0 {
		line += fmt.Sprintf(" id=x%x empty=x =x00", strconv.Itoa(i))
	}
	return line
}

func readWithLibrdkafka(ctx context.Context, t *testing.T, address string, topics []string) {
	python := os.Getenv("E2E_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("E2E_PYTHON does not name a Python with librdkafka; make test-kafka makes one")
		}
		t.Skip("NOT TESTED with librdkafka's consumer: E2E_PYTHON does not name a Python with it; make test-kafka makes one")
	}
	var stderr bytes.Buffer
	command := exec.CommandContext(ctx, python, append([]string{"kafka/read.py", address}, topics...)...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("librdkafka's consumer: %v\n%s", err, &stderr)
	}
	got := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		topic, _, _ := strings.Cut(line, " ")
		got[topic] = append(got[topic], strings.TrimSuffix(line, "\n"))
	}
	for _, topic := range topics {
		if len(got[topic]) != perTopic {
			t.Errorf("%s: %d records, want %d", topic, len(got[topic]), perTopic)
			continue
		}
		for i, line := range got[topic] {
			if want := wantLine(topic, i); line != want {
				t.Errorf("record %d is read as %.200s, want %.200s", i, line, want)
				break
			}
		}
	}
}

// dumped is the line of a batch that DumpLogSegments prints.
var dumped = regexp.MustCompile(`(?m)^baseOffset: (\d+) lastOffset: (\d+) count: (\d+) baseSequence: (-?\d+) lastSequence: (-?\d+) producerId: (-?\d+) .* compresscodec: (\w+) .* isvalid: (\w+)$`)

func checkDump(t *testing.T, s sort, text string) {
	batches := dumped.FindAllStringSubmatch(text, -1)
	if n := strings.Count(text, "baseOffset: "); n != len(batches) || n < perTopic/perBatch {
		t.Fatalf("%d batches, of which %d are understood\n%.1000s", n, len(batches), text)
	}
	if n := strings.Count(text, "| offset: "); n != perTopic {
		t.Errorf("%d records inside the batches, want %d", n, perTopic)
	}
	next := 0
	for _, b := range batches {
		number := func(i int) int {
			n, err := strconv.Atoi(b[i])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		base, count, sequence, id := number(1), number(3), number(4), number(6)
		if base != next || b[8] != "true" {
			t.Errorf("offset %d was to come: %s", next, b[0])
		}
		next = base + count
		// With an id, nothing was lost or sent twice, so sequences are offsets.
		if s.idempotent && (id < 0 || sequence != base) || !s.idempotent && (id != -1 || sequence != -1) {
			t.Errorf("sequence %d of producer %d: %s", sequence, id, b[0])
		}
		// The last batches may be too small to get smaller.
		if codec := b[7]; codec != s.codec && (codec != "none" || count == perBatch) {
			t.Errorf("compressed with %s: %s", codec, b[0])
		}
	}
}

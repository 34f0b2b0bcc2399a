package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// recordsCommand is `records [-distinct] TOPIC COUNT [FILE]`.
func recordsCommand(ts *testscript.TestScript, neg bool, args []string) {
	distinct := len(args) > 0 && args[0] == "-distinct"
	if distinct {
		args = args[1:]
	}
	if neg || len(args) < 2 || len(args) > 3 || distinct && len(args) == 3 {
		ts.Fatalf("usage: records TOPIC COUNT [FILE], or records -distinct TOPIC COUNT")
	}
	topic := args[0]
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	s := sceneOf(ts)
	if s.broker == nil {
		ts.Fatalf("records: no broker; `kafka start` comes first")
	}
	address := s.broker.address()
	if distinct {
		ts.Check(awaitDistinct(address, topic, want))
		return
	}
	if err := awaitCount(address, topic, want); err != nil {
		ts.Fatalf("%v%s", err, repeated(address, topic, want))
	}
	if len(args) == 2 {
		return
	}
	got, err := readTopic(address, topic, want)
	ts.Check(err)
	golden, err := decodeLines(ts.ReadFile(args[2]))
	ts.Check(err)
	found, err := decodeLines(strings.Join(got, "\n"))
	ts.Check(err)
	if diff := gocmp.Diff(golden, found); diff != "" {
		ts.Fatalf("%s is not what topic %s holds (-file +topic):\n%s", args[2], topic, diff)
	}
}

// awaitCount waits until topic has exactly want records. More is a failure at once: records never go away here.
func awaitCount(address, topic string, want int) error {
	have := 0
	err := pollCount(address, topic, func(n int) (bool, error) {
		have = n
		if have > want {
			return false, fmt.Errorf("%d are there", have)
		}
		return have == want, nil
	})
	if err != nil {
		return fmt.Errorf("topic %s: waited for %d records, found %d: %w", topic, want, have, err)
	}
	return nil
}

// awaitDistinct waits until topic has exactly want records, those that repeat another not counted.
func awaitDistinct(address, topic string, want int) error {
	have := 0
	err := pollCount(address, topic, func(n int) (bool, error) {
		if n < want {
			return false, nil
		}
		lines, err := readTopic(address, topic, n)
		if err != nil {
			return false, err
		}
		slices.Sort(lines)
		have = len(slices.Compact(lines))
		if have > want {
			return false, fmt.Errorf("%d are there", have)
		}
		return have == want, nil
	})
	if err != nil {
		return fmt.Errorf("topic %s: waited for %d distinct records, found %d: %w", topic, want, have, err)
	}
	return nil
}

// pollCount asks for the number of records in topic until done says yes or fails.
func pollCount(address, topic string, done func(n int) (bool, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return withAdmin(address, func(admin *kadm.Client) error {
		return poll(func() (bool, error) {
			offsets, err := admin.ListEndOffsets(ctx, topic)
			if err == nil {
				err = offsets.Error()
			}
			if err != nil {
				// Not created yet, or its leader is on the way: both pass, and the deadline bounds them.
				if kerr.IsRetriable(err) {
					return false, nil
				}
				return false, err
			}
			n := 0
			offsets.Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
			return done(n)
		})
	})
}

// readTopic returns the first n records of topic as JSON lines, by partition and offset.
func readTopic(address, topic string, n int) ([]string, error) {
	client, err := dial(address, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var records []*kgo.Record
	for len(records) < n {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			return nil, fmt.Errorf("read topic %s: %d of %d records: %w", topic, len(records), n, err)
		}
		records = append(records, fetched.Records()...)
	}
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	lines := make([]string, len(records))
	for i, r := range records {
		line, err := json.Marshal(lineOf(r))
		if err != nil {
			return nil, err
		}
		lines[i] = string(line)
	}
	return lines, nil
}

// repeated says which records stand in topic more than once, to tell a repeated record from one nobody sent. It
// is for the message of a failure: where it cannot tell, it says nothing.
func repeated(address, topic string, above int) string {
	lines, err := readTopic(address, topic, above+1)
	if err != nil {
		return ""
	}
	var text strings.Builder
	seen := make(map[string]int)
	for i, line := range lines {
		if first, ok := seen[line]; ok {
			fmt.Fprintf(&text, "\nrecord %d repeats record %d: %s", i, first, line)
		}
		seen[line] = i
	}
	return text.String()
}

// lineOf is hslrun's JSON line of a record without its offset and timestamp. It is written here once more on
// purpose: what hslrun prints is under test too.
func lineOf(r *kgo.Record) map[string]any {
	line := map[string]any{"topic": r.Topic, "partition": r.Partition}
	bytesOf(line, "key", r.Key)
	bytesOf(line, "value", r.Value)
	headers := make([][2]any, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = [2]any{h.Key, nil}
		switch {
		case h.Value == nil:
		case utf8.Valid(h.Value):
			headers[i][1] = string(h.Value)
		default:
			headers[i][1] = map[string][]byte{"base64": h.Value}
		}
	}
	line["headers"] = headers
	return line
}

func bytesOf(line map[string]any, name string, b []byte) {
	switch {
	case b == nil:
		line[name] = nil
	case utf8.Valid(b):
		line[name] = string(b)
	default:
		line[name+"_base64"] = b // encoding/json writes bytes as base64
	}
}

func decodeLines(text string) ([]map[string]any, error) {
	var lines []map[string]any
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if line == "" {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(line)))
		var object map[string]any
		if err := decoder.Decode(&object); err != nil {
			return nil, fmt.Errorf("line %d: %w: %s", i+1, err, line)
		}
		lines = append(lines, object)
	}
	return lines, nil
}

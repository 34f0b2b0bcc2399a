package conf

import (
	"encoding/hex"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestPartitionVectors replays what librdkafka chose for each key and number of partitions.
func TestPartitionVectors(t *testing.T) {
	counts := []int32{1, 2, 3, 4, 7, 10, 12, 100, 1000, 2147483647}
	rows := readCases(t, "partitioner.tsv")
	if len(rows) < 499 {
		t.Fatalf("testdata has %d vectors, want at least 499", len(rows))
	}
	for _, row := range rows {
		key, err := hex.DecodeString(row[1])
		if err != nil {
			t.Fatal(err)
		}
		if row[2] == "yes" {
			key = nil
		}
		for i, n := range counts {
			want, err := strconv.ParseInt(row[3+i], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := Partition(row[0], key, n); !ok || int64(got) != want {
				t.Errorf("%s of %q (null %s) among %d: %d %v, want %d", row[0], key, row[2], n, got, ok, want)
			}
		}
	}
}

// TestSpreadKeys tells for each partitioner which keys are hashed, which stick and which are drawn.
func TestSpreadKeys(t *testing.T) {
	const hash, stick, draw = "hash", "stick", "draw"
	for name, want := range map[string][3]string{ // a key, the empty key, the null key
		"consistent_random": {hash, stick, stick},
		"consistent":        {hash, hash, hash},
		"murmur2":           {hash, hash, hash},
		"murmur2_random":    {hash, hash, stick},
		"fnv1a":             {hash, hash, hash},
		"fnv1a_random":      {hash, hash, stick},
		"random":            {draw, draw, stick},
	} {
		p, ok := partitionerNamed(name)
		if !ok {
			t.Errorf("%s is not known", name)
		}
		for i, key := range [][]byte{[]byte("k"), {}, nil} {
			got := draw
			if p.hashes(key) {
				got = hash
			} else if p.sticks(key) {
				got = stick
			}
			if got != want[i] {
				t.Errorf("%s of %#v: %s, want %s", name, key, got, want[i])
			}
		}
	}
}

// partitionerFor returns the partitioner of a topic with properties, a clock that stands still, and
// draws that count up.
func partitionerFor(t *testing.T, clock *time.Time, lost *int, properties ...string) kgo.TopicPartitioner {
	t.Helper()
	drawn := 0
	draw := func(n int) int { drawn++; return drawn % n }
	return settingsFor(t, properties...).Partitioner(draw, func() time.Time { return *clock }, func(*kgo.Record) { *lost++ }).ForTopic("t")
}

func settingsFor(t *testing.T, properties ...string) *Settings {
	t.Helper()
	c := New()
	for i := 0; i < len(properties); i += 2 {
		if err := c.Set(properties[i], properties[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	s, _, err := c.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStickyPartitionLastsForItsTimeAndItsLeaders(t *testing.T) {
	clock, lost := time.Unix(1000, 0), 0
	p := partitionerFor(t, &clock, &lost, "sticky.partitioning.linger.ms", "10")
	r := &kgo.Record{Partition: -1}
	if p.RequiresConsistency(r) {
		t.Error("a record without a key insists on partitions without a leader")
	}
	first := p.Partition(r, 6)
	clock = clock.Add(9 * time.Millisecond)
	if got := p.Partition(r, 6); got != first {
		t.Errorf("after 9 ms: %d, want still %d", got, first)
	}
	clock = clock.Add(time.Millisecond)
	second := p.Partition(r, 6)
	if second == first {
		t.Error("after 10 ms nothing was drawn")
	}
	if got := p.Partition(r, 5); got == second {
		t.Error("with another number of leaders nothing was drawn")
	}
}

func TestWithoutStickyTimeEachRecordIsDrawn(t *testing.T) {
	clock, lost := time.Unix(1000, 0), 0
	p := partitionerFor(t, &clock, &lost, "sticky.partitioning.linger.ms", "0")
	r := &kgo.Record{Partition: -1}
	if a, b := p.Partition(r, 9), p.Partition(r, 9); a == b {
		t.Errorf("two draws gave %d both times", a)
	}
}

func TestPartitionOfARecordThatNamesOne(t *testing.T) {
	clock, lost := time.Unix(1000, 0), 0
	p := partitionerFor(t, &clock, &lost)
	for _, c := range []struct{ partition, n, want, lost int }{
		{partition: 0, n: 4, want: 0},
		{partition: 3, n: 4, want: 3},
		{partition: 4, n: 4, want: 4, lost: 1},
		{partition: 99, n: 4, want: 4, lost: 1},
		{partition: -2, n: 4, want: 4, lost: 1},
	} {
		lost = 0
		r := &kgo.Record{Partition: int32(c.partition), Key: []byte("k")}
		if !p.RequiresConsistency(r) {
			t.Errorf("partition %d: not consistent", c.partition)
		}
		if got := p.Partition(r, c.n); got != c.want || lost != c.lost {
			t.Errorf("partition %d of %d: %d with %d lost, want %d with %d", c.partition, c.n, got, lost, c.want, c.lost)
		}
	}
}

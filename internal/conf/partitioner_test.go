package conf

import (
	"encoding/hex"
	"slices"
	"strconv"
	"testing"
	"time"
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

// countUp draws numbers that count up.
func countUp() Random {
	drawn := 0
	return func(n int) int { drawn++; return drawn % n }
}

func TestStickyPartitionLastsForItsTimeAndItsLeader(t *testing.T) {
	c := settingsFor(t, "sticky.partitioning.linger.ms", "10").Chooser(countUp())
	topic := c.Begin()
	all := []int32{0, 1, 2, 3, 4, 5}
	ms := int64(time.Millisecond)
	first := c.Choose(&topic, nil, 6, all, 0)
	if got := c.Choose(&topic, nil, 6, all, 9*ms); got != first {
		t.Errorf("after 9 ms: %d, want still %d", got, first)
	}
	second := c.Choose(&topic, nil, 6, all, 10*ms)
	if second == first {
		t.Error("after 10 ms nothing was drawn")
	}
	others := slices.DeleteFunc(slices.Clone(all), func(n int32) bool { return n == second })
	if got := c.Choose(&topic, nil, 6, others, 11*ms); !slices.Contains(others, got) {
		t.Errorf("partition %d, which has lost its leader", got)
	}
	if got := c.Choose(&topic, nil, 6, nil, 100*ms); got < 0 || got > 5 {
		t.Errorf("without any leader: partition %d of 6", got)
	}
}

func TestWithoutStickyTimeEachRecordIsDrawn(t *testing.T) {
	c := settingsFor(t, "sticky.partitioning.linger.ms", "0").Chooser(countUp())
	topic := c.Begin()
	if a, b := c.Choose(&topic, nil, 9, nil, 0), c.Choose(&topic, nil, 9, nil, 0); a == b {
		t.Errorf("two draws gave %d both times", a)
	}
}

func TestAHashedKeyKeepsItsPartitionWithoutALeader(t *testing.T) {
	c := settingsFor(t).Chooser(countUp())
	topic := c.Begin()
	want, _ := Partition("consistent_random", []byte("k"), 4)
	for _, led := range [][]int32{nil, {0, 1, 2, 3}, {(want + 1) % 4}} {
		if got := c.Choose(&topic, []byte("k"), 4, led, 0); got != want {
			t.Errorf("partition %d with leaders of %v, want %d", got, led, want)
		}
	}
}

package producer

import (
	"bytes"
	"encoding/hex"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
)

func chooserOf(t *testing.T, partitioner, sticky string) *intake.Chooser {
	t.Helper()
	c := conf.New()
	for _, property := range [][2]string{{"partitioner", partitioner}, {"sticky.partitioning.linger.ms", sticky}} {
		if err := c.Set(property[0], property[1]); err != nil {
			t.Fatal(err)
		}
	}
	set, _, err := c.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	return newChooser(set)
}

// TestPartitionVectors replays what librdkafka chose for each key and number of partitions, with and without leaders.
func TestPartitionVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/partitioner.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimRight(string(data), "\n"), "\n")[1:]
	if len(rows) < 499 {
		t.Fatalf("testdata has %d vectors, want at least 499", len(rows))
	}
	counts := []int32{1, 2, 3, 4, 7, 10, 12, 100, 1000, 2147483647}
	choosers := map[string]*intake.Chooser{}
	for name := range partitioners {
		choosers[name] = chooserOf(t, name, "10")
	}
	for _, line := range rows {
		row := strings.Split(line, "\t")
		key, err := hex.DecodeString(row[1])
		if err != nil {
			t.Fatal(err)
		}
		key = append([]byte{}, key...) // an empty key is not null
		if row[2] == "yes" {
			key = nil
		}
		for i, n := range counts {
			want, err := strconv.ParseInt(row[3+i], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			for _, led := range [][]int32{nil, {0}} {
				choice := intake.NewChoice()
				if got := choosers[row[0]].Choose(&choice, key, n, led, 0); int64(got) != want {
					t.Errorf("%s of %q (null %s) among %d: %d, want %d", row[0], key, row[2], n, got, want)
				}
			}
		}
	}
}

// TestSpreadKeys tells for each partitioner which keys are hashed, which stick and which are drawn.
func TestSpreadKeys(t *testing.T) {
	const hash, stick, draw = "hash", "stick", "draw"
	wants := map[string][3]string{ // a key, the empty key, the null key
		"consistent_random": {hash, stick, stick},
		"consistent":        {hash, hash, hash},
		"murmur2":           {hash, hash, hash},
		"murmur2_random":    {hash, hash, stick},
		"fnv1a":             {hash, hash, hash},
		"fnv1a_random":      {hash, hash, stick},
		"random":            {draw, draw, stick},
	}
	if len(wants) != len(partitioners) {
		t.Errorf("%d partitioners, and the table has %d", len(partitioners), len(wants))
	}
	const n = 1 << 20
	for name, want := range wants {
		for i, key := range [][]byte{[]byte("k"), {}, nil} {
			c := chooserOf(t, name, "10")
			choose := func(choice *intake.Choice) int32 { return c.Choose(choice, key, n, nil, 0) }
			one, other := intake.NewChoice(), intake.NewChoice()
			first := choose(&one)
			got := draw
			switch again, elsewhere := choose(&one), choose(&other); {
			case first == again && first == elsewhere:
				got = hash
			case first == again:
				got = stick
			}
			if got != want[i] {
				t.Errorf("%s of %#v: %s, want %s", name, key, got, want[i])
			}
		}
	}
}

func TestStickyPartitionLastsForItsTimeAndItsLeader(t *testing.T) {
	c := chooserOf(t, "consistent_random", "10")
	topic := intake.NewChoice()
	const n = 1 << 20
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	ms := int64(time.Millisecond)
	first := c.Choose(&topic, nil, n, all, 0)
	if got := c.Choose(&topic, nil, n, all, 9*ms); got != first {
		t.Errorf("after 9 ms: %d, want still %d", got, first)
	}
	second := c.Choose(&topic, nil, n, all, 10*ms)
	if second == first {
		t.Error("after 10 ms nothing was drawn")
	}
	others := []int32{second - 1, second + 1}
	if got := c.Choose(&topic, nil, n, others, 11*ms); !slices.Contains(others, got) {
		t.Errorf("partition %d, which has lost its leader", got)
	}
	if got := c.Choose(&topic, nil, 6, nil, 100*ms); got < 0 || got > 5 {
		t.Errorf("without any leader: partition %d of 6", got)
	}
}

func TestWithoutStickyTimeEachRecordIsDrawn(t *testing.T) {
	c := chooserOf(t, "consistent_random", "0")
	topic := intake.NewChoice()
	drawn := map[int32]int{}
	for range 3000 {
		drawn[c.Choose(&topic, nil, 3, nil, 0)]++
	}
	for partition, times := range drawn {
		if partition < 0 || partition > 2 || times < 800 || times > 1200 {
			t.Errorf("partition %d was drawn %d times of 3000, of 3", partition, times)
		}
	}
}

// What a record holds of a key is the host's memory: it must not be kept or changed.
func TestAKeyIsOnlyRead(t *testing.T) {
	key := []byte("key")
	topic := intake.NewChoice()
	chooserOf(t, "murmur2", "10").Choose(&topic, key, 7, nil, 0)
	if !bytes.Equal(key, []byte("key")) {
		t.Error("the key was changed")
	}
}

package parity

import (
	"fmt"
	"strings"

	"github.com/halon-extras/kafka/parity/play"
)

// partitionScenarios: where a message goes, by its partition argument or by its key.
func partitionScenarios() []scenario {
	var list []scenario
	for _, partition := range []int{99, 3, -2, -2147483648, 2147483647} {
		list = append(list, scenario{
			name:   fmt.Sprintf("partition %d of 3", partition),
			script: script{topics: topic(3, "t")},
			steps:  twice(placed("t", partition)),
		})
	}
	list = append(list,
		scenario{
			name:   "partitions that exist",
			script: script{topics: topic(3, "t")},
			steps: []play.Step{
				call("one call each", placed("t", 0), placed("t", 1), placed("t", 2)), reports("report"),
			},
		},
		scenario{
			name:   "a bad partition among good ones",
			script: script{topics: topic(3, "t")},
			steps: []play.Step{
				call("first call", placed("t", 2)), reports("first report"), // either may know the topic before a second call
				call("calls", placed("t", 2), placed("t", 3), placed("t", 0)), reports("reports"),
			},
		},
		scenario{
			name:   "a partition out of range in a topic that does not exist",
			config: quickly,
			steps:  twice(placed("nowhere", 99)),
		},
	)
	for _, partitioner := range []string{
		"", "consistent_random", "consistent", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random",
	} {
		list = append(list, keyScenario(partitioner))
	}
	// Without a key a message sticks to a partition for a while, or goes anywhere.
	for _, c := range []struct{ partitioner, linger string }{
		{"consistent_random", "60000"},
		{"murmur2_random", "60000"},
		{"fnv1a_random", "60000"},
		{"random", "60000"},
		{"consistent_random", "0"},
		{"random", "0"},
	} {
		list = append(list, scenario{
			name:     fmt.Sprintf("no key, partitioner %s, sticky for %s ms", c.partitioner, c.linger),
			config:   []string{"partitioner=" + c.partitioner, "sticky.partitioning.linger.ms=" + c.linger},
			script:   script{topics: topic(8, "t")},
			steps:    append(warm("t"), call("200 calls", numbered("t", 200)...), reports("report")),
			anywhere: true,
			spread:   true,
		})
	}
	list = append(list, scenario{
		name:     "keys, partitioner random",
		config:   []string{"partitioner=random"},
		script:   script{topics: topic(8, "t")},
		steps:    []play.Step{call("200 calls", keys("t", 200)...), reports("report")},
		anywhere: true,
		spread:   true,
	})
	return list
}

// keyScenario: the partition of each key is the same through both.
func keyScenario(partitioner string) scenario {
	s := scenario{
		name:   "keys, partitioner " + partitioner,
		config: []string{"partitioner=" + partitioner},
		script: script{topics: topic(7, "t")},
		steps:  []play.Step{call("calls", keys("t", 64)...), reports("report")},
	}
	if partitioner == "" {
		s.name, s.config = "keys, partitioner left alone", nil
	}
	if !strings.HasSuffix(partitioner, "random") && partitioner != "" {
		// These choose a partition for an empty key and for none too.
		s.steps = append(s.steps, call("an empty key and none", keyed("t", "", "empty"), message("t", "none")), reports("second report"))
	}
	return s
}

// keys are n messages with keys of growing length, some of them no text.
func keys(topic string, n int) []play.Record {
	list := make([]play.Record, n)
	for i := range list {
		key := fmt.Sprintf("%d-%s", i, strings.Repeat("k\xff\x00", i%9))
		list[i] = keyed(topic, key, fmt.Sprint(i))
	}
	return list
}

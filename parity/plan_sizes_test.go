package parity

import (
	"fmt"
	"strings"

	"github.com/halon-extras/kafka/parity/play"
)

// sizeScenarios: message.max.bytes to the byte, and values, keys and headers that are empty or none.
func sizeScenarios() []scenario {
	atTheEdge := func(sizedSo func(n int) play.Record) []play.Step {
		var calls []play.Record
		for n := 800; n <= 1100; n++ {
			calls = append(calls, sizedSo(n))
		}
		return []play.Step{
			call("values of 800 to 1100 bytes", calls...), reports("first reports"),
			call("the same again", calls...), reports("second reports"),
		}
	}
	value := func(n int) play.Record { return sized("t", n) }
	list := []scenario{
		{
			name:   "too large",
			script: script{topics: topic(1, "t")},
			steps:  twice(sized("t", 1000001)),
		},
		{
			name:   "too large for the queue and for Kafka, topic unknown",
			config: []string{"queue.buffering.max.kbytes=1"},
			steps:  twice(sized("nowhere", 1000001)),
		},
		{
			name:   "as large as the default allows",
			script: script{topics: topic(1, "t")},
			steps:  []play.Step{call("a call", sized("t", 900000)), reports("report")},
		},
		{
			name:   "message.max.bytes=1000, value only",
			config: []string{"message.max.bytes=1000"},
			script: script{topics: topic(1, "t")},
			steps:  atTheEdge(value),
		},
		{
			name:   "message.max.bytes=1000, with a key",
			config: []string{"message.max.bytes=1000"},
			script: script{topics: topic(1, "t")},
			steps: atTheEdge(func(n int) play.Record {
				r := value(n)
				key := []byte(strings.Repeat("k", 70))
				r.Key = &key
				return r
			}),
		},
		{
			name:   "message.max.bytes=1000, compressed",
			config: []string{"message.max.bytes=1000", "compression.codec=gzip"},
			script: script{topics: topic(1, "t")},
			steps:  atTheEdge(value),
		},
		{
			name:   "null, empty and binary values and keys",
			script: script{topics: topic(1, "t")},
			steps:  []play.Step{call("calls", bytesOfAllKinds()...), reports("report")},
		},
	}
	// The lengths of headers are varints: their own length changes at 64 bytes.
	for _, n := range []int{0, 1, 63, 64, 300} {
		list = append(list, scenario{
			name:   fmt.Sprintf("message.max.bytes=1000, a header of %d and %d bytes", n, n),
			config: []string{"message.max.bytes=1000"},
			script: script{topics: topic(1, "t")},
			steps: atTheEdge(func(size int) play.Record {
				r := sized("t", size-2*n)
				r.Headers = []play.Header{{Name: strings.Repeat("n", n), Value: []byte(strings.Repeat("h", n))}}
				return r
			}),
			plain: true,
		})
	}
	return list
}

func bytesOfAllKinds() []play.Record {
	var list []play.Record
	forms := [][]byte{nil, {}, []byte("text"), []byte("a\x00b"), {0xff, 0xfe, 0}}
	for _, key := range forms {
		for _, value := range forms {
			r := play.Record{Topic: "t", Partition: 0}
			if key != nil {
				r.Key = &key
			}
			if value != nil {
				r.Value = &value
			}
			list = append(list, r)
		}
	}
	return list
}

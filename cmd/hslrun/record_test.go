package main

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestRecordLineHasAllOfARecord(t *testing.T) {
	r := &kgo.Record{
		Topic: "t", Partition: 2, Offset: 7, Timestamp: time.UnixMilli(1760861109250), Key: []byte("k"), Value: []byte{},
		Headers: []kgo.RecordHeader{{Key: "foo", Value: []byte("bar")}, {Key: "null"}},
	}
	const want = `{"topic":"t","partition":2,"offset":7,"timestamp":1760861109250,"key":"k","value":"","headers":[["foo","bar"],["null",null]]}`
	if got := recordLine(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

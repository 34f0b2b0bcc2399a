package main

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestRecordLine(t *testing.T) {
	at := time.UnixMilli(1760861109250)
	for _, c := range []struct {
		name   string
		record kgo.Record
		want   string
	}{
		{
			"the README's",
			kgo.Record{Key: []byte("mykey"), Value: []byte("myvalue"), Headers: []kgo.RecordHeader{{Key: "foo", Value: []byte("bar")}, {Key: "biz", Value: []byte("buz")}}},
			`{"topic":"t","partition":2,"offset":7,"timestamp":1760861109250,"key":"mykey","value":"myvalue","headers":[["foo","bar"],["biz","buz"]]}`,
		},
		{
			"null is not empty",
			kgo.Record{Value: []byte{}},
			`{"topic":"t","partition":2,"offset":7,"timestamp":1760861109250,"key":null,"value":"","headers":[]}`,
		},
		{
			"bytes that are not UTF-8",
			kgo.Record{Key: []byte("\xff\x00"), Value: []byte("\x80"), Headers: []kgo.RecordHeader{{Key: "\xfe", Value: []byte("\xff")}, {Key: "", Value: nil}, {Key: "e", Value: []byte{}}}},
			`{"topic":"t","partition":2,"offset":7,"timestamp":1760861109250,"key_base64":"/wA=","value_base64":"gA==","headers":[[{"base64":"/g=="},{"base64":"/w=="}],["",null],["e",""]]}`,
		},
		{
			"text stays readable",
			kgo.Record{Key: []byte(`<a href="x">&`), Value: []byte("Grüße\n\x00\u2028")},
			`{"topic":"t","partition":2,"offset":7,"timestamp":1760861109250,"key":"<a href=\"x\">&","value":"Grüße\n\u0000\u2028","headers":[]}`,
		},
	} {
		r := c.record
		r.Topic, r.Partition, r.Offset, r.Timestamp = "t", 2, 7, at
		if got := recordLine(&r); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

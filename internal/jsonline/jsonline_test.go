package jsonline_test

import (
	"encoding/json"
	"testing"

	"github.com/halon-extras/kafka/internal/jsonline"
	"github.com/halon-extras/kafka/internal/record"
)

func TestARecordIsOneLine(t *testing.T) {
	for _, c := range []struct {
		sentence string
		record   record.Record
		want     string
	}{
		{
			"the README's",
			record.Record{Topic: "t", Key: []byte("mykey"), Value: []byte("myvalue"), Headers: []record.Header{{Key: "foo", Value: []byte("bar")}, {Key: "biz", Value: []byte("buz")}}},
			`{"topic":"t","partition":2,"offset":7,"timestamp":1760861109250,"key":"mykey","value":"myvalue","headers":[["foo","bar"],["biz","buz"]]}`,
		},
		{
			"null is not empty",
			record.Record{Topic: "", Value: []byte{}},
			`{"topic":"","partition":2,"offset":7,"timestamp":1760861109250,"key":null,"value":"","headers":[]}`,
		},
		{
			"bytes that are not UTF-8",
			record.Record{Topic: "\xfe", Key: []byte("\xff\x00"), Value: []byte("\x80"), Headers: []record.Header{{Key: "\xfe", Value: []byte("\xff")}, {Key: "", Value: nil}, {Key: "e", Value: []byte{}}}},
			`{"topic_base64":"/g==","partition":2,"offset":7,"timestamp":1760861109250,"key_base64":"/wA=","value_base64":"gA==","headers":[[{"base64":"/g=="},{"base64":"/w=="}],["",null],["e",""]]}`,
		},
		{
			"text stays readable, and on one line",
			record.Record{Topic: "t", Key: []byte(`<a href="x">&`), Value: []byte("Grüße\n\x00\u2028")},
			`{"topic":"t","partition":2,"offset":7,"timestamp":1760861109250,"key":"<a href=\"x\">&","value":"Grüße\n\u0000\u2028","headers":[]}`,
		},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			r := c.record
			r.Partition, r.Timestamp = 2, 1760861109250
			got := string(jsonline.Append([]byte("before "), &r, jsonline.Place{Name: "offset", Number: 7}))
			if got != "before "+c.want {
				t.Errorf("got\n%s\nwant\nbefore %s", got, c.want)
			}
			if !json.Valid([]byte(c.want)) {
				t.Error("that is no JSON")
			}
		})
	}
}

func TestADeadLetterSaysWhy(t *testing.T) {
	r := record.Record{Topic: "t", Partition: -1}
	for reason, end := range map[string]string{
		"Broker: Message size too large": `,"errno":10,"reason":"Broker: Message size too large"}`,
		"\xff":                           `,"errno":10,"reason_base64":"/w=="}`,
		"":                               `,"errno":10,"reason":""}`,
	} {
		const begin = `{"topic":"t","partition":-1,"seq":18446744073709551615,"timestamp":0,"key":null,"value":null,"headers":[]`
		if got := string(jsonline.AppendLetter(nil, &r, jsonline.Place{Name: "seq", Number: 1<<64 - 1}, 10, reason)); got != begin+end || !json.Valid([]byte(got)) {
			t.Errorf("got\n%s\nwant\n%s", got, begin+end)
		}
	}
}

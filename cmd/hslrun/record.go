package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// recordLine is a record as one JSON object. The order of its keys is part of the interface.
func recordLine(r *kgo.Record) string {
	b := append([]byte(`{"topic":`), quoted(r.Topic)...)
	b = append(b, `,"partition":`...)
	b = strconv.AppendInt(b, int64(r.Partition), 10)
	b = append(b, `,"offset":`...)
	b = strconv.AppendInt(b, r.Offset, 10)
	b = append(b, `,"timestamp":`...)
	b = strconv.AppendInt(b, r.Timestamp.UnixMilli(), 10)
	b = appendField(b, "key", r.Key)
	b = appendField(b, "value", r.Value)
	b = append(b, `,"headers":[`...)
	for i, h := range r.Headers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = appendBytes(b, []byte(h.Key), true)
		b = append(b, ',')
		b = appendBytes(b, h.Value, h.Value != nil)
		b = append(b, ']')
	}
	return string(append(b, ']', '}'))
}

// appendField is "name":null, "name":"text" or "name_base64":"bytes".
func appendField(b []byte, name string, v []byte) []byte {
	b = append(b, `,"`+name...)
	switch {
	case v == nil:
		return append(b, `":null`...)
	case utf8.Valid(v):
		return append(append(b, `":`...), quoted(string(v))...)
	}
	return append(append(b, `_base64":`...), encoded(v)...)
}

// appendBytes is null, "text" or {"base64":"bytes"}.
func appendBytes(b, v []byte, set bool) []byte {
	switch {
	case !set:
		return append(b, "null"...)
	case utf8.Valid(v):
		return append(b, quoted(string(v))...)
	}
	return append(append(append(b, `{"base64":`...), encoded(v)...), '}')
}

func encoded(v []byte) string { return `"` + base64.StdEncoding.EncodeToString(v) + `"` }

// quoted is s as a JSON string, with <, > and & as they are: the line is for people too.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

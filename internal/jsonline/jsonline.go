// Package jsonline is a record as one line of JSON: what hslrun prints of a topic and halon-kafka of a spool.
//
// It promises that no byte is lost, null is not empty, and text stays readable: what is UTF-8 is a string,
// what is not is base64 under another name. The names and their order are an interface, since other programs read
// the lines. It is pure, knows no Kafka client and no disk, and may be called from any goroutine.
package jsonline

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/halon-extras/kafka/internal/record"
)

// Place is where the record is in the log that it was read from: "offset" of a partition, "seq" of a spool.
type Place struct {
	Name   string
	Number uint64
}

// Append appends the line to dst, without a line feed:
//
//	{"topic":"t","partition":0,"offset":7,"timestamp":1760861109250,"key":null,"value":"v","headers":[["name","value"]]}
//
// A topic, key or value that is not UTF-8 is called topic_base64, key_base64 or value_base64; such a name or value of
// a header is {"base64":"..."}.
func Append(dst []byte, r *record.Record, at Place) []byte {
	dst = appendRecord(dst, r, at)
	return append(dst, '}')
}

// AppendLetter appends the line of a dead letter: a record's, and why it is one, in
//
//	"errno":10,"reason":"Broker: Message size too large"
func AppendLetter(dst []byte, r *record.Record, at Place, errno int32, reason string) []byte {
	dst = appendRecord(dst, r, at)
	dst = append(dst, `,"errno":`...)
	dst = strconv.AppendInt(dst, int64(errno), 10)
	dst = appendField(dst, ',', "reason", []byte(reason))
	return append(dst, '}')
}

func appendRecord(dst []byte, r *record.Record, at Place) []byte {
	dst = appendField(dst, '{', "topic", append([]byte{}, r.Topic...))
	dst = append(dst, `,"partition":`...)
	dst = strconv.AppendInt(dst, int64(r.Partition), 10)
	dst = append(append(append(dst, `,"`...), at.Name...), `":`...)
	dst = strconv.AppendUint(dst, at.Number, 10)
	dst = append(dst, `,"timestamp":`...)
	dst = strconv.AppendInt(dst, r.Timestamp, 10)
	dst = appendField(dst, ',', "key", r.Key)
	dst = appendField(dst, ',', "value", r.Value)
	dst = append(dst, `,"headers":[`...)
	for i, h := range r.Headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		dst = appendBytes(dst, []byte(h.Key), true)
		dst = append(dst, ',')
		dst = appendBytes(dst, h.Value, h.Value != nil)
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// appendField is "name":null, "name":"text" or "name_base64":"bytes".
func appendField(dst []byte, before byte, name string, v []byte) []byte {
	dst = append(append(dst, before, '"'), name...)
	switch {
	case v == nil:
		return append(dst, `":null`...)
	case utf8.Valid(v):
		return append(append(dst, `":`...), quoted(string(v))...)
	}
	return append(append(dst, `_base64":`...), encoded(v)...)
}

// appendBytes is null, "text" or {"base64":"bytes"}.
func appendBytes(dst, v []byte, set bool) []byte {
	switch {
	case !set:
		return append(dst, "null"...)
	case utf8.Valid(v):
		return append(dst, quoted(string(v))...)
	}
	return append(append(append(dst, `{"base64":`...), encoded(v)...), '}')
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

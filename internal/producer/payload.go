package producer

import (
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/stored"
)

// payload appends r as the spool keeps it, see package stored.
func payload(dst []byte, r *record.Record) []byte {
	s := stored.Record{
		Timestamp: r.Timestamp, Partition: r.Partition, Topic: r.Topic, Key: r.Key, Value: r.Value,
	}
	for _, h := range r.Headers {
		s.Headers = append(s.Headers, stored.Header{Key: h.Key, Value: h.Value})
	}
	return stored.Append(dst, &s)
}

// payloadOf is payload for the record of an entry.
func payloadOf(dst []byte, e *entry) []byte {
	r := e.record()
	return payload(dst, &r)
}

// recordOf is the reverse of payload. The bytes stay d's.
func recordOf(d *stored.Record) record.Record {
	r := record.Record{
		Topic: d.Topic, Partition: d.Partition, Key: d.Key, Value: d.Value, Timestamp: d.Timestamp,
	}
	for _, h := range d.Headers {
		r.Headers = append(r.Headers, record.Header{Key: h.Key, Value: h.Value})
	}
	return r
}

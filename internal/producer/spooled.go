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

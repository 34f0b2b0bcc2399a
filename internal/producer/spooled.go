package producer

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/stored"
)

// payload appends r as the spool keeps it, see package stored.
func payload(dst []byte, r *kgo.Record) []byte {
	s := stored.Record{
		Timestamp: r.Timestamp.UnixMilli(), Partition: r.Partition, Topic: r.Topic, Key: r.Key, Value: r.Value,
	}
	for _, h := range r.Headers {
		s.Headers = append(s.Headers, stored.Header{Key: h.Key, Value: h.Value})
	}
	return stored.Append(dst, &s)
}

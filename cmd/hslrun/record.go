package main

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/jsonline"
	"github.com/halon-extras/kafka/internal/record"
)

// recordLine is a record as one JSON object, see package jsonline.
func recordLine(r *kgo.Record) string {
	one := record.Record{Topic: r.Topic, Partition: r.Partition, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		one.Headers = append(one.Headers, record.Header(h))
	}
	return string(jsonline.Append(nil, &one, jsonline.Place{Name: "offset", Number: uint64(r.Offset)}))
}

package main

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/jsonline"
)

// recordLine is a record as one JSON object, see package jsonline.
func recordLine(r *kgo.Record) string {
	line := jsonline.Record{
		Topic: r.Topic, Partition: r.Partition, Place: jsonline.Place{Name: "offset", Number: uint64(r.Offset)},
		Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value,
	}
	for _, h := range r.Headers {
		line.Headers = append(line.Headers, jsonline.Header{Key: h.Key, Value: h.Value})
	}
	return string(jsonline.Append(nil, &line))
}

//go:build pin

// Package pin holds the version and the hash of the module that carries the librdkafka of the baseline plugin.
//
// It is never built. Its import only keeps the module in go.mod and go.sum, apart from the modules that ship.
package pin

import _ "github.com/confluentinc/confluent-kafka-go/v2/kafka/librdkafka_vendor"

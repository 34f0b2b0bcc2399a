//go:build pin

// Package baseline pins the librdkafka that the baseline plugin is linked with.
//
// It is never built: the import only keeps the version and the hash of the module that carries the static
// archives and the header in go.mod and go.sum, apart from the modules that ship. The plugin is C: see plugin.c.
package baseline

import _ "github.com/confluentinc/confluent-kafka-go/v2/kafka/librdkafka_vendor"

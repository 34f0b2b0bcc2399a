module github.com/halon-extras/kafka/bench/baseline

go 1.26.0

// The librdkafka of the baseline plugin. A module of its own: nothing of it may reach the modules that ship.
require github.com/confluentinc/confluent-kafka-go/v2 v2.15.0

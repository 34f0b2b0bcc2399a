package conf

import (
	"math"
	"slices"
)

// topicProperties are the rows of producing and consuming, for each topic, in librdkafka's order.
var topicProperties = []Property{
	{
		Name: "request.required.acks", Scope: TopicScope, Role: ProducerRole, Kind: Int, Min: -1, Max: 1000, Default: "-1", Importance: High,
		Words: []Word{{Name: "all", Value: -1}},
		Why:   "2 to 1000 are refused by every broker, so they fail with 21 here",
		Doc:   "How many replicas must have a message before it counts as delivered; all is -1.",
	},
	{Name: "acks", Scope: TopicScope, Role: ProducerRole, Kind: Alias, Alias: "request.required.acks"},
	{
		Name: "request.timeout.ms", Scope: TopicScope, Role: ProducerRole, Kind: Int, Min: 1, Max: 900000, Default: "30000", Importance: Medium,
		Why: "100 ms at least",
		Doc: "How long the broker may wait for its replicas.",
	},
	{
		Name: "message.timeout.ms", Scope: TopicScope, Role: ProducerRole, Kind: Int, Max: math.MaxInt32, Default: "300000", Importance: High,
		Why: "a deadline for each message",
		Doc: "How long a message may take to be delivered, retries included; 0 is for ever.",
	},
	{Name: "delivery.timeout.ms", Scope: TopicScope, Role: ProducerRole, Kind: Alias, Alias: "message.timeout.ms"},
	{
		Name: "queuing.strategy", Scope: TopicScope, Role: ProducerRole, Kind: Enum, Default: "fifo", Importance: Low,
		Words:      []Word{{Name: "fifo", Value: 0}, {Name: "lifo", Value: 1}},
		Deprecated: true, Experimental: true,
		Notice: "Producer queuing strategy. FIFO preserves produce ordering, while LIFO prioritizes new messages.",
		Why:    "lifo sends the newest messages of a partition first, as far as they wait to be sent",
		Doc:    "Which of the waiting messages goes first.",
	},
	{
		Name: "produce.offset.report", Scope: TopicScope, Role: ProducerRole, Kind: Bool, Default: "false", Importance: Low,
		Deprecated: true,
		Notice:     "No longer used.",
		How:        NothingToDo, Why: "librdkafka does not use it either",
		Doc: "Whether offsets are reported.",
	},
	{
		Name: "partitioner", Scope: TopicScope, Role: ProducerRole, Kind: String, Default: "consistent_random", Importance: High,
		invalid: func(s string) bool { return !slices.Contains(partitioners, s) },
		Why:     "bit for bit as librdkafka",
		Doc:     "How the partition of a message is chosen that names none.",
	},
	{Name: "partitioner_cb", Scope: TopicScope, Role: ProducerRole, Kind: Pointer},
	{Name: "msg_order_cmp", Scope: TopicScope, Role: ProducerRole, Kind: Pointer, Deprecated: true, Experimental: true},
	{Name: "opaque", Scope: TopicScope, Kind: Pointer},
	{
		Name: "compression.codec", Scope: TopicScope, Role: ProducerRole, Kind: Enum, Default: "inherit", Importance: High,
		Words: []Word{{Name: "none", Value: 0}, {Name: "gzip", Value: 1}, {Name: "snappy", Value: 2}, {Name: "lz4", Value: 3}, {Name: "zstd", Value: 4}, {Name: "inherit", Value: 5}},
		Why:   "overrides the global one unless it is inherit",
		Doc:   "The same for topics; only reachable as topic.compression.codec.",
	},
	{Name: "compression.type", Scope: TopicScope, Role: ProducerRole, Kind: Alias, Alias: "compression.codec"},
	{
		Name: "compression.level", Scope: TopicScope, Role: ProducerRole, Kind: Int, Min: -1, Max: 12, Default: "-1", Importance: Medium,
		Why: "capped at what the codec has",
		Doc: "How hard to compress; -1 is the codec's own default.",
	},
	{
		Name: "auto.commit.enable", Scope: TopicScope, Role: ConsumerRole, Kind: Bool, Default: "true", Importance: Low,
		Deprecated: true,
		Notice:     "[**LEGACY PROPERTY:** This property is used by the simple legacy consumer only. When using the high-level KafkaConsumer, the global `enable.auto.commit` property must be used instead]. If true, periodically commit offset of the last message handed to the application. This committed offset will be used when the process restarts to pick up where it left off. If false, the application will have to call `rd_kafka_offset_store()` to store an offset (optional). Offsets will be written to broker or local file according to offset.store.method.",
		Doc:        "Whether the old simple consumer commits by itself.",
	},
	{Name: "enable.auto.commit", Scope: TopicScope, Role: ConsumerRole, Kind: Alias, Alias: "auto.commit.enable"},
	{
		Name: "auto.commit.interval.ms", Scope: TopicScope, Role: ConsumerRole, Kind: Int, Min: 10, Max: 86400000, Default: "60000", Importance: High,
		Doc: "How often the old simple consumer commits; only reachable as topic.auto.commit.interval.ms.",
	},
	{
		Name: "auto.offset.reset", Scope: TopicScope, Role: ConsumerRole, Kind: Enum, Default: "largest", Importance: High,
		Words: []Word{{Name: "smallest", Value: 0}, {Name: "earliest", Value: 0}, {Name: "beginning", Value: 0}, {Name: "largest", Value: 1}, {Name: "latest", Value: 1}, {Name: "end", Value: 1}, {Name: "error", Value: 2}},
		Doc:   "Where a consumer without an offset begins.",
	},
	{
		Name: "offset.store.path", Scope: TopicScope, Role: ConsumerRole, Kind: String, Default: ".", Importance: Low,
		Deprecated: true,
		Notice:     "Path to local file for storing offsets. If the path is a directory a filename will be automatically generated in that directory based on the topic and partition. File-based offset storage will be removed in a future version.",
		Doc:        "The file for a consumer's offsets.",
	},
	{
		Name: "offset.store.sync.interval.ms", Scope: TopicScope, Role: ConsumerRole, Kind: Int, Min: -1, Max: 86400000, Default: "-1", Importance: Low,
		Deprecated: true,
		Notice:     "fsync() interval for the offset file, in milliseconds. Use -1 to disable syncing, and 0 for immediate sync after each write. File-based offset storage will be removed in a future version.",
		Doc:        "How often that file is synced.",
	},
	{
		Name: "offset.store.method", Scope: TopicScope, Role: ConsumerRole, Kind: Enum, Default: "broker", Importance: Low,
		Words:      []Word{{Name: "file", Value: 0}, {Name: "broker", Value: 1}},
		Deprecated: true,
		Notice:     "Offset commit store method: 'file' - DEPRECATED: local file store (offset.store.path, et.al), 'broker' - broker commit store (requires \"group.id\" to be configured and Apache Kafka 0.8.2 or later on the broker.).",
		Doc:        "The same for topics; only reachable as topic.offset.store.method.",
	},
	{
		Name: "consume.callback.max.messages", Scope: TopicScope, Role: ConsumerRole, Kind: Int, Max: 1000000, Default: "0", Importance: Low,
		Doc: "How many messages one call of the old simple consumer gives.",
	},
}

// partitioners are the values of the property partitioner. What they do with a key is the intake's to know, which chooses partitions.
var partitioners = []string{"random", "consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"}

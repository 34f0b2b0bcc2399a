package conf

import "math"

// consumerProperties are the rows of consumers: checked, then ignored with a warning, in librdkafka's order.
var consumerProperties = []Property{
	{
		Name: "group.id", Role: ConsumerRole, Kind: String, Importance: High,
		Doc: "The consumer group to join.",
	},
	{
		Name: "group.instance.id", Role: ConsumerRole, Kind: String, Importance: Medium,
		Doc: "The fixed member id in the consumer group.",
	},
	{
		Name: "partition.assignment.strategy", Role: ConsumerRole, Kind: String, Default: "range,roundrobin", Importance: Medium,
		Doc: "How partitions are shared in a consumer group; unknown names refuse a producer too.",
	},
	{
		Name: "session.timeout.ms", Role: ConsumerRole, Kind: Int, Min: 1, Max: 3600000, Default: "45000", Importance: High,
		Doc: "How long a silent member stays in its group.",
	},
	{
		Name: "heartbeat.interval.ms", Role: ConsumerRole, Kind: Int, Min: 1, Max: 3600000, Default: "3000", Importance: Low,
		Doc: "How often a member reports to its group.",
	},
	{
		Name: "group.protocol.type", Role: ConsumerRole, Kind: KafkaString, Default: "consumer", Importance: Low,
		Doc: "The protocol type of a consumer group.",
	},
	{
		Name: "group.protocol", Role: ConsumerRole, Kind: Enum, Default: "classic", Importance: High,
		Words: []Word{{Name: "classic", Value: 0}, {Name: "consumer", Value: 1}},
		Doc:   "The protocol of a consumer group.",
	},
	{
		Name: "group.remote.assignor", Role: ConsumerRole, Kind: String, Importance: Medium,
		Doc: "The assignor that the broker uses for a group.",
	},
	{
		Name: "coordinator.query.interval.ms", Role: ConsumerRole, Kind: Int, Min: 1, Max: 3600000, Default: "600000", Importance: Low,
		Doc: "How often the group coordinator is looked up.",
	},
	{
		Name: "max.poll.interval.ms", Role: ConsumerRole, Kind: Int, Min: 1, Max: 86400000, Default: "300000", Importance: High,
		Doc: "How long a consumer may take between two polls.",
	},
	{
		Name: "enable.auto.commit", Role: ConsumerRole, Kind: Bool, Default: "true", Importance: High,
		Doc: "Whether offsets are committed by themselves.",
	},
	{
		Name: "auto.commit.interval.ms", Role: ConsumerRole, Kind: Int, Max: 86400000, Default: "5000", Importance: Medium,
		Doc: "How often offsets are committed.",
	},
	{
		Name: "enable.auto.offset.store", Role: ConsumerRole, Kind: Bool, Default: "true", Importance: High,
		Doc: "Whether the offset of a delivered message is stored by itself.",
	},
	{
		Name: "queued.min.messages", Role: ConsumerRole, Kind: Int, Min: 1, Max: 10000000, Default: "100000", Importance: Medium,
		Doc: "How many fetched messages are kept ready.",
	},
	{
		Name: "queued.max.messages.kbytes", Role: ConsumerRole, Kind: Int, Min: 1, Max: 2097151, Default: "65536", Importance: Medium,
		Doc: "How many bytes of fetched messages are kept ready.",
	},
	{
		Name: "fetch.wait.max.ms", Role: ConsumerRole, Kind: Int, Max: 300000, Default: "500", Importance: Low,
		Doc: "How long a broker may wait to fill a fetch.",
	},
	{
		Name: "fetch.queue.backoff.ms", Role: ConsumerRole, Kind: Int, Max: 300000, Default: "1000", Importance: Medium,
		Doc: "The pause in fetching while enough is queued.",
	},
	{
		Name: "fetch.message.max.bytes", Role: ConsumerRole, Kind: Int, Min: 1, Max: 1000000000, Default: "1048576", Importance: Medium,
		Doc: "How much is fetched from one partition at a time.",
	},
	{Name: "max.partition.fetch.bytes", Role: ConsumerRole, Kind: Alias, Alias: "fetch.message.max.bytes"},
	{
		Name: "fetch.max.bytes", Role: ConsumerRole, Kind: Int, Max: 2147483135, Default: "52428800", Importance: Medium,
		Doc: "How much is fetched at a time.",
	},
	{
		Name: "fetch.min.bytes", Role: ConsumerRole, Kind: Int, Max: math.MaxInt32, Default: "1", Importance: Low,
		Doc: "How much a fetch waits for.",
	},
	{
		Name: "fetch.error.backoff.ms", Role: ConsumerRole, Kind: Int, Max: 300000, Default: "500", Importance: Medium,
		Doc: "The pause after a failed fetch.",
	},
	{
		Name: "offset.store.method", Role: ConsumerRole, Kind: Enum, Default: "broker", Importance: Low,
		Words:      []Word{{Name: "none", Value: 0}, {Name: "file", Value: 1}, {Name: "broker", Value: 2}},
		Deprecated: true,
		Notice:     "Offset commit store method: 'file' - DEPRECATED: local file store (offset.store.path, et.al), 'broker' - broker commit store (requires Apache Kafka 0.8.2 or later on the broker).",
		Doc:        "Where offsets are stored.",
	},
	{
		Name: "isolation.level", Role: ConsumerRole, Kind: Enum, Default: "read_committed", Importance: High,
		Words: []Word{{Name: "read_uncommitted", Value: 0}, {Name: "read_committed", Value: 1}},
		Doc:   "Whether messages of open transactions are read.",
	},
	{Name: "consume_cb", Role: ConsumerRole, Kind: Pointer},
	{Name: "rebalance_cb", Role: ConsumerRole, Kind: Pointer},
	{Name: "offset_commit_cb", Role: ConsumerRole, Kind: Pointer},
	{
		Name: "enable.partition.eof", Role: ConsumerRole, Kind: Bool, Default: "false", Importance: Low,
		Doc: "Whether the end of a partition is reported.",
	},
	{
		Name: "check.crcs", Role: ConsumerRole, Kind: Bool, Default: "false", Importance: Medium,
		Doc: "Whether checksums of fetched messages are checked.",
	},
	{
		Name: "client.rack", Kind: KafkaString, EmptyDefault: true, Importance: Low,
		How: NothingToDo, Why: "a producer of librdkafka does not use it either",
		Doc: "The rack of this client.",
	},
	{
		Name: "max.poll.records", Role: ConsumerRole, Kind: Int, Min: 1, Max: math.MaxInt32, Default: "500", Importance: Low,
		Doc: "How many messages one poll of a share consumer returns.",
	},
	{
		Name: "share.acknowledgement.mode", Role: ConsumerRole, Kind: String, Default: "implicit", Importance: Medium,
		Doc: "How a share consumer acknowledges.",
	},
}

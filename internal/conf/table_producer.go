package conf

import "math"

// producerProperties are the rows of producing, for the queue as a whole, in librdkafka's order.
var producerProperties = []Property{
	{
		Name: "transactional.id", Role: ProducerRole, Kind: String, Importance: High,
		Why: "every message is refused with -172, as no transaction is ever begun",
		Doc: "The name of a transactional producer; this plugin begins no transactions.",
	},
	{
		Name: "transaction.timeout.ms", Role: ProducerRole, Kind: Int, Min: 1000, Max: math.MaxInt32, Default: "60000", Importance: Medium,
		Why: "only the checks that it takes part in",
		Doc: "How long a transaction may stay open.",
	},
	{
		Name: "enable.idempotence", Role: ProducerRole, Kind: Bool, Default: "false", Importance: High,
		Why: "with a durable spool each message is delivered once, also over a kill; that needs the right to read the topics beside that to write them (see guarantees.md)",
		Doc: "Whether the broker drops a message that a retry sent twice.",
	},
	{
		Name: "enable.gapless.guarantee", Role: ProducerRole, Kind: Bool, Default: "false", Importance: Low,
		Experimental: true,
		Notice:       "When set to `true`, any error that could result in a gap in the produced message series when a batch of messages fails, will raise a fatal error (ERR__GAPLESS_GUARANTEE) and stop the producer. Messages failing due to `message.timeout.ms` are not covered by this guarantee. Requires `enable.idempotence=true`.",
		Why:          "the queue stops, and calls are answered -150, when the broker misses messages before others",
		Doc:          "Whether a gap in an idempotent series stops the producer.",
	},
	{
		Name: "queue.buffering.max.messages", Role: ProducerRole, Kind: Int, Max: math.MaxInt32, Default: "100000", Importance: High,
		Why: "counted at the call",
		Doc: "How many messages may be in the queue; 0 is no limit.",
	},
	{
		Name: "queue.buffering.max.kbytes", Role: ProducerRole, Kind: Int, Min: 1, Max: math.MaxInt32, Default: "1048576", Importance: High,
		Why: "the bytes of the values, counted at the call",
		Doc: "How many KiB of message values may be in the queue.",
	},
	{
		Name: "queue.buffering.max.ms", Role: ProducerRole, Kind: Double, Max: 900000, Default: "5", Importance: High,
		Why: "the queue waits, and a request takes all that has come meanwhile",
		Doc: "How long a message waits for others to share its batch, in milliseconds.",
	},
	{Name: "linger.ms", Role: ProducerRole, Kind: Alias, Alias: "queue.buffering.max.ms"},
	{
		Name: "message.send.max.retries", Role: ProducerRole, Kind: Int, Max: math.MaxInt32, Default: "2147483647", Importance: High,
		Doc: "How often a message that failed is sent again.",
	},
	{Name: "retries", Role: ProducerRole, Kind: Alias, Alias: "message.send.max.retries"},
	{
		Name: "retry.backoff.ms", Kind: Int, Min: 1, Max: 300000, Default: "100", Importance: Medium,
		Doc: "The first pause before a retry; it doubles with each one.",
	},
	{
		Name: "retry.backoff.max.ms", Kind: Int, Min: 1, Max: 300000, Default: "1000", Importance: Medium,
		Doc: "The longest pause before a retry.",
	},
	{
		Name: "queue.buffering.backpressure.threshold", Role: ProducerRole, Kind: Int, Min: 1, Max: 1000000, Default: "1", Importance: Low,
		Doc: "How many unsent requests hold back the building of another.",
	},
	{
		Name: "compression.codec", Role: ProducerRole, Kind: Enum, Default: "none", Importance: Medium,
		Words: []Word{{Name: "none", Value: 0}, {Name: "gzip", Value: 1}, {Name: "snappy", Value: 2}, {Name: "lz4", Value: 3}, {Name: "zstd", Value: 4}},
		Doc:   "How batches are compressed; a broker that lacks the codec gets them plain.",
	},
	{Name: "compression.type", Role: ProducerRole, Kind: Alias, Alias: "compression.codec"},
	{
		Name: "batch.num.messages", Role: ProducerRole, Kind: Int, Min: 1, Max: 1000000, Default: "10000", Importance: Medium,
		Doc: "How many messages a batch may hold.",
	},
	{
		Name: "batch.size", Role: ProducerRole, Kind: Int, Min: 1, Max: math.MaxInt32, Default: "1000000", Importance: Medium,
		Doc: "How many bytes a batch may hold.",
	},
	{
		Name: "delivery.report.only.error", Role: ProducerRole, Kind: Bool, Default: "false", Importance: Low,
		How: NothingToDo, Why: "only failed deliveries are reported in any case",
		Doc: "Whether only failed deliveries are reported.",
	},
	{Name: "dr_cb", Role: ProducerRole, Kind: Pointer},
	{Name: "dr_msg_cb", Role: ProducerRole, Kind: Pointer},
	{
		Name: "sticky.partitioning.linger.ms", Role: ProducerRole, Kind: Int, Max: 900000, Default: "10", Importance: Low,
		Why: "the queue's partitioner",
		Doc: "How long messages without a key go to the same partition; twice linger.ms if not set.",
	},
	{
		Name: "client.dns.lookup", Kind: Enum, Default: "use_all_dns_ips", Importance: Low,
		Words: []Word{{Name: "use_all_dns_ips", Value: 0}, {Name: "resolve_canonical_bootstrap_servers_only", Value: 1}},
		Why:   "the dialer",
		Doc:   "Whether all addresses of a broker are tried, or bootstrap names are made canonical first.",
	},
	{
		Name: "enable.metrics.push", Kind: Bool, Default: "true", Importance: Low,
		How: NotHonoured, Why: "no broker asks for the metrics of a producer unless it is configured to; they are read from this side",
		Doc: "Whether client metrics are sent to brokers that subscribed to them.",
	},
}

package conf

import (
	"math"
	"strings"
)

// hostProperties are the rows of logging, callbacks of a program and protocol versions, in librdkafka's order.
var hostProperties = []Property{
	{
		Name: "statistics.interval.ms", Kind: Int, Max: 86400000, Default: "0", Importance: High,
		Why: "the queue's counters, written to the log as JSON",
		Doc: "How often statistics are written to the log; 0 is never.",
	},
	{
		Name: "enabled_events", Kind: Int, Max: math.MaxInt32, Default: "0", Importance: Low,
		How: NothingToDo, Why: "it selects events of an interface that neither plugin reads",
		Doc: "Which events librdkafka puts on its event queue.",
	},
	{Name: "error_cb", Kind: Pointer},
	{Name: "throttle_cb", Kind: Pointer},
	{Name: "stats_cb", Kind: Pointer},
	{Name: "log_cb", Kind: Pointer},
	{
		Name: "log_level", Kind: Int, Max: 7, Default: "6", Importance: Low,
		Why: "the syslog levels 0 to 7",
		Doc: "The least important level that is logged.",
	},
	{
		Name: "log.queue", Kind: Bool, Default: "false", Importance: Low,
		Why: "true silences the queue, as it does in librdkafka without a log queue",
		Doc: "Whether log lines wait for a queue that somebody reads.",
	},
	{
		Name: "log.thread.name", Kind: Bool, Default: "true", Importance: Low,
		Why: "the prefix of a log line",
		Doc: "Whether log lines name the thread they come from.",
	},
	{
		Name: "enable.random.seed", Kind: Bool, Default: "true", Importance: Low,
		How: NothingToDo, Why: "librdkafka reads it only on systems without rand_r, and Go seeds itself",
		Doc: "Whether librdkafka seeds the C library's random numbers.",
	},
	{
		Name: "log.connection.close", Kind: Bool, Default: "true", Importance: Low,
		Why: "a hook on disconnects",
		Doc: "Whether a connection that closes is logged.",
	},
	{Name: "background_event_cb", Kind: Pointer},
	{Name: "socket_cb", Kind: Pointer},
	{Name: "connect_cb", Kind: Pointer},
	{Name: "closesocket_cb", Kind: Pointer},
	{Name: "open_cb", Kind: Pointer},
	{Name: "resolve_cb", Kind: Pointer},
	{Name: "opaque", Kind: Pointer},
	{Name: "default_topic_conf", Kind: Pointer},
	{
		Name: "internal.termination.signal", Kind: Int, Max: 128, Default: "0", Importance: Low,
		How: NothingToDo, Why: "it wakes librdkafka's threads at the end; this engine's need no signal",
		Doc: "The signal that wakes librdkafka's threads at the end.",
	},
	{
		Name: "api.version.request", Kind: Bool, Default: "true", Importance: High,
		Deprecated: true,
		Notice:     "**Post-deprecation actions: remove this configuration property, brokers < 0.10.0 won't be supported anymore in librdkafka 3.x.** Request broker's supported API versions to adjust functionality to available protocol features. If set to false, or the ApiVersionRequest fails, the fallback version `broker.version.fallback` will be used. **NOTE**: Depends on broker version >=0.10.0. If the request is not supported by (an older) broker the `broker.version.fallback` fallback is used.",
		Why:        "with false, the versions of broker.version.fallback are used",
		Doc:        "Whether brokers are asked which protocol versions they speak.",
	},
	{
		Name: "api.version.request.timeout.ms", Kind: Int, Min: 1, Max: 300000, Default: "10000", Importance: Low,
		Why: "a limit for the first answer on a connection, and for each answer of the login",
		Doc: "How long the answer about protocol versions may take.",
	},
	{
		Name: "api.version.fallback.ms", Kind: Int, Max: 604800000, Default: "0", Importance: Medium,
		Deprecated: true,
		Notice:     "**Post-deprecation actions: remove this configuration property, brokers < 0.10.0 won't be supported anymore in librdkafka 3.x.** Dictates how long the `broker.version.fallback` fallback is used in the case the ApiVersionRequest fails. **NOTE**: The ApiVersionRequest is only issued when a new connection to the broker is made (such as after an upgrade).",
		How:        NotHonoured, Why: "a broker that cannot answer is asked again at each new connection",
		Doc: "How long a broker that cannot tell its versions is treated as old.",
	},
	{
		Name: "broker.version.fallback", Kind: String, Default: "0.10.0", Importance: Medium,
		invalid:    func(s string) bool { return strings.HasPrefix(s, "0.7.") || strings.HasPrefix(s, "0.6.") },
		Deprecated: true,
		Notice:     "**Post-deprecation actions: remove this configuration property, brokers < 0.10.0 won't be supported anymore in librdkafka 3.x.** Older broker versions (before 0.10.0) provide no way for a client to query for supported protocol features (ApiVersionRequest, see `api.version.request`) making it impossible for the client to know what features it may use. As a workaround a user may set this property to the expected broker version and the client will automatically adjust its feature set accordingly if the ApiVersionRequest fails (or is disabled). The fallback broker version will be used for `api.version.fallback.ms`. Valid values are: 0.9.0, 0.8.2, 0.8.1, 0.8.0. Any other value >= 0.10, such as 0.10.2.1, enables ApiVersionRequests.",
		Why:        "used where api.version.request is false",
		Doc:        "The broker version to assume where brokers are not asked.",
	},
	{
		Name: "allow.auto.create.topics", Kind: Bool, Default: "false", Importance: Low,
		Doc: "Whether the brokers may create a topic that is produced to; a producer's default is true.",
	},
}

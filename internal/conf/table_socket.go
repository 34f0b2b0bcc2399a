package conf

import "math"

// socketProperties are the rows of connections, in librdkafka's order.
var socketProperties = []Property{
	{
		Name: "socket.timeout.ms", Kind: Int, Min: 10, Max: 300000, Default: "60000", Importance: Low,
		Why: "100 ms at least",
		Doc: "How long an answer from a broker may take.",
	},
	{
		Name: "socket.blocking.max.ms", Kind: Int, Min: 1, Max: 60000, Default: "1000", Importance: Low,
		Deprecated: true,
		Notice:     "No longer used.",
		How:        NothingToDo, Why: "librdkafka does not use it either",
		Doc: "How long librdkafka's socket calls once could block.",
	},
	{
		Name: "socket.send.buffer.bytes", Kind: Int, Max: 100000000, Default: "0", Importance: Low,
		Why: "the socket option SO_SNDBUF",
		Doc: "The size of a connection's send buffer; 0 leaves it to the system.",
	},
	{
		Name: "socket.receive.buffer.bytes", Kind: Int, Max: 100000000, Default: "0", Importance: Low,
		Why: "the socket option SO_RCVBUF",
		Doc: "The size of a connection's receive buffer; 0 leaves it to the system.",
	},
	{
		Name: "socket.keepalive.enable", Kind: Bool, Default: "false", Importance: Low,
		Why: "the socket option SO_KEEPALIVE",
		Doc: "Whether idle connections are probed by the system.",
	},
	{
		Name: "socket.nagle.disable", Kind: Bool, Default: "true", Importance: Low,
		Why: "the socket option TCP_NODELAY",
		Doc: "Whether small packets leave at once.",
	},
	{
		Name: "socket.max.fails", Kind: Int, Max: 1000000, Default: "1", Importance: Low,
		Why: "a request that times out and leaves the connection open goes on waiting",
		Doc: "How many failed requests close a connection.",
	},
	{
		Name: "broker.address.ttl", Kind: Int, Max: 86400000, Default: "1000", Importance: Low,
		Why: "a cache in front of the resolver",
		Doc: "How long a resolved broker address is kept.",
	},
	{
		Name: "broker.address.family", Kind: Enum, Default: "any", Importance: Low,
		Words: []Word{{Name: "any", Value: 0}, {Name: "v4", Value: 1}, {Name: "v6", Value: 2}},
		Why:   "the dialer's network",
		Doc:   "Which address families are used to reach brokers.",
	},
	{
		Name: "socket.connection.setup.timeout.ms", Kind: Int, Min: 1000, Max: math.MaxInt32, Default: "30000", Importance: Medium,
		Doc: "How long it may take to connect to a broker, TLS included.",
	},
	{
		Name: "connections.max.idle.ms", Kind: Int, Max: math.MaxInt32, Default: "0", Importance: Medium,
		Why: "a connection is made again when it is needed",
		Doc: "How long an unused connection is kept.",
	},
	{
		Name: "enable.sparse.connections", Kind: Bool, Default: "true", Importance: Medium,
		Hidden: true,
		Doc:    "Whether only the brokers that are needed are connected to.",
	},
	{
		Name: "reconnect.backoff.jitter.ms", Kind: Int, Max: 3600000, Default: "0", Importance: Low,
		Deprecated: true,
		Notice:     "No longer used. See `reconnect.backoff.ms` and `reconnect.backoff.max.ms`.",
		How:        NothingToDo, Why: "librdkafka does not use it either",
		Doc: "The jitter that librdkafka once gave to reconnects.",
	},
	{
		Name: "reconnect.backoff.ms", Kind: Int, Max: 3600000, Default: "100", Importance: Medium,
		Why: "a pause in the dialer, for each broker",
		Doc: "The first pause before a broker is connected to again; it doubles with each failure.",
	},
	{
		Name: "reconnect.backoff.max.ms", Kind: Int, Max: 3600000, Default: "10000", Importance: Medium,
		Why: "a pause in the dialer, for each broker",
		Doc: "The longest pause before a broker is connected to again.",
	},
}

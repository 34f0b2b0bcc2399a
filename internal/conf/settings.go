package conf

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Settings is a finished configuration: what a queue and its connections need, in Go's types. It does
// not change and may be shared between goroutines. Zero means "none" where a field says so.
type Settings struct {
	Name     string // as librdkafka names a client in its log: "rdkafka#producer-1"
	ClientID string

	// Brokers are the bootstrap servers as host:port, without duplicates; there may be none.
	Brokers []string

	QueueMaxMessages int   // how many messages may be in the queue; 0 is no limit
	QueueMaxBytes    int64 // how many bytes of values may be in the queue

	Linger           time.Duration // how long a message may wait for others
	StickyLinger     time.Duration // how long the sticky partition is kept; 0 is not at all
	BatchNumMessages int
	BatchSize        int
	MessageMaxBytes  int // with the 36 bytes that librdkafka counts for each message

	MessageTimeout time.Duration // how long a message may take to be delivered; 0 is for ever
	// MessageTimeoutChosen is set if the operator has set message.timeout.ms, be it to its default.
	MessageTimeoutChosen bool

	RequestTimeout   time.Duration // how long a broker may wait for its replicas
	SocketTimeout    time.Duration
	TopicPropagation time.Duration // how long an unknown topic may take to appear
	Retries          int           // how often a failed message is sent again
	RetryBackoff     time.Duration // the first pause before a retry
	RetryBackoffMax  time.Duration // the longest pause before a retry
	ReconnectBackoff time.Duration // the first pause before a reconnect
	ReconnectMax     time.Duration // the longest pause before a reconnect

	// MetadataRefresh is how often topics are asked for, MetadataFast the pause after a lost leader.
	MetadataRefresh, MetadataFast time.Duration

	Acks            int // -1 is all. Above 1 every message fails with 21 at the broker
	Idempotence     bool
	Gapless         bool
	NewestFirst     bool // queuing.strategy=lifo
	Backpressure    int  // requests that are not written yet, from which on no more are made
	SparseMetadata  bool // metadata is asked for only of topics of which something is to be found out
	MaxInFlight     int  // produce requests on one connection
	TransactionalID string
	Transactional   bool // transactional.id has a value, be it empty: every message is refused with -172

	// TopicLingerConflict is set if every produce is refused with -186: linger.ms is not shorter than
	// message.timeout.ms, and librdkafka finds that only at the first message. It then logs, at level
	// 3 with the facility TOPICCONF, `Incompatible configuration settings for topic "NAME": ` and
	// [LingerConflict].
	TopicLingerConflict bool

	Codec           string // none, gzip, snappy, lz4 or zstd
	Level           int    // of the codec, as librdkafka caps it; -1 is its default
	PartitionerName string

	AllowAutoCreate  bool
	SecurityProtocol string // plaintext, ssl, sasl_plaintext or sasl_ssl
	SASLMechanism    string // "" unless the protocol logs in

	LogLevel           int  // syslog's: lines of a higher number are dropped
	Debug              bool // debug names a context
	Silent             bool // log.queue: nothing is logged
	LogThreadName      bool
	LogConnectionClose bool
	StatisticsInterval time.Duration // 0 is never
	network            network
	blacklist          []*regexp.Regexp
	tls                *tlsFiles
	conf               *Conf
	inFlightChosen     bool
}

// Get returns the effective value of a property as text, as [Conf.Get] does: also one that was
// derived from others. It does not hide secrets.
func (s *Settings) Get(name string) (text string, ok bool) { return s.conf.Get(name) }

// Blacklisted reports whether topic.blacklist hides a topic: it is then to be treated as one that
// the cluster does not know.
func (s *Settings) Blacklisted(topic string) bool {
	return slices.ContainsFunc(s.blacklist, func(p *regexp.Regexp) bool { return p.MatchString(topic) })
}

// settings reads the checked configuration into Go's types.
func (c *Conf) settings(instance int, brokers []string) *Settings {
	conflict := !c.topic && c.checkTopic() != ""
	topicMS := func(name string) time.Duration {
		return time.Duration(c.topicValue(name).number) * time.Millisecond
	}
	s := &Settings{
		Name:     clientName(c.text("client.id"), instance),
		ClientID: c.text("client.id"),
		Brokers:  brokers,

		QueueMaxMessages: int(c.number("queue.buffering.max.messages")),
		QueueMaxBytes:    int64(c.number("queue.buffering.max.kbytes")) * 1024,

		Linger:           linger(c.global("linger.ms").double),
		StickyLinger:     c.ms("sticky.partitioning.linger.ms"),
		BatchNumMessages: int(c.number("batch.num.messages")),
		BatchSize:        int(c.number("batch.size")),
		MessageMaxBytes:  int(c.number("message.max.bytes")),

		MessageTimeout:       topicMS("message.timeout.ms"),
		MessageTimeoutChosen: c.topicValue("message.timeout.ms").modified,
		RequestTimeout:       topicMS("request.timeout.ms"),
		SocketTimeout:        c.ms("socket.timeout.ms"),
		TopicPropagation:     c.ms("topic.metadata.propagation.max.ms"),
		Retries:              int(c.number("retries")),
		RetryBackoff:         c.ms("retry.backoff.ms"),
		RetryBackoffMax:      c.ms("retry.backoff.max.ms"),
		ReconnectBackoff:     c.ms("reconnect.backoff.ms"),
		ReconnectMax:         c.ms("reconnect.backoff.max.ms"),
		MetadataRefresh:      c.metadataAge(),
		MetadataFast:         c.ms("topic.metadata.refresh.fast.interval.ms"),

		Acks:            int(c.topicValue("acks").number),
		Idempotence:     c.truth("enable.idempotence"),
		Gapless:         c.truth("enable.gapless.guarantee"),
		NewestFirst:     c.topicValue("queuing.strategy").number != 0,
		Backpressure:    int(c.number("queue.buffering.backpressure.threshold")),
		SparseMetadata:  c.truth("topic.metadata.refresh.sparse"),
		MaxInFlight:     int(c.number("max.in.flight")),
		TransactionalID: c.text("transactional.id"),
		Transactional:   c.present("transactional.id"),

		TopicLingerConflict: conflict,

		PartitionerName: c.topicValue("partitioner").text,

		AllowAutoCreate:  c.truth("allow.auto.create.topics"),
		SecurityProtocol: c.word("security.protocol"),

		LogLevel:           int(c.number("log_level")),
		Debug:              c.number("debug") != 0,
		Silent:             c.truth("log.queue"),
		LogThreadName:      c.truth("log.thread.name"),
		LogConnectionClose: c.truth("log.connection.close"),
		StatisticsInterval: c.ms("statistics.interval.ms"),

		network:        c.network(),
		blacklist:      c.global("topic.blacklist").patterns,
		conf:           c,
		inFlightChosen: c.modified("max.in.flight"),
	}
	s.Codec, s.Level = c.compression()
	if c.usesSASL() {
		s.SASLMechanism = c.text("sasl.mechanisms")
	}
	return s
}

// clientName is what librdkafka puts before its log lines. It has 127 bytes for it.
func clientName(id string, instance int) string {
	name := id + "#producer-" + strconv.Itoa(instance)
	return name[:min(len(name), 127)]
}

// linger turns milliseconds with a fraction into a duration. What is not a number is no wait, as it
// is in C on this machine.
func linger(ms float64) time.Duration {
	if math.IsNaN(ms) {
		return 0
	}
	return time.Duration(ms*1000) * time.Microsecond
}

// metadataAge is how old metadata may become: the refresh interval, where there is one, and the age
// limit.
func (c *Conf) metadataAge() time.Duration {
	age := c.number("metadata.max.age.ms")
	if refresh := c.number("topic.metadata.refresh.interval.ms"); refresh > 0 {
		age = min(age, refresh)
	}
	return time.Duration(age) * time.Millisecond
}

// compression returns the codec of the topic configuration, or of the client where that inherits,
// and its level as librdkafka caps it.
func (c *Conf) compression() (codec string, level int) {
	codec, _ = c.print(find(TopicScope, "compression.codec"))
	if codec == "inherit" {
		codec = c.word("compression.codec")
	}
	level = int(c.topicValue("compression.level").number)
	switch codec {
	case "gzip":
		level = min(level, 9)
	case "none", "snappy":
		level = -1
	}
	return codec, level
}

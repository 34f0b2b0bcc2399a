package producer

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/conf"
)

// Priorities of syslog(3), in which log_level counts.
const (
	priorityErr   = 3
	priorityWarn  = 4
	priorityInfo  = 6
	priorityDebug = 7
)

// Level turns a priority of syslog(3), which librdkafka's log uses, into a level of slog.
func Level(priority int) slog.Level {
	switch {
	case priority <= 2:
		return LevelCritical
	case priority == priorityErr:
		return slog.LevelError
	case priority == priorityWarn:
		return slog.LevelWarn
	case priority == 5:
		return slog.LevelInfo + 2
	case priority == priorityInfo:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// A clientLog writes what the client says about itself in the form of librdkafka's lines,
//
//	FACILITY(LEVEL): CLIENT: [thrd:NAME]: TEXT
//
// filtered by log_level and log.queue. It is the client's logger, and one of its hooks: what is wrong
// with a connection comes through the hook, with the broker's address and a typed error, and not
// through the client's own sentences.
//
// A cluster that is away makes many attempts, each with a reason of its own. All of them are one
// group, which the handler of the logger treats as one thing that repeats. A refused certificate and
// a refused login are groups of their own: an operator who has just repaired the network is told of
// them at once.
type clientLog struct {
	log    *slog.Logger
	set    *conf.Settings
	thread string
	ended  context.Context // the client is being closed: what breaks now is no news

	mu     sync.Mutex
	cutOff map[int32]bool // brokers that ended the connection in place of an answer to a login; guarded by mu
}

// Groups of lines, each of which the log repeats once a minute at most.
const (
	groupConnection = "connection"
	groupTLS        = "tls"
	groupLogin      = "login"
)

func newClientLog(ended context.Context, log *slog.Logger, set *conf.Settings) *clientLog {
	c := &clientLog{log: log, set: set, ended: ended, cutOff: make(map[int32]bool)}
	if set.LogThreadName {
		c.thread = "[thrd:main]: "
	}
	return c
}

// say writes one line. A line of a group repeats whatever line of the group was last; one without
// repeats the same text, so what varies belongs into attrs.
func (c *clientLog) say(priority int, facility, group, text string, attrs ...slog.Attr) {
	if c.set.Silent || priority > c.set.LogLevel {
		return
	}
	log := c.log
	if group != "" {
		log = log.WithGroup(group)
	}
	log.LogAttrs(context.Background(), Level(priority),
		fmt.Sprintf("%s(%d): %s: %s%s", facility, priority, c.set.Name, c.thread, text), attrs...)
}

// Level implements [kgo.Logger].
func (c *clientLog) Level() kgo.LogLevel {
	switch {
	case c.set.Silent || c.set.LogLevel < priorityErr:
		return kgo.LogLevelNone
	case c.set.LogLevel < priorityWarn:
		return kgo.LogLevelError
	case c.set.LogLevel < priorityDebug:
		return kgo.LogLevelWarn
	}
	return kgo.LogLevelDebug
}

// consequences are lines of the client that follow from a broken connection, which the hook has
// reported with its reason, or that a delivery report will tell of.
var consequences = map[string]bool{
	"unable to open connection to broker": true,
	"unable to open connection to broker due to an immediate EOF, which often means the client is using TLS when the broker is not expecting it (is TLS misconfigured?)": true,
	"unable to request api versions": true,
	"unable to initialize sasl":      true,
	"read from broker received EOF during api versions discovery, which often happens when the broker requires TLS and the client is not using it (is TLS misconfigured?)":                      true,
	"read from broker errored, killing connection after 0 successful responses (is SASL missing?)":                                                                                              true,
	"unable to load producer ID, bumping client's buffered record load errors by 1 and retrying":                                                                                                true,
	"random error while producing, requeueing unattempted request":                                                                                                                              true,
	"produce partition load error, bumping error count on first stored batch":                                                                                                                   true,
	"fatal InitProducerID error, failing all buffered records":                                                                                                                                  true,
	"metadata has a new ID for a topic we already hold: the topic was deleted and recreated; we do not adopt the new ID, the topic fails with UNKNOWN_TOPIC_ID until it is purged and re-added": true,
}

// Log implements [kgo.Logger]. The client's errors and warnings keep their level.
//
// Compat: log_level. What the client calls information it writes for each metadata request, and
// librdkafka says nothing at its default level 6 while all is well: it is debug here.
func (c *clientLog) Log(level kgo.LogLevel, text string, pairs ...any) {
	priority := priorityDebug
	if !consequences[text] {
		switch level {
		case kgo.LogLevelError:
			priority = priorityErr
		case kgo.LogLevelWarn:
			priority = priorityWarn
		}
	}
	if priority > c.set.LogLevel {
		return
	}
	attrs := make([]slog.Attr, 0, len(pairs)/2)
	for i := 1; i < len(pairs); i += 2 {
		attrs = append(attrs, slog.Any(fmt.Sprint(pairs[i-1]), pairs[i]))
	}
	c.say(priority, "CLIENT", "", text, attrs...)
}

// OnBrokerConnect implements [kgo.HookBrokerConnect]: err is what went wrong from the name's
// resolution to the login.
func (c *clientLog) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, conn net.Conn, err error) {
	if err == nil || c.ended.Err() != nil || noNews(err) {
		return
	}
	stage := connecting
	switch {
	case c.wasCutOff(meta):
		stage = loggingIn
	case conn != nil:
		stage = connected
	}
	group, text := c.blame(err, stage)
	facility := "FAIL"
	switch group {
	case groupTLS:
		facility = "SSL"
	case groupLogin:
		facility = "SASL"
	}
	c.say(priorityErr, facility, group, broker(meta)+": "+text)
}

// OnBrokerRead implements [kgo.HookBrokerRead]. Some brokers end the connection in place of an answer
// to a login that they refuse, and only the question that was open tells.
func (c *clientLog) OnBrokerRead(meta kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key != loginKey {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cut(err) {
		c.cutOff[meta.NodeID] = true
	} else {
		delete(c.cutOff, meta.NodeID)
	}
}

func (c *clientLog) wasCutOff(meta kgo.BrokerMetadata) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.cutOff[meta.NodeID]
	delete(c.cutOff, meta.NodeID)
	return was
}

// loginKey is the key of a request to log in: part of Kafka's protocol.
const loginKey = 36

// OnBrokerDisconnect implements [kgo.HookBrokerDisconnect]. Connections that this side closes, for
// being idle or at the end, are no news.
func (c *clientLog) OnBrokerDisconnect(meta kgo.BrokerMetadata, conn net.Conn) {
	up, ok := conn.(interface{ Lost() error })
	if !ok || c.ended.Err() != nil {
		return
	}
	err := up.Lost()
	if err == nil {
		return
	}
	priority := priorityInfo
	if !c.set.LogConnectionClose {
		priority = priorityDebug
	}
	c.say(priority, "FAIL", groupConnection, broker(meta)+": the connection is lost: "+networkText(err))
}

func broker(meta kgo.BrokerMetadata) string {
	return net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port)))
}

// topicConflict says, once, why every message is refused.
func (p *Producer) topicConflict(topic string) {
	if p.conflict.CompareAndSwap(false, true) {
		p.clientLog.say(priorityErr, "TOPICCONF", "",
			fmt.Sprintf("Incompatible configuration settings for topic %q: %s", topic, conf.LingerConflict))
	}
}

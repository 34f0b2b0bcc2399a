package producer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/reason"
)

// A clientLog writes what there is to say of brokers in the form of librdkafka's lines,
//
//	FACILITY(LEVEL): CLIENT: [thrd:NAME]: TEXT
//
// filtered by log_level and log.queue. It implements [client.Log].
//
// A cluster that is away makes many attempts, each with a reason of its own. All of them are one
// group, which the handler of the logger treats as one thing that repeats. A refused certificate and
// a refused login are groups of their own: an operator who has just repaired the network sees
// them at once.
type clientLog struct {
	log    *slog.Logger
	set    *conf.Settings
	thread string
	ended  context.Context // the queue is being closed: what breaks now is no news
	outage outage
	losses losses
	tell   func() // what there is to say of the queue has changed
}

// Groups of lines, each of which the log repeats once a minute at most.
const (
	groupConnection = "connection"
	groupTLS        = "tls"
	groupLogin      = "login"
	groupProtocol   = "protocol"
	groupRefusal    = "refusal"
)

func newClientLog(ended context.Context, log *slog.Logger, set *conf.Settings) *clientLog {
	c := &clientLog{log: log, set: set, ended: ended, tell: func() {}}
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
	log.LogAttrs(context.Background(), logsink.LevelOf(priority).Slog,
		fmt.Sprintf("%s(%d): %s: %s%s", facility, priority, c.set.Name, c.thread, text), attrs...)
}

// Failed implements [client.Log].
func (c *clientLog) Failed(address string, stage client.Stage, err error) {
	if c.ended.Err() != nil {
		return
	}
	group, text := c.blame(err, stage)
	c.fails(group, address, text)
}

// Lost implements [client.Log].
func (c *clientLog) Lost(address string, err error) {
	if c.ended.Err() != nil {
		return
	}
	if _, _, _, away := c.outage.present(); away || !c.set.LogConnectionClose {
		c.tellLoss(logsink.Debug, loss{address, lostText(err)})
		return
	}
	c.losses.hold(loss{address, lostText(err)}, func() {
		logsink.Report(c.log, "the log", func() { c.tellLosses(logsink.Info) })
	})
}

// tellLoss writes the line of a lost connection.
func (c *clientLog) tellLoss(priority int, l loss) {
	c.say(priority, "FAIL", groupConnection, l.address+": the connection is lost: "+l.text, brokerAttr(l.address))
}

// tellLosses writes the losses that were held back.
func (c *clientLog) tellLosses(priority int) {
	for _, l := range c.losses.take() {
		if c.ended.Err() == nil {
			c.tellLoss(priority, l)
		}
	}
}

func brokerAttr(address string) slog.Attr { return slog.String("broker", address) }

// lostText says what became of a connection.
func lostText(err error) string {
	if text := reason.Connection(err); text != "" {
		return text
	}
	return err.Error()
}

// Nonsense implements [client.Log].
func (c *clientLog) Nonsense(address string, err error) {
	if c.ended.Err() == nil {
		c.fails(groupProtocol, address, err.Error())
	}
}

// Throttled implements [client.Log].
func (c *clientLog) Throttled(address string, d time.Duration) {
	priority, group := logsink.Debug, ""
	if d > time.Minute {
		priority, group = logsink.Err, groupConnection // no quota is counted over that long
	}
	c.say(priority, "THROTTLE", group, fmt.Sprintf("%s: the broker asks for a pause of %d ms", address, d.Milliseconds()), brokerAttr(address))
}

// topicConflict says, once, why every message is refused.
func (p *Producer) topicConflict(topic string) {
	if p.conflict.CompareAndSwap(false, true) {
		p.clientLog.say(logsink.Err, "TOPICCONF", "",
			fmt.Sprintf("Incompatible configuration settings for topic %q: %s", topic, conf.LingerConflict), slog.String("topic", topic))
	}
}

package conf

import (
	"math"
	"os"
	"slices"
	"strings"
	"unicode"
)

// NewError is a refusal by [Conf.Finalize]: each value was accepted, but together they do not make
// a client.
type NewError struct {
	Text string // librdkafka's own words
	// Reason says what is missing here, where librdkafka's words are about a library that it was built without. Else it is "".
	Reason string
}

// Error returns librdkafka's words.
func (e *NewError) Error() string { return e.Text }

func refuse(format string, args ...any) error { return refuseFor("", format, args...) }

// Finalize checks the configuration as a whole, as rd_kafka_new does and in its order, and returns
// it in a form that cannot change any more. The error is a [*NewError].
//
// instance is the number of the client in this process, from 1: it ends the client's name in the
// log. The warnings are those that librdkafka logs for an accepted configuration, and one for each
// property that was set and has no effect here; they are already filtered by log_level. Finalize
// leaves c as it is. It reads the files that the TLS properties name.
func (c *Conf) Finalize(instance int) (*Settings, []Warning, error) {
	f := c.clone()
	for _, check := range []func() error{
		f.finalizeSoftware,
		f.finalizeStores,
		f.finalizeOAuth,
		f.finalizeTransaction,
		f.finalizeIdempotence,
		f.finalizeTimes,
		f.finalizeTopic,
		f.finalizeClient,
		f.finalizeAssignors,
		f.finalizeMock,
		f.finalizeSASL,
	} {
		if err := check(); err != nil {
			return nil, nil, err
		}
	}
	security, err := f.loadTLS()
	if err != nil {
		return nil, nil, err
	}
	brokers, warnings := f.parseBrokers()
	warnings = append(warnings, f.warnings(len(brokers))...)
	s := f.settings(instance, brokers)
	s.tls = security
	// As log_level or log.queue keep them out of librdkafka's log.
	return s, slices.DeleteFunc(warnings, func(w Warning) bool { return w.Level > s.LogLevel || s.Silent }), nil
}

func (c *Conf) clone() *Conf {
	return &Conf{values: slices.Clone(c.values), topic: c.topic, secrets: c.secrets}
}

// finalizeSoftware makes the two names fit for a broker, which refuses other characters.
func (c *Conf) finalizeSoftware() error {
	name, version := c.global("client.software.name"), c.global("client.software.version")
	if !version.present {
		version.text, version.present = ContractVersion, true
	}
	name.text, version.text = softwareName(name.text), softwareName(version.text)
	return nil
}

// ContractVersion is the librdkafka version whose behaviour this package copies.
const ContractVersion = "2.15.0"

// softwareName replaces what KIP-511 does not allow.
func softwareName(s string) string {
	out := []byte(strings.TrimFunc(s, func(r rune) bool { return r > unicode.MaxASCII || digit(byte(r)) >= 36 }))
	for i, c := range out {
		if digit(c) >= 36 && c != '.' {
			out[i] = '-'
		}
	}
	return string(out)
}

func (c *Conf) finalizeStores() error {
	if c.present("ssl.keystore.location") && !c.present("ssl.keystore.password") {
		return refuse("`ssl.keystore.password` is mandatory when `ssl.keystore.location` is set")
	}
	if c.present("https.ca.location") && c.present("https.ca.pem") {
		return refuse("`https.ca.location` and `https.ca.pem` are mutually exclusive")
	}
	if location := c.text("https.ca.location"); c.present("https.ca.location") && location != "probe" {
		if _, err := os.Stat(location); err != nil {
			return refuse("`https.ca.location` must be an existing file or directory")
		}
	}
	return nil
}

func (c *Conf) finalizeTransaction() error {
	if !c.present("transactional.id") {
		return nil
	}
	idempotence := c.global("enable.idempotence")
	if idempotence.number == 0 {
		if idempotence.modified {
			return refuse("`transactional.id` requires `enable.idempotence=true`")
		}
		idempotence.number = 1
	}
	socket, transaction := c.global("socket.timeout.ms"), c.number("transaction.timeout.ms")
	if !socket.modified {
		socket.number = max(transaction-100, 900)
	} else if transaction+100 < socket.number { // wraps as in C
		return refuse("`socket.timeout.ms` must be set <= `transaction.timeout.ms` + 100")
	}
	return nil
}

func (c *Conf) finalizeIdempotence() error {
	if !c.truth("enable.idempotence") {
		if c.truth("enable.gapless.guarantee") {
			return refuse("`enable.gapless.guarantee` requires `enable.idempotence` to be enabled")
		}
		return nil
	}
	inFlight := c.global("max.in.flight")
	if inFlight.modified && inFlight.number > idempotentWindow {
		return refuse("`max.in.flight` must be set <= %d when `enable.idempotence` is true", idempotentWindow)
	}
	inFlight.number = min(inFlight.number, idempotentWindow)
	retries := c.global("retries")
	if !retries.modified {
		retries.number = math.MaxInt32
	} else if retries.number < 1 {
		return refuse("`retries` must be set >= 1 when `enable.idempotence` is true")
	}
	threshold := c.global("queue.buffering.backpressure.threshold")
	if threshold.modified && threshold.number > 1 {
		return refuse("`queue.buffering.backpressure.threshold` must be set to 1 when `enable.idempotence` is true")
	}
	threshold.number = 1
	return nil
}

// finalizeTimes derives the times that follow others unless they were set.
func (c *Conf) finalizeTimes() error {
	if sticky := c.global("sticky.partitioning.linger.ms"); !sticky.modified {
		twice := 2 * c.global("linger.ms").double
		if math.IsNaN(twice) {
			twice = 0
		}
		sticky.number = int32(min(900000, twice))
	}
	refresh := c.number("topic.metadata.refresh.interval.ms")
	if age := c.global("metadata.max.age.ms"); !age.modified && refresh > 0 {
		age.number = refresh * 3
	}
	if c.number("reconnect.backoff.max.ms") < c.number("reconnect.backoff.ms") {
		return refuse("`reconnect.backoff.max.ms` must be >= `reconnect.backoff.ms`")
	}
	if fast := c.global("topic.metadata.refresh.fast.interval.ms"); !fast.modified {
		fast.number = c.number("retry.backoff.ms")
	}
	// Azure cuts idle connections after four minutes and says nothing.
	if idle := c.global("connections.max.idle.ms"); !idle.modified && strings.Contains(strings.ToLower(c.text("bootstrap.servers")), "azure") {
		idle.number = (4*60 - 10) * 1000
	}
	if create := c.global("allow.auto.create.topics"); !create.modified {
		create.number = 1
	}
	return nil
}

// LingerConflict is what librdkafka says when a message would expire while it waits for others.
const LingerConflict = "`message.timeout.ms` must be greater than `linger.ms`"

// finalizeTopic runs only when a topic property was looked up: librdkafka has no topic
// configuration to check before that, and finds a conflict at the first produce instead. See
// topicConflict.
func (c *Conf) finalizeTopic() error {
	if !c.topic {
		return nil
	}
	linger, timeout := c.global("linger.ms"), c.topicValue("message.timeout.ms").number
	if timeout != 0 && float64(timeout) <= linger.double {
		if linger.modified {
			return refuse(LingerConflict)
		}
		linger.double = float64(timeout) - 0.1
	}
	if text := c.checkTopic(); text != "" {
		return refuse("%s", text)
	}
	return nil
}

// checkTopic finishes the topic configuration and returns librdkafka's objection, if any.
func (c *Conf) checkTopic() string {
	timeout := c.topicValue("message.timeout.ms")
	if c.truth("enable.idempotence") {
		if acks := c.topicValue("acks"); acks.modified && acks.number != -1 {
			return "`acks` must be set to `all` when `enable.idempotence` is true"
		}
		if strategy := c.topicValue("queuing.strategy"); strategy.modified && strategy.number != 0 {
			return "`queuing.strategy` must be set to `fifo` when `enable.idempotence` is true"
		}
		if c.present("transactional.id") {
			limit := c.number("transaction.timeout.ms")
			if !timeout.modified {
				timeout.number = limit
			} else if timeout.number > limit {
				return "`message.timeout.ms` must be set <= `transaction.timeout.ms`"
			}
		}
	}
	linger := c.global("linger.ms")
	if timeout.number != 0 && float64(timeout.number) <= linger.double && linger.modified {
		return LingerConflict
	}
	return ""
}

// finalizeClient applies what rd_kafka_new itself changes.
func (c *Conf) finalizeClient() error {
	if c.number("debug") != 0 {
		c.global("log_level").number = 7
	}
	if c.truth("enable.sasl.oauthbearer.unsecure.jwt") && c.word("sasl.oauthbearer.method") != "oidc" {
		c.global("enabled_events").number |= eventTokenRefresh
	}
	if _, old := legacyBroker(c.text("broker.version.fallback")); !old {
		c.global("api.version.request").number = 1
	}
	return nil
}

// Bits of enabled_events that librdkafka sets by itself.
const (
	eventTokenRefresh = 0x100
	eventBackground   = 0x200
)

// legacyBroker returns the version that a broker.version.fallback stands for, if it is one of those
// that cannot be asked for their versions.
func legacyBroker(fallback string) (version string, old bool) {
	for _, v := range []string{"0.9.0", "0.8.2", "0.8.1", "0.8.0"} {
		if strings.HasPrefix(fallback, v) {
			return v, true
		}
	}
	return "", false
}

// finalizeAssignors checks two consumer properties that refuse producers too. All strategies are of
// the protocol type "consumer": with another one, librdkafka knows none of their names.
func (c *Conf) finalizeAssignors() error {
	strategy, consumer := c.text("partition.assignment.strategy"), c.text("group.protocol.type") == "consumer"
	cooperative, eager := false, false
	for rest := strategy; rest != ""; {
		rest = strings.TrimLeft(rest, " ,")
		name, after, _ := strings.Cut(rest, ",")
		switch {
		case consumer && (name == "range" || name == "roundrobin"):
			eager = true
		case consumer && name == "cooperative-sticky":
			cooperative = true
		default:
			return refuse("Unsupported partition.assignment.strategy: %s", name)
		}
		rest = after
	}
	if cooperative && eager {
		return refuse("All partition.assignment.strategy (%s) assignors must have the same protocol type, "+
			"online migration between assignors with different protocol types is not supported", strategy)
	}
	return nil
}

// finalizeMock follows librdkafka in taking the brokers and the protocol away from a client that is
// to use mock brokers. None are started here: the queue has no brokers then, and above all it does
// not send to real ones in clear text what was meant to be encrypted.
func (c *Conf) finalizeMock() error {
	if c.number("test.mock.num.brokers") > 0 {
		c.global("bootstrap.servers").text = ""
		c.global("security.protocol").number = 0
	}
	return nil
}

package conf

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// defaultPort is Kafka's.
const defaultPort = 9092

// parseBrokers reads bootstrap.servers as librdkafka does: items separated by commas or blanks at
// their left, each a host, host:port or protocol://host:port/path. From an item that cannot be
// used on, librdkafka drops the rest of the list with a warning, and so it is here.
func (c *Conf) parseBrokers() (brokers []string, warnings []Warning) {
	protocol := c.word("security.protocol")
	rest := c.text("bootstrap.servers")
	for {
		rest = strings.TrimLeft(rest, ", ")
		if rest == "" {
			return brokers, warnings
		}
		item, after, _ := strings.Cut(rest, ",")
		host, objection := brokerHost(item, protocol)
		if objection != "" {
			text := fmt.Sprintf(`Broker name "%s" parse error: %s`, rest, objection)
			return brokers, append(warnings, Warning{Level: 4, Facility: "BROKER", Text: text})
		}
		if broker := brokerAddress(host); !slices.Contains(brokers, broker) {
			brokers = append(brokers, broker)
		}
		rest = after
	}
}

// brokerHost takes the protocol and the path off an item, or says what is wrong with it.
func brokerHost(item, protocol string) (host, objection string) {
	given, host, found := strings.Cut(item, "://")
	if !found {
		return item, ""
	}
	if given == "" {
		return "", "empty protocol name"
	}
	given = upper(given)
	switch {
	case equalFold(given, protocol):
		host, _, _ = strings.Cut(host, "/")
		return host, ""
	case oneOf(given, "plaintext", "ssl", "sasl_plaintext", "sasl_ssl"):
		return "", fmt.Sprintf(`protocol "%s" does not match security.protocol setting "%s"`, given, protocol)
	}
	return "", fmt.Sprintf(`unsupported protocol "%s"`, given)
}

func upper(s string) string {
	out := []byte(s)
	for i, c := range out {
		if c >= 'a' && c <= 'z' {
			out[i] = c - 'a' + 'A'
		}
	}
	return string(out)
}

// brokerAddress returns host and port in the form that the dialer takes. A last colon begins a port
// if it is the only one or follows a bracket; otherwise the colons belong to an IPv6 address.
// Brackets go, wherever they stand: an address with an odd one in it is none that Go takes, where
// librdkafka only fails to resolve that name.
func brokerAddress(item string) string {
	host, port := item, uint16(defaultPort)
	if last := strings.LastIndexByte(item, ':'); last >= 0 &&
		(last == strings.IndexByte(item, ':') || item[last-1] == ']') {
		host, port = item[:last], uint16(atoi(item[last+1:]))
	}
	host = strings.NewReplacer("[", "", "]", "").Replace(strings.TrimSpace(host))
	host = cmp.Or(host, "localhost")
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

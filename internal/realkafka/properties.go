package realkafka

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Plaintext names the listener that every broker has. The broker talks to itself over it, and the
// wait for the first answer uses it, whatever other listeners a test asks for.
const Plaintext = "PLAINTEXT"

const controller = "CONTROLLER"

// Listener is one more address of the broker, for example {"SASL", "SASL_SSL"}. What its protocol needs (key
// stores, mechanisms, JAAS lines) goes into [Options.Properties] under listener.name.<name in lower case>.
type Listener struct {
	Name     string
	Protocol string // PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
}

// properties returns the text of server.properties. The settings below the addresses are there for speed:
// each removes a wait or an allocation that only a cluster, or a broker that runs for weeks, needs.
func properties(data string, ports map[string]int, options Options) string {
	listeners := append([]Listener{{Plaintext, Plaintext}}, options.Listeners...)
	var bind, advertise, protocols []string
	for _, l := range listeners {
		bind = append(bind, l.Name+"://"+loopback(ports[l.Name]))
		address := loopback(ports[l.Name])
		if other, ok := options.Advertised[l.Name]; ok {
			address = other
		}
		advertise = append(advertise, l.Name+"://"+address)
		protocols = append(protocols, l.Name+":"+l.Protocol)
	}
	roles, node, voter := "broker,controller", 1, ports[controller]
	if first := options.member.leader; first != nil {
		roles, node, voter = "broker", options.member.node, first.ports[controller]
	} else {
		bind = append(bind, controller+"://"+loopback(ports[controller]))
	}
	protocols = append(protocols, controller+":PLAINTEXT")

	set := map[string]string{
		"process.roles":                  roles,
		"node.id":                        strconv.Itoa(node),
		"controller.quorum.voters":       "1@" + loopback(voter),
		"controller.listener.names":      controller,
		"inter.broker.listener.name":     Plaintext,
		"listeners":                      strings.Join(bind, ","),
		"advertised.listeners":           strings.Join(advertise, ","),
		"listener.security.protocol.map": strings.Join(protocols, ","),
		"log.dirs":                       filepath.Join(data, "log"),
		"auto.create.topics.enable":      strconv.FormatBool(options.AutoCreateTopics),

		// One broker holds every replica.
		"offsets.topic.replication.factor":                 "1",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",

		// Fifty partitions of an internal topic are fifty folders and a hundred open files.
		"offsets.topic.num.partitions":                 "1",
		"transaction.state.log.num.partitions":         "1",
		"share.coordinator.state.topic.num.partitions": "1",

		// The only voter must not wait for others before it elects itself.
		"controller.quorum.election.timeout.ms":     "100",
		"controller.quorum.election.backoff.max.ms": "100",
		"group.initial.rebalance.delay.ms":          "0",

		// The controller refuses a broker that was killed and comes back until the session of its former life
		// has ended: this is the wait after Kill. Much shorter, and a busy machine fences a broker that lives.
		"broker.session.timeout.ms":    "2000",
		"broker.heartbeat.interval.ms": "250",

		// The cleaner alone takes 128 MiB of heap; an index is ten mapped megabytes a segment.
		"log.cleaner.enable":       "false",
		"log.index.size.max.bytes": "65536",

		"num.network.threads": "2",
		"num.io.threads":      "2",
		"background.threads":  "2",

		// Many connections with bad credentials in a row are a test here, not an attack.
		"connection.failed.authentication.delay.ms": "0",
	}
	maps.Copy(set, options.Properties)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&text, "%s=%s\n", name, escapeValue(set[name]))
	}
	return text.String()
}

// escapeValue writes a value as Java's properties files want it. A PEM key store is a value with line ends.
func escapeValue(value string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value)
}

func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// FreePort finds a loopback port that nobody listens on, for a broker that must come back on the same port.
func FreePort() (int, error) {
	ports, err := freePorts([]string{Plaintext})
	return ports[Plaintext], err
}

// given are the ports that this process has found. None is found twice: a broker that is stopped for a while comes back on its own, and
// another must not be there.
var given = struct {
	mu    sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// freePorts finds a port for every name. It stays below 32768, where Linux begins to hand out ports for
// outgoing connections: a port above could be taken between this look and the broker's bind.
func freePorts(names []string) (map[string]int, error) {
	const first, last, tries = 20000, 32000, 1000
	ports := make(map[string]int, len(names))
	given.mu.Lock()
	defer given.mu.Unlock()
	for _, name := range names {
		for try := 0; ports[name] == 0; try++ {
			if try == tries {
				return nil, fmt.Errorf("no free loopback port for %s among %d tries between %d and %d", name, tries, first, last)
			}
			port := first + rand.IntN(last-first)
			if given.ports[port] {
				continue
			}
			listener, err := net.Listen("tcp", loopback(port))
			if err != nil {
				continue
			}
			if err := listener.Close(); err != nil {
				return nil, err
			}
			ports[name], given.ports[port] = port, true
		}
	}
	return ports, nil
}

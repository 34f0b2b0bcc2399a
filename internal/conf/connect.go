package conf

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl"
)

// Deps is what connections get from their surroundings.
type Deps struct {
	// Dialer connects in place of the network's own; nil is TCP with the socket properties. TLS is
	// put on top of either.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)

	// Wrap is given each connection to a broker before TLS is put on it; nil leaves it.
	Wrap func(net.Conn) net.Conn

	// Secret gives the present value of a property that is kept outside of the configuration, such as
	// sasl.password, and false for the others. It is asked at each login, from many goroutines, and
	// must not block for long; nil asks the sources of [Conf.SetSecret].
	Secret func(property string) (text string, ok bool)

	// Report gets changed TLS files that cannot be used; nil is nobody.
	Report func(err error)

	// SoftwareName and SoftwareVersion are reported to brokers unless the configuration names others.
	SoftwareName, SoftwareVersion string
}

func (s *Settings) with(deps Deps) Deps {
	if deps.Secret == nil {
		deps.Secret = s.conf.secrets.get
	}
	return deps
}

// Connections is what the properties say of connections to brokers.
type Connections struct {
	Setup            time.Duration // how long it may take until a connection is usable
	FirstAnswer      time.Duration // how long a broker may take for its first answer
	Idle             time.Duration // how long a connection may be unused; 0 is for ever
	MaxFails         int           // timeouts in a row after which a connection is closed; 0 is never
	Sparse           bool          // only brokers that are needed are connected to
	Rebootstrap      bool          // bootstrap.servers are tried again when no known broker answers
	RebootstrapAfter time.Duration // how long no metadata may come before that
	ReceiveMax       int           // bytes of an answer at most
}

// Connections returns them.
func (s *Settings) Connections() Connections {
	c := s.conf
	return Connections{
		Setup:            s.network.setup,
		FirstAnswer:      c.ms("api.version.request.timeout.ms"),
		Idle:             c.ms("connections.max.idle.ms"),
		MaxFails:         int(c.number("socket.max.fails")),
		Sparse:           c.truth("enable.sparse.connections"),
		Rebootstrap:      c.word("metadata.recovery.strategy") != "none",
		RebootstrapAfter: c.ms("metadata.recovery.rebootstrap.trigger.ms"),
		ReceiveMax:       int(c.number("receive.message.max.bytes")),
	}
}

// MaxVersions returns the versions of requests that brokers speak who are not to be asked (api.version.request=false), or nil.
func (s *Settings) MaxVersions() *kversion.Versions {
	version, old := legacyBroker(s.conf.text("broker.version.fallback"))
	if !old || s.conf.truth("api.version.request") {
		return nil
	}
	return kversion.FromString("v" + version)
}

// Login returns the mechanism by which a connection logs in, or nil where it does not. Secrets are read at each login.
func (s *Settings) Login(deps Deps) sasl.Mechanism {
	return s.mechanism(credentials{conf: s.conf, secret: s.with(deps).Secret})
}

// maxSoftwareName is the longest name and version that brokers get.
const maxSoftwareName = 256

// Software returns the name and version to report to brokers, which refuse empty ones.
func (s *Settings) Software(deps Deps) (name, version string) {
	first := func(property string, others ...string) string {
		if s.conf.modified(property) {
			others = slices.Insert(others, 0, s.conf.text(property))
		}
		for _, text := range others {
			if text = softwareName(text); text != "" {
				return softwareName(text[:min(len(text), maxSoftwareName)])
			}
		}
		return ""
	}
	return first("client.software.name", deps.SoftwareName, "halon-extras-kafka"), first("client.software.version", deps.SoftwareVersion, "0")
}

// isSeed reports whether address was configured and not learnt from the cluster.
func (s *Settings) isSeed(address string) bool {
	return slices.ContainsFunc(s.Brokers, func(b string) bool { return strings.EqualFold(b, address) })
}

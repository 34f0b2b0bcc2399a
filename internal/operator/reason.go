package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/reason"
)

// reason says in one sentence what is wrong and what to look at. Where the error has no type that tells, the port is probed.
func (a *attempt) reason(ctx context.Context, err error) string {
	if a.inLogin(err) {
		return fmt.Sprintf("the login with %s fails on this side: %v", a.set.SASLMechanism, err)
	}
	for _, text := range []string{
		reason.Login(a.set, err, a.written.Load() == saslAuthenticate), reason.TLS(a.set, err), reason.Network(err), reason.Broker(err),
	} {
		if text != "" {
			return text
		}
	}
	return a.probedReason(ctx, err)
}

// inLogin reports whether the mechanism itself failed, say because there is no token or no ticket: the broker
// had answered what came before, and the next step was never sent. Whatever err is then, it is not about the
// way to the broker.
func (a *attempt) inLogin(err error) bool {
	var code *kerr.Error
	written, read := a.written.Load(), a.read.Load()
	if written != read || errors.As(err, &code) {
		return false
	}
	return read == saslHandshake || read == saslAuthenticate && !reason.Ended(err)
}

// The keys of the requests of a login. Part of Kafka's protocol.
const (
	saslHandshake    = 17
	saslAuthenticate = 36
)

// probedReason is for errors that say less than the port does.
func (a *attempt) probedReason(ctx context.Context, err error) string {
	l := probe(ctx, a.address, min(probeTime, a.timeout))
	offer := strings.Join(l.mechanisms, ", ")
	switch {
	case reason.UsesTLS(a.set) && l.plain:
		return reason.NoTLS(a.set)
	case !reason.UsesTLS(a.set) && l.tls:
		return "it expects TLS" + reason.Protocol(a.set, true, reason.UsesSASL(a.set) || offer != "")
	case !reason.UsesSASL(a.set) && offer != "":
		return "it expects a login with " + offer + reason.Protocol(a.set, reason.UsesTLS(a.set), true)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Sprintf("it does not offer %s, but %s: set sasl.mechanism", a.set.SASLMechanism, offer)
	case reason.TimedOut(err) && a.written.Load() != nothing:
		return fmt.Sprintf("it takes the connection and did not answer within %v: is it a Kafka broker?", a.timeout)
	case reason.TimedOut(err):
		return fmt.Sprintf("there is no connection after %v: the host is down, or a firewall drops what is sent to it", a.timeout)
	case reason.Ended(err):
		return "it closes the connection without an answer: is it a Kafka broker?"
	}
	return err.Error()
}

package producer

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/reason"
)

// blame says in one sentence why a broker cannot be used, and in which group of the log the sentence belongs.
func (c *clientLog) blame(err error, at client.Stage) (group, text string) {
	if text := reason.TLS(c.set, err); text != "" {
		return groupTLS, text
	}
	if at != client.Connecting {
		if text := reason.Login(c.set, err, at == client.Login); text != "" {
			return groupLogin, text
		}
		if errors.Is(err, kerr.UnsupportedSaslMechanism) {
			return groupLogin, fmt.Sprintf("it does not offer %s: set sasl.mechanism to one that it offers", c.set.SASLMechanism)
		}
	}
	text = reason.Broker(err)
	if text == "" {
		text = reason.Connection(err)
	}
	switch {
	case text == "" && at != client.Connecting && c.set.SASLMechanism != "":
		return groupLogin, fmt.Sprintf("the login with %s fails on this side: %v", c.set.SASLMechanism, err)
	case text == "":
		text = err.Error()
	case at != client.Connecting && reason.Ended(err):
		text += fmt.Sprintf(": is the port for another security.protocol than %s?", c.set.SecurityProtocol)
	}
	return groupConnection, "cannot connect: " + text
}

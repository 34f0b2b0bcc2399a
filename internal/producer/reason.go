package producer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/client"
)

// blame says in one sentence why a broker cannot be used, by the type of the error, and in which
// group of the log the sentence belongs.
func (c *clientLog) blame(err error, at client.Stage) (group, text string) {
	if text := tlsText(err); text != "" {
		return groupTLS, text
	}
	var code *kerr.Error
	switch {
	case at == client.Connecting:
		return groupConnection, "cannot connect: " + networkText(err)
	case errors.Is(err, kerr.SaslAuthenticationFailed), at == client.Login && cut(err):
		if user, ok := c.set.Get("sasl.username"); ok && user != "" && !c.set.Hidden("sasl.username") {
			return groupLogin, fmt.Sprintf("the login of %q with %s is refused: look at sasl.username and sasl.password: %s",
				user, c.set.SASLMechanism, said(err))
		}
		return groupLogin, fmt.Sprintf("the login with %s is refused: %s", c.set.SASLMechanism, said(err))
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return groupLogin, fmt.Sprintf("it does not offer %s: look at sasl.mechanism", c.set.SASLMechanism)
	case errors.Is(err, kerr.IllegalSaslState):
		return groupLogin, fmt.Sprintf("it expects no login, and security.protocol is %s", c.set.SecurityProtocol)
	case errors.As(err, &code):
		return groupConnection, "cannot connect: it answers " + code.Message
	case isNetwork(err):
		text := "cannot connect: " + networkText(err)
		if cut(err) {
			text += fmt.Sprintf(": does it speak another protocol than security.protocol=%s?", c.set.SecurityProtocol)
		}
		return groupConnection, text
	case c.set.SASLMechanism != "":
		return groupLogin, fmt.Sprintf("the login with %s fails: %v", c.set.SASLMechanism, err)
	}
	return groupConnection, "cannot connect: " + err.Error()
}

// said returns what a broker adds to its refusal.
func said(err error) string {
	if cut(err) {
		return "it ends the connection"
	}
	text := err.Error()
	var code *kerr.Error
	if errors.As(err, &code) {
		if _, own, ok := strings.Cut(text, code.Error()+": "); ok {
			return own
		}
		return code.Message
	}
	return text
}

// tlsText is for what a handshake found, and "" for anything else.
func tlsText(err error) string {
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("its certificate is not for the name %s of bootstrap.servers", name.Host)
	case errors.As(err, &unknown):
		return "its certificate is signed by an unknown authority: ssl.ca.location must name the certificate of that authority"
	case errors.As(err, &invalid):
		return fmt.Sprintf("its certificate is refused: %v", invalid.Err)
	case errors.As(err, &record):
		return "it speaks no TLS: look at security.protocol and the port"
	case errors.As(err, &op) && op.Op == "remote error":
		// An alert: the other side ends the handshake, mostly because of the certificate of this one.
		return fmt.Sprintf("it ends the TLS handshake, look at ssl.certificate.location or ssl.keystore.location: %v", op.Err)
	}
	return ""
}

// networkText says what happened on the way, without the addresses that Go puts in front.
func networkText(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("the name %s is not known to DNS", dns.Name)
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s was not resolved: %s", dns.Name, dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closes the connection"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "it does not answer in time"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "unable to dial: ")
}

func cut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isNetwork says whether err is about the way to a broker and not about what was said on it.
func isNetwork(err error) bool {
	var network net.Error
	var errno syscall.Errno
	return cut(err) || errors.As(err, &network) || errors.As(err, &errno) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed)
}

package operator

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
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/conf"
)

// reason says in one sentence what is wrong, by the type of the error, and what to look at. Where the error has
// no type that tells, the port is probed.
func (a *attempt) reason(ctx context.Context, err error) string {
	for _, of := range []func(error) string{a.loginReason, a.tlsReason, networkReason, brokerReason} {
		if text := of(err); text != "" {
			return text
		}
	}
	return a.probedReason(ctx, err)
}

// tlsReason is for what the handshake found.
func (a *attempt) tlsReason(err error) string {
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var refused *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var apart *conf.HandshakeError
	switch {
	case errors.As(err, &apart):
		return apart.Error()
	case errors.As(err, &name):
		return fmt.Sprintf("its certificate is for %s, and not for %s: bootstrap.servers must use a name of the certificate", namesOf(name.Certificate), name.Host)
	case errors.As(err, &unknown):
		return fmt.Sprintf("its certificate is signed by an unknown authority%s: ssl.ca.location must name the certificate of that authority", issuerOf(err))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		if time.Now().Before(invalid.Cert.NotBefore) {
			return "its certificate is not valid before " + invalid.Cert.NotBefore.UTC().Format(time.RFC3339)
		}
		return "its certificate has expired on " + invalid.Cert.NotAfter.UTC().Format(time.RFC3339)
	case errors.As(err, &refused):
		return fmt.Sprintf("its certificate is refused: %v", refused.Err)
	case errors.As(err, &record):
		return a.noTLS()
	}
	alert, ok := alertOf(err)
	if !ok {
		return ""
	}
	switch alert {
	case alertBadCertificate, alertUnknownCA, alertCertificateUnknown, alertCertificateExpired, alertCertificateRevoked,
		alertUnsupportedCertificate, alertCertificateRequired, alertAccessDenied:
		if !a.hasCertificate() {
			return "it wants a certificate from this client: set ssl.certificate.location and ssl.key.location, or ssl.keystore.location"
		}
		// Which alert it is does not tell: a certificate of an authority that the broker does not name is never
		// sent, and Java then complains of a bad one.
		return fmt.Sprintf("it refuses the certificate of this client, or trusts no authority that signed it: %v", alert)
	}
	return fmt.Sprintf("it ends the TLS handshake: %v", alert)
}

// The alerts that tell who is to blame. Part of TLS.
const (
	alertBadCertificate         tls.AlertError = 42
	alertUnsupportedCertificate tls.AlertError = 43
	alertCertificateRevoked     tls.AlertError = 44
	alertCertificateExpired     tls.AlertError = 45
	alertCertificateUnknown     tls.AlertError = 46
	alertUnknownCA              tls.AlertError = 48
	alertAccessDenied           tls.AlertError = 49
	alertCertificateRequired    tls.AlertError = 116
)

// alertOf returns the alert that the other side sent. Package tls keeps the type of such an error to itself, so
// the alert is found by comparing with each that there could be.
func alertOf(err error) (tls.AlertError, bool) {
	for op := (*net.OpError)(nil); errors.As(err, &op); err = op.Err {
		for n := 0; op.Op == "remote error" && n < 256; n++ {
			if alert := tls.AlertError(n); alert.Error() == op.Err.Error() {
				return alert, true
			}
		}
	}
	return 0, false
}

// namesOf lists what a certificate may be used for.
func namesOf(cert *x509.Certificate) string {
	names := append([]string(nil), cert.DNSNames...)
	if len(names) == 0 && cert.Subject.CommonName != "" {
		names = append(names, cert.Subject.CommonName) // which counts where no alternative name is a DNS name
	}
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host (it has no subject alternative name and no common name)"
	}
	return strings.Join(names, ", ")
}

// issuerOf names who signed the last certificate that the broker sent.
func issuerOf(err error) string {
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) || len(refused.UnverifiedCertificates) == 0 {
		return ""
	}
	sent := refused.UnverifiedCertificates
	return fmt.Sprintf(" (%s)", sent[len(sent)-1].Issuer)
}

func (a *attempt) hasCertificate() bool {
	for _, name := range []string{"ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location"} {
		if text, ok := a.set.Get(name); ok && text != "" {
			return true
		}
	}
	return false
}

// loginReason is for what the broker said to the login.
func (a *attempt) loginReason(err error) string {
	mechanism := a.set.SASLMechanism
	switch {
	case errors.Is(err, kerr.IllegalSaslState):
		return "it expects no login" + a.protocolIs(usesTLS(a.set), false)
	case errors.Is(err, kerr.SaslAuthenticationFailed):
	case ended(err) && a.written.Load() == saslAuthenticate:
		// Brokers before 1.0, and some that are not Apache's, end the connection in place of an answer.
		err = errors.New("it ends the connection")
	case a.inLogin(err):
		return fmt.Sprintf("the login with %s fails on this side: %v", mechanism, err)
	default:
		return ""
	}
	if mechanism == "PLAIN" || strings.HasPrefix(mechanism, "SCRAM-") {
		return fmt.Sprintf("the login of %s with %s is refused: wrong sasl.username or sasl.password", whoIs(a.set), mechanism)
	}
	return fmt.Sprintf("the login with %s is refused: %v", mechanism, err)
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
	return read == saslHandshake || read == saslAuthenticate && !ended(err)
}

// The keys of the requests of a login. Part of Kafka's protocol.
const (
	saslHandshake    = 17
	saslAuthenticate = 36
)

// ended reports whether the other side closed the connection.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// networkReason is for what happened on the way.
func networkReason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("the name %s is not known to DNS", dns.Name)
	case errors.As(err, &dns) && dns.IsTimeout:
		return fmt.Sprintf("the name %s was not resolved: DNS did not answer in time", dns.Name)
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s was not resolved: %s", dns.Name, dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused: nothing listens there, or a firewall rejects it"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to it"
	}
	return ""
}

// brokerReason is for an error code of Kafka.
func brokerReason(err error) string {
	var code *kerr.Error
	if !errors.As(err, &code) || errors.Is(err, kerr.UnsupportedSaslMechanism) {
		return ""
	}
	return fmt.Sprintf("it answers %s: %s", code.Message, code.Description)
}

// probedReason is for errors that say less than the port does.
func (a *attempt) probedReason(ctx context.Context, err error) string {
	l := probe(ctx, a.address, min(probeTime, a.timeout))
	offer := strings.Join(l.mechanisms, ", ")
	switch {
	case usesTLS(a.set) && l.plain:
		return a.noTLS()
	case !usesTLS(a.set) && l.tls:
		return "it expects TLS" + a.protocolIs(true, usesSASL(a.set) || offer != "")
	case !usesSASL(a.set) && offer != "":
		return "it expects a login with " + offer + a.protocolIs(usesTLS(a.set), true)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Sprintf("it does not offer %s, but %s: set sasl.mechanism", a.set.SASLMechanism, offer)
	case timedOut(err) && a.written.Load() != nothing:
		return fmt.Sprintf("it takes the connection and did not answer within %v: is it a Kafka broker?", a.timeout)
	case timedOut(err):
		return fmt.Sprintf("there is no connection after %v: the host is down, or a firewall drops what is sent to it", a.timeout)
	case ended(err):
		return "it closes the connection without an answer: is it a Kafka broker?"
	}
	return err.Error()
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func (a *attempt) noTLS() string { return "it speaks no TLS" + a.protocolIs(false, usesSASL(a.set)) }

// protocolIs ends a sentence with the protocol that is set and the one that is meant.
func (a *attempt) protocolIs(tls, sasl bool) string {
	meant := map[[2]bool]string{
		{false, false}: "plaintext", {true, false}: "ssl", {false, true}: "sasl_plaintext", {true, true}: "sasl_ssl",
	}[[2]bool{tls, sasl}]
	return fmt.Sprintf(", and security.protocol is %s: %s or another port is meant", a.set.SecurityProtocol, meant)
}

func usesTLS(set *conf.Settings) bool { return strings.HasSuffix(set.SecurityProtocol, "ssl") }

func usesSASL(set *conf.Settings) bool { return strings.HasPrefix(set.SecurityProtocol, "sasl") }

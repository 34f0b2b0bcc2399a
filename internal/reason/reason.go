// Package reason says in one sentence why a broker cannot be used and which property to look at, for the log of the plugin and for
// halon-kafka. It goes by the type of an error, never by its text, because texts change with Go and with the broker.
//
// Its functions are pure; each returns "" for an error that is about something else. The caller names the broker.
package reason

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/conf"
)

// TLS is for what the handshake found.
func TLS(set *conf.Settings, err error) string {
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
		return NoTLS(set)
	}
	alert, ok := Alert(err)
	if !ok {
		return ""
	}
	switch alert {
	case alertBadCertificate, alertUnknownCA, alertCertificateUnknown, alertCertificateExpired, alertCertificateRevoked,
		alertUnsupportedCertificate, alertCertificateRequired, alertAccessDenied:
		if !hasCertificate(set) {
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

// Alert returns the alert that the other side sent. Package tls keeps the type of such an error to itself, so
// the alert is found by comparing with each that there could be.
func Alert(err error) (tls.AlertError, bool) {
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

func hasCertificate(set *conf.Settings) bool {
	return slices.ContainsFunc([]string{"ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location"}, func(name string) bool {
		text, ok := set.Get(name)
		return ok && text != ""
	})
}

// Login is for what the broker answered to the login. sent: the login itself was the last request. Brokers before 1.0, and some that
// are not Apache's, close the connection in place of an answer.
func Login(set *conf.Settings, err error, sent bool) string {
	mechanism := set.SASLMechanism
	switch {
	case errors.Is(err, kerr.IllegalSaslState):
		return "the broker does not use SASL" + Protocol(set, UsesTLS(set), false)
	case errors.Is(err, kerr.SaslAuthenticationFailed):
	case sent && Ended(err):
	default:
		return ""
	}
	text := fmt.Sprintf("the login with %s is refused", mechanism)
	if mechanism == "PLAIN" || strings.HasPrefix(mechanism, "SCRAM-") {
		text = fmt.Sprintf("the login of %s with %s is refused: wrong sasl.username or sasl.password", User(set), mechanism)
	}
	if own := said(err); own != "" {
		text += " (the broker says: " + own + ")"
	}
	return text
}

// said is what the broker has added to the code of its answer.
func said(err error) string {
	var code *kerr.Error
	if errors.As(err, &code) {
		_, own, _ := strings.Cut(err.Error(), code.Error()+": ")
		return own
	}
	return ""
}

// User names who logs in.
func User(set *conf.Settings) string {
	if name, ok := set.Get("sasl.username"); ok && name != "" && UsesSASL(set) && !set.Hidden("sasl.username") {
		return "the user " + name
	}
	return "this client"
}

// Network is for a name or a connection that the system could not resolve or make.
func Network(err error) string {
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

// Connection is for everything that can happen to a connection, what [Network] says included.
func Connection(err error) string {
	var op *net.OpError
	if text := Network(err); text != "" {
		return text
	}
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case Ended(err):
		return "it closes the connection"
	case TimedOut(err):
		return "it does not answer in time"
	case errors.As(err, &op):
		return op.Err.Error() // without the addresses that Go puts in front
	}
	return ""
}

// Broker is for an error code of Kafka.
func Broker(err error) string {
	var code *kerr.Error
	if !errors.As(err, &code) || errors.Is(err, kerr.UnsupportedSaslMechanism) {
		return ""
	}
	return fmt.Sprintf("it answers %s: %s", code.Message, code.Description)
}

// Ended says whether the other side has closed the connection.
func Ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// TimedOut says whether the time for a connection or an answer is over.
func TimedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// NoTLS is for a port that answers in plain text.
func NoTLS(set *conf.Settings) string {
	return "the port is not a TLS listener" + Protocol(set, false, UsesSASL(set))
}

// Protocol ends a sentence with the protocol that is set and the one that would fit the port.
func Protocol(set *conf.Settings, tls, sasl bool) string {
	fits := map[[2]bool]string{
		{false, false}: "plaintext", {true, false}: "ssl", {false, true}: "sasl_plaintext", {true, true}: "sasl_ssl",
	}[[2]bool{tls, sasl}]
	return fmt.Sprintf(", and security.protocol is %s: set it to %s, or correct the port", set.SecurityProtocol, fits)
}

// UsesTLS and UsesSASL read security.protocol.
func UsesTLS(set *conf.Settings) bool { return strings.HasSuffix(set.SecurityProtocol, "ssl") }

// UsesSASL is described at [UsesTLS].
func UsesSASL(set *conf.Settings) bool { return strings.HasPrefix(set.SecurityProtocol, "sasl") }

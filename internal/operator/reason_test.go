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
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/conf"
)

// failed is an attempt that got as far as the keys tell.
func failed(t *testing.T, written, read int32, settings ...string) *attempt {
	t.Helper()
	c := conf.New()
	for i := 0; i < len(settings); i += 2 {
		if err := c.Set(settings[i], settings[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	set, _, err := c.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	// Nothing listens there, so that a probe finds nothing.
	a := newAttempt(set, closed(t), 10*time.Second)
	a.written.Store(written)
	a.read.Store(read)
	return a
}

// TestReasons is for the errors that TestConnect cannot bring about on loopback.
func TestReasons(t *testing.T) {
	dial := func(err error) error {
		return fmt.Errorf("unable to dial: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	alert := func(n uint8) error { return &net.OpError{Op: "remote error", Err: tls.AlertError(n)} }
	tomorrow := time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC)
	plain := []string{"security.protocol", "sasl_plaintext", "sasl.mechanism", "PLAIN", "sasl.username", "admin", "sasl.password", "hunter2"}
	oauth := []string{"security.protocol", "sasl_plaintext", "sasl.mechanism", "OAUTHBEARER"}
	ssl := []string{"security.protocol", "ssl"}
	for _, test := range []struct {
		sentence      string
		settings      []string
		written, read int32
		err           error
		want          string
	}{
		{"DNS knows no such name", nil, nothing, nothing, dial(&net.DNSError{Err: "no such host", Name: "kafka.example", IsNotFound: true}), "the name kafka.example is not known to DNS"},
		{"DNS is slow", nil, nothing, nothing, dial(&net.DNSError{Err: "i/o timeout", Name: "kafka.example", IsTimeout: true}), "the name kafka.example was not resolved: DNS did not answer in time"},
		{"DNS is broken", nil, nothing, nothing, dial(&net.DNSError{Err: "server misbehaving", Name: "kafka.example", IsTemporary: true}), "the name kafka.example was not resolved: server misbehaving"},
		{"no route to the host", nil, nothing, nothing, dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "there is no route to it"},
		{"no route to the network", nil, nothing, nothing, dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "there is no route to it"},
		{"the kernel gives up", nil, nothing, nothing, dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), "there is no connection after 10s: the host is down, or a firewall drops what is sent to it"},
		{"a connection that takes too long", nil, nothing, nothing, context.DeadlineExceeded, "there is no connection after 10s: the host is down, or a firewall drops what is sent to it"},
		{"an answer that takes too long", nil, 18, nothing, os.ErrDeadlineExceeded, "it takes the connection and did not answer within 10s: is it a Kafka broker?"},
		{"a reset", nil, 18, nothing, os.NewSyscallError("read", syscall.ECONNRESET), "it closes the connection without an answer: is it a Kafka broker?"},

		{
			"a certificate of tomorrow", ssl, nothing, nothing,
			dial(&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{NotBefore: tomorrow, NotAfter: tomorrow}}}),
			"its certificate is not valid before 2038-01-19T03:14:07Z",
		},
		{"a certificate that is revoked", ssl, nothing, nothing, dial(&tls.CertificateVerificationError{Err: errors.New("the certificate of CN=broker is revoked")}), "its certificate is refused: the certificate of CN=broker is revoked"},
		{"a certificate without names", ssl, nothing, nothing, dial(&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "kafka"}}), "its certificate is for no host (it has no subject alternative name and no common name), and not for kafka: bootstrap.servers must use a name of the certificate"},
		{"an answer that is no TLS record", ssl, nothing, nothing, dial(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), "the port is not a TLS listener, and security.protocol is ssl: set it to plaintext, or correct the port"},
		{
			"no cipher suite in common", ssl, nothing, nothing,
			fmt.Errorf("unable to dial: %w", &conf.HandshakeError{Alert: 40, Offers: "ssl.cipher.suites leaves TLS 1.3"}),
			"it and this client have no TLS version or cipher suite in common: ssl.cipher.suites leaves TLS 1.3: tls: handshake failure",
		},
		{"an alert that says little", ssl, nothing, nothing, dial(alert(80)), "it ends the TLS handshake: tls: internal error"},
		{"an unknown certificate of ours", ssl, 3, 18, alert(46), "it wants a certificate from this client: set ssl.certificate.location and ssl.key.location, or ssl.keystore.location"},

		{"a wrong password", plain, 36, 36, fmt.Errorf("%w: no such user", kerr.SaslAuthenticationFailed), "the login of the user admin with PLAIN is refused: wrong sasl.username or sasl.password (the broker says: no such user)"},
		{"a connection that ends at the login", plain, 36, 17, io.ErrUnexpectedEOF, "the login of the user admin with PLAIN is refused: wrong sasl.username or sasl.password"},
		{"a token that is refused", oauth, 36, 36, fmt.Errorf(`%w: {"status":"invalid_token"}`, kerr.SaslAuthenticationFailed), `the login with OAUTHBEARER is refused (the broker says: {"status":"invalid_token"})`},
		{"no token", oauth, 17, 17, errors.New("the token endpoint answers 401 Unauthorized"), "the login with OAUTHBEARER fails on this side: the token endpoint answers 401 Unauthorized"},
		{"a token server that is down is not the broker", oauth, 17, 17, dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "the login with OAUTHBEARER fails on this side: unable to dial: dial tcp: connect: connection refused"},
		{"a server that does not know the password", plain, 36, 36, errors.New("invalid server signature"), "the login with PLAIN fails on this side: invalid server signature"},

		{"a code of Kafka", nil, 3, 3, kerr.ClusterAuthorizationFailed, "it answers CLUSTER_AUTHORIZATION_FAILED: Cluster authorization failed."},
		{"an error of no type", nil, 18, 18, errors.New("invalid large response size"), "invalid large response size"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			a := failed(t, test.written, test.read, test.settings...)
			if got := a.reason(t.Context(), test.err); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{
		"acsk":              " (is acks meant?)",
		"Linger.ms":         " (is linger.ms meant?)",
		"bootstrap_servers": " (is bootstrap.servers meant?)",
		"bootstrap-server":  " (is bootstrap.servers meant?)",
		"linger":            " (is linger.ms or sticky.partitioning.linger.ms meant?)",
		"max.request.size":  " (that is a name of the Java client, here it is message.max.bytes)",
		"max.block.ms":      " (that is a name of the Java client: a call does not wait unless its seventh argument says so)",
		"":                  "",
		"dr_cb":             "",
	} {
		if got := didYouMean(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\n":                  "a",
		"a\nb\n\n":             `a\nb`,
		"\x1b[31mred\x7f":      `\x1b[31mred\x7f`,
		"tab\tCSI\u009b\u00e9": `tab\tCSI\x9b` + "\u00e9",
		"a\u2028b\u202ec":      `a\u2028b\u202ec`,
		"":                     "",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

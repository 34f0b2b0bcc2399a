package conf

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
)

// A HandshakeError is an alert of a broker that has nothing in common with this client. It does not unwrap to the alert, which readers would
// take for one about a certificate.
type HandshakeError struct {
	Alert  tls.AlertError
	Offers string // what this client offers, and which property says so
}

// Error says what is not in common.
func (e *HandshakeError) Error() string {
	return "it and this client have no TLS version or cipher suite in common: " + e.Offers + ": " + e.Alert.Error()
}

// The alerts for nothing in common. Part of TLS.
const (
	alertHandshakeFailure     tls.AlertError = 40
	alertProtocolVersion      tls.AlertError = 70
	alertInsufficientSecurity tls.AlertError = 71
)

// nothingInCommon returns err, or a [HandshakeError] in place of such an alert. Package tls keeps the type of a received alert to itself, so
// it is found by its words.
func (s *tlsSource) nothingInCommon(err error) error {
	var op *net.OpError
	for next := err; errors.As(next, &op); next = op.Err {
		for _, alert := range []tls.AlertError{alertHandshakeFailure, alertProtocolVersion, alertInsufficientSecurity} {
			if op.Op == "remote error" && op.Err.Error() == alert.Error() {
				return &HandshakeError{Alert: alert, Offers: s.offers()}
			}
		}
	}
	return err
}

// offers describes which suites are offered.
//
// Compat: OpenSSL has suites that package tls has not, such as those with DHE.
func (s *tlsSource) offers() string {
	if !s.chosen {
		return "this client offers TLS 1.3, and TLS 1.2 with ECDHE or RSA key exchange and AES or CHACHA20, but not DHE, CCM or CAMELLIA"
	}
	names := make([]string, len(s.suites))
	for i, id := range s.suites {
		names[i] = tls.CipherSuiteName(id)
	}
	if len(names) == 0 {
		return "ssl.cipher.suites leaves TLS 1.3 only, as this client has none of its suites"
	}
	return "ssl.cipher.suites leaves TLS 1.3 and " + strings.Join(names, ", ")
}

// handshake makes a TLS connection out of conn, which it closes on failure. outdated tells later
// whether the files have changed since.
func (t *tlsFiles) handshake(ctx context.Context, conn net.Conn, host string) (_ net.Conn, outdated func() bool, err error) {
	current := t.refresh()
	secure := tls.Client(conn, t.config(current, host))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, nil, t.source.nothingInCommon(err)
	}
	return secure, func() bool { return t.latest() != current }, nil
}

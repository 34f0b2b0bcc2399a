package conf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// serverName is the name that is sent to the broker. There is no name to send for an address.
func serverName(host string) string {
	return strings.TrimSuffix(host, ".")
}

// verify checks what the broker presented, where Go's own check does too much or too little.
func (t *tlsConfig) verify(state tls.ConnectionState, name bool, host string) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the broker sent no certificate")
	}
	leaf := state.PeerCertificates[0]
	options := x509.VerifyOptions{Roots: t.roots, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	chains, err := leaf.Verify(options)
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	if name {
		if err := leaf.VerifyHostname(hostOnly(host)); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
	}
	if !t.checkCRL {
		return nil
	}
	// As OpenSSL with X509_V_FLAG_CRL_CHECK: the leaf alone is checked, and a list must be there.
	err = errors.New("no chain of certificates")
	for _, chain := range chains {
		if err = t.checkRevoked(chain, time.Now()); err == nil {
			return nil
		}
	}
	return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
}

func hostOnly(host string) string {
	host = strings.TrimSuffix(host, ".")
	if ip := net.ParseIP(host); ip != nil {
		return "[" + host + "]"
	}
	return host
}

// checkRevoked looks the first certificate of a chain up in its issuer's list.
func (t *tlsConfig) checkRevoked(chain []*x509.Certificate, now time.Time) error {
	leaf, issuer := chain[0], chain[0]
	if len(chain) > 1 {
		issuer = chain[1]
	}
	for _, list := range t.revoked {
		if list.CheckSignatureFrom(issuer) != nil {
			continue
		}
		if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
			return fmt.Errorf("the revocation list of %s has expired", issuer.Subject)
		}
		for _, entry := range list.RevokedCertificateEntries {
			if entry.SerialNumber.Cmp(leaf.SerialNumber) == 0 {
				return fmt.Errorf("the certificate of %s is revoked", leaf.Subject)
			}
		}
		return nil
	}
	return fmt.Errorf("there is no revocation list of %s", issuer.Subject)
}

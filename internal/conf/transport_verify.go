package conf

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// verify checks what the broker presented, as OpenSSL does.
func (t *tlsConfig) verify(state tls.ConnectionState, name bool, host string, level securityLevel) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the broker sent no certificate")
	}
	leaf := state.PeerCertificates[0]
	options := x509.VerifyOptions{
		Roots: t.roots, Intermediates: x509.NewCertPool(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // forServers is of OpenSSL's mind about them
	}
	for _, cert := range slices.Concat(state.PeerCertificates[1:], t.between) {
		options.Intermediates.AddCert(cert)
	}
	chains, err := leaf.Verify(options)
	if err == nil {
		chains, err = passing(chains, forServers)
	}
	if err == nil {
		chains, err = passing(chains, level.checkChain)
	}
	if err == nil && name {
		chains, err = named(chains, strings.TrimSuffix(host, "."))
	}
	if err == nil && t.checkCRL {
		// As OpenSSL with X509_V_FLAG_CRL_CHECK: the leaf alone is checked, and a list must be there.
		_, err = passing(chains, func(chain []*x509.Certificate) error { return t.checkRevoked(chain, time.Now()) })
	}
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

// passing leaves the chains that check passes. Where that leaves none, the error is that of the last one.
func passing(chains [][]*x509.Certificate, check func(chain []*x509.Certificate) error) (kept [][]*x509.Certificate, err error) {
	for _, chain := range chains {
		if wrong := check(chain); wrong != nil {
			err = wrong
		} else {
			kept = append(kept, chain)
		}
	}
	if len(kept) > 0 {
		return kept, nil
	}
	return nil, err
}

// forServers passes a chain whose certificates are for servers, as OpenSSL's purpose sslserver has it.
func forServers(chain []*x509.Certificate) error {
	for i, cert := range chain {
		if !isForServers(cert, i == 0) {
			return fmt.Errorf("the certificate of %s is not for servers: look at its key usage and extended key usage", cert.Subject)
		}
	}
	return nil
}

// netscapeType is an extension of before key usages, which keytool and openssl can still write.
var netscapeType = asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}

func isForServers(cert *x509.Certificate, leaf bool) bool {
	if len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0 && !slices.ContainsFunc(cert.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u == x509.ExtKeyUsageServerAuth || u == x509.ExtKeyUsageMicrosoftServerGatedCrypto || u == x509.ExtKeyUsageNetscapeServerGatedCrypto
	}) {
		return false
	}
	if !leaf {
		return true
	}
	for _, extension := range cert.Extensions {
		var bits asn1.BitString
		if extension.Id.Equal(netscapeType) {
			const server = 1
			if _, err := asn1.Unmarshal(extension.Value, &bits); err != nil || bits.At(server) == 0 {
				return false
			}
		}
	}
	const handshake = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement
	return cert.KeyUsage == 0 || cert.KeyUsage&handshake != 0
}

// checkChain passes a chain whose keys and signatures are as strong as the level asks.
func (l securityLevel) checkChain(chain []*x509.Certificate) error {
	role := "ee"
	for _, cert := range chain {
		if weak := l.check(cert, role); weak != nil {
			return fmt.Errorf("%w (@SECLEVEL of ssl.cipher.suites is %d)", weak, l)
		}
		role = "ca"
	}
	return nil
}

// named leaves the chains that are good for host.
func named(chains [][]*x509.Certificate, host string) ([][]*x509.Certificate, error) {
	wrong := x509.HostnameError{Certificate: chains[0][0], Host: host}
	common, ok := isFor(chains[0][0], host)
	switch {
	case !ok:
		return nil, wrong
	case common == "":
		return chains, nil
	}
	// Go held the alternative names against what each authority may sign; the common name is still to do.
	kept := slices.DeleteFunc(slices.Clone(chains), func(chain []*x509.Certificate) bool {
		return slices.ContainsFunc(chain[1:], func(ca *x509.Certificate) bool { return !maySign(ca, common) })
	})
	if len(kept) == 0 {
		return nil, fmt.Errorf("the authority %s may not sign for the name %s", chains[0][1].Subject, common)
	}
	return kept, nil
}

// maySign holds a common name against the name constraints of an authority. To OpenSSL only what has a dot is the name of a host.
func maySign(ca *x509.Certificate, name string) bool {
	if !strings.Contains(name, ".") {
		return true
	}
	within := func(domain string) bool {
		domain, name := strings.ToLower(strings.TrimPrefix(domain, ".")), strings.ToLower(name)
		return domain == "" || name == domain || strings.HasSuffix(name, "."+domain)
	}
	if slices.ContainsFunc(ca.ExcludedDNSDomains, within) {
		return false
	}
	return len(ca.PermittedDNSDomains) == 0 || slices.ContainsFunc(ca.PermittedDNSDomains, within)
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

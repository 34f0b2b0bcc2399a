package conf

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
)

// securityLevel is OpenSSL's: how weak an algorithm of a certificate may be. It is set with @SECLEVEL in ssl.cipher.suites.
type securityLevel int

// defaultLevel is that of OpenSSL since 3.2.
const defaultLevel securityLevel = 2

// leastBits are the bits of security that each level asks for: SSL_CTX_set_security_level(3).
var leastBits = [...]int{0, 80, 112, 128, 192, 256}

// check returns OpenSSL's words for what is too weak in a certificate: role is ee for a leaf and ca for what signs others.
func (l securityLevel) check(cert *x509.Certificate, role string) error {
	least := leastBits[l]
	if strength(cert.PublicKey) < least {
		return errors.New(role + " key too small")
	}
	// What a certificate says of itself is not trusted for its signature.
	if string(cert.RawIssuer) != string(cert.RawSubject) && hashStrength(cert.SignatureAlgorithm) < least {
		return errors.New("ca md too weak")
	}
	return nil
}

// strength is how many bits of security a key has: NIST SP 800-57, part 1, table 2.
func strength(key any) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		for _, s := range [...][2]int{{15360, 256}, {7680, 192}, {3072, 128}, {2048, 112}, {1024, 80}} {
			if bits >= s[0] {
				return s[1]
			}
		}
		return 0
	case *ecdsa.PublicKey:
		return k.Params().BitSize / 2
	case ed25519.PublicKey:
		return 128
	}
	return leastBits[len(leastBits)-1] // what Go does not know, it does not use
}

func hashStrength(algorithm x509.SignatureAlgorithm) int {
	name := algorithm.String()
	switch {
	case strings.Contains(name, "MD5"), strings.Contains(name, "MD2"):
		return 39
	case strings.Contains(name, "SHA1"):
		return 63
	case strings.Contains(name, "SHA384"):
		return 192
	case strings.Contains(name, "SHA512"):
		return 256
	}
	return 128
}

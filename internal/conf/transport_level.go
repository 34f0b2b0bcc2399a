package conf

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math"
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

// strength is how many bits of security a key has.
func strength(key any) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return factoring(k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Params().BitSize / 2
	case ed25519.PublicKey:
		return 128
	}
	return leastBits[len(leastBits)-1] // what Go does not know, it does not use
}

// factoring is the strength of an RSA key of so many bits: the formula of NIST SP 800-56B, appendix D, to the next eight bits, with the
// values of SP 800-57 where it has one.
func factoring(bits int) int {
	for _, s := range [...][2]int{{2048, 112}, {3072, 128}, {7680, 192}, {15360, 256}} {
		if bits == s[0] {
			return s[1]
		}
	}
	if bits < 8 {
		return 0
	}
	x := float64(bits) * math.Ln2
	strength := (int((1.923*math.Cbrt(x*math.Log(x)*math.Log(x))-4.69)/math.Ln2) + 4) &^ 7
	switch {
	case bits <= 7680:
		return min(strength, 192)
	case bits <= 15360:
		return min(strength, 256)
	}
	return strength
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

package conf

import (
	"crypto/x509"
	"encoding/asn1"
	"net"
	"slices"
	"strings"
)

// commonName is the attribute of a subject that may name a host.
var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// isFor tells whether a certificate is for host, as X509_check_host and X509_check_ip of OpenSSL do. An address must be among the
// alternative names; of names, the common ones of the subject count where no alternative one is a DNS name. common is such a name.
func isFor(cert *x509.Certificate, host string) (common string, ok bool) {
	if ip := net.ParseIP(host); ip != nil {
		return "", slices.ContainsFunc(cert.IPAddresses, ip.Equal)
	}
	if len(cert.DNSNames) > 0 {
		return "", slices.ContainsFunc(cert.DNSNames, func(pattern string) bool { return matchName(pattern, host) })
	}
	for _, attribute := range cert.Subject.Names {
		if name, text := attribute.Value.(string); text && attribute.Type.Equal(commonName) && matchName(name, host) {
			return name, true
		}
	}
	return "", false
}

// matchName compares a name of a certificate, which may have one star, with a host.
func matchName(pattern, host string) bool {
	if host == "" {
		return false
	}
	star := validStar(pattern)
	if star < 0 {
		return equalFold(pattern, host)
	}
	prefix, suffix := pattern[:star], pattern[star+1:]
	if len(host) < len(prefix)+len(suffix) {
		return false
	}
	end := len(host) - len(suffix)
	middle := host[len(prefix):end]
	if !equalFold(prefix, host[:len(prefix)]) || !equalFold(suffix, host[end:]) {
		return false
	}
	whole := prefix == "" && suffix[0] == '.' // the star is a label of its own
	switch {
	case whole && middle == "", !whole && isPunycode(host):
		return false
	case middle == "*":
		return true
	}
	return strings.IndexFunc(middle, func(r rune) bool { return r > 0x7f || r != '-' && digit(byte(r)) >= 36 }) < 0
}

// validStar returns where the star of a pattern is, or -1 where it has none that counts: it must be at the start or the end of the
// first label, with two more labels behind it, and all of the pattern must be a name.
func validStar(pattern string) int {
	star, dots := -1, 0
	start, hyphen, punycode := true, false, false
	for i := range len(pattern) {
		switch c := pattern[i]; {
		case c == '*':
			atEnd := i == len(pattern)-1 || pattern[i+1] == '.'
			if star >= 0 || punycode || dots > 0 || !start && !atEnd {
				return -1
			}
			star, start = i, false
		case digit(c) < 36:
			punycode = punycode || start && isPunycode(pattern[i:])
			start, hyphen = false, false
		case c == '.':
			if hyphen || start {
				return -1
			}
			start, hyphen, punycode = true, false, false
			dots++
		case c == '-':
			if start {
				return -1
			}
			hyphen = true
		default:
			return -1
		}
	}
	if start || hyphen || dots < 2 {
		return -1
	}
	return star
}

func isPunycode(label string) bool { return len(label) >= 4 && equalFold(label[:4], "xn--") }

package conf

import (
	"crypto/tls"
	"slices"
	"strings"
)

// tlsAlgorithms checks the properties that OpenSSL reads before any file, in its order, and
// translates those that Go has a place for.
func (c *Conf) tlsAlgorithms(s *tlsSource) error {
	if err := c.checkProviders(); err != nil {
		return err
	}
	if c.present("ssl.engine.location") {
		return refuse("OpenSSL engine initialization failed in ENGINE_ctrl_cmd_string LOAD: error:there are no engines without OpenSSL")
	}
	// Go's own choice leaves out what OpenSSL offers: suites that exchange keys with RSA.
	expression := "DEFAULT"
	if s.chosen = c.present("ssl.cipher.suites"); s.chosen {
		expression = c.text("ssl.cipher.suites")
	}
	var reason string
	if s.suites, s.level, reason = cipherSuites(expression); reason != "" {
		return refuse("ssl.cipher.suites failed: error:%s", reason)
	}
	if c.present("ssl.curves.list") {
		if s.curves, reason = curveList(c.text("ssl.curves.list")); reason != "" {
			return refuse("ssl.curves.list failed: %s", reason)
		}
	}
	if c.present("ssl.sigalgs.list") {
		if reason := checkSigalgs(c.text("ssl.sigalgs.list")); reason != "" {
			return refuse("ssl.sigalgs.list failed: %s", reason)
		}
	}
	return nil
}

// noReason is what librdkafka says where OpenSSL gives no error.
const noReason = "kafka: No further error information available"

// checkProviders accepts the providers that are part of OpenSSL itself.
func (c *Conf) checkProviders() error {
	if !c.present("ssl.providers") {
		return nil
	}
	names := 0
	for name := range strings.SplitSeq(c.text("ssl.providers"), ",") {
		switch name = trimSpace(name); name {
		case "":
			continue
		case "default", "base", "null":
			names++
		default:
			return refuse(`Failed to load OpenSSL provider "%s": error:there are no providers without OpenSSL`, name)
		}
	}
	if names == 0 {
		return refuse("ssl.providers expects a comma-separated list of OpenSSL 3.0.x providers")
	}
	return nil
}

// curveNames are the groups that OpenSSL knows, in lower case. Those without a number are unknown to
// Go: they are accepted and not offered.
var curveNames = map[string]tls.CurveID{
	"p-256": tls.CurveP256, "prime256v1": tls.CurveP256, "secp256r1": tls.CurveP256,
	"p-384": tls.CurveP384, "secp384r1": tls.CurveP384,
	"p-521": tls.CurveP521, "secp521r1": tls.CurveP521,
	"x25519": tls.X25519, "x25519mlkem768": tls.X25519MLKEM768,
	"secp256r1mlkem768": tls.SecP256r1MLKEM768, "secp384r1mlkem1024": tls.SecP384r1MLKEM1024,
	"x448": 0, "mlkem512": 0, "mlkem768": 0, "mlkem1024": 0,
	"ffdhe2048": 0, "ffdhe3072": 0, "ffdhe4096": 0, "ffdhe6144": 0, "ffdhe8192": 0,
	"p-192": 0, "prime192v1": 0, "secp192r1": 0, "p-224": 0, "secp224r1": 0,
	"secp160k1": 0, "secp160r1": 0, "secp160r2": 0, "secp192k1": 0, "secp224k1": 0, "secp256k1": 0,
	"brainpoolp256r1": 0, "brainpoolp384r1": 0, "brainpoolp512r1": 0,
	"brainpoolp256r1tls13": 0, "brainpoolp384r1tls13": 0, "brainpoolp512r1tls13": 0,
	"sect163k1": 0, "k-163": 0, "sect163r1": 0, "sect163r2": 0, "b-163": 0, "sect193r1": 0, "sect193r2": 0,
	"sect233k1": 0, "k-233": 0, "sect233r1": 0, "b-233": 0, "sect239k1": 0, "sect283k1": 0, "k-283": 0,
	"sect283r1": 0, "b-283": 0, "sect409k1": 0, "k-409": 0, "sect409r1": 0, "b-409": 0,
	"sect571k1": 0, "k-571": 0, "sect571r1": 0, "b-571": 0,
}

// curveList reads a list of groups: names between colons or slashes, each with marks before it, of
// which "?" means that it may be unknown and "-" that it is taken out again.
func curveList(list string) (curves []tls.CurveID, reason string) {
	const badList = "error:unsupported config value"
	for item := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == '/' }) {
		for name := range strings.SplitSeq(item, ":") {
			name = trimSpace(name)
			optional, remove := false, false
			for name != "" && strings.IndexByte("?*-", name[0]) >= 0 {
				optional = optional || name[0] == '?'
				remove = remove || name[0] == '-'
				name = name[1:]
			}
			if name == "" {
				return nil, badList
			}
			if equalFold(name, "DEFAULT") {
				return nil, "" // Go's own choice
			}
			id, known := curveNames[strings.ToLower(name)]
			switch {
			case !known && !optional && !remove:
				return nil, noReason
			case remove:
				curves = slices.DeleteFunc(curves, func(c tls.CurveID) bool { return c == id })
			case id != 0:
				curves = append(curves, id)
			}
		}
	}
	return curves, ""
}

// checkSigalgs tells why OpenSSL would refuse a list of signature algorithms, if it would. Go chooses
// them by itself, so that is all the property does.
func checkSigalgs(list string) (reason string) {
	known := 0
	for item := range strings.SplitSeq(list, ":") {
		item = trimSpace(item)
		name := strings.TrimPrefix(item, "?")
		switch {
		case knownSigalg(name):
			known++
		case name == item:
			return noReason
		}
	}
	if known == 0 {
		return "error:no valid signature algorithms in '" + list + "'"
	}
	return ""
}

// knownSigalg tells whether OpenSSL knows the name of a signature algorithm, or the two halves of
// one around a plus, whichever comes first.
func knownSigalg(name string) bool {
	if one, other, found := strings.Cut(name, "+"); found {
		return knownPair(one, other) || knownPair(other, one)
	}
	return oneOf(name,
		"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ecdsa_sha224", "ecdsa_sha1",
		"ed25519", "ed448",
		"rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512",
		"rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512",
		"rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "rsa_pkcs1_sha224", "rsa_pkcs1_sha1",
		"dsa_sha256", "dsa_sha384", "dsa_sha512", "dsa_sha224", "dsa_sha1",
		"ecdsa_brainpoolP256r1_sha256", "ecdsa_brainpoolP384r1_sha384", "ecdsa_brainpoolP512r1_sha512",
		"ecdsa_brainpoolP256r1tls13_sha256", "ecdsa_brainpoolP384r1tls13_sha384", "ecdsa_brainpoolP512r1tls13_sha512",
		"mldsa44", "mldsa65", "mldsa87")
}

func knownPair(signer, hash string) bool {
	switch {
	case oneOf(signer, "RSA", "ECDSA", "DSA"):
		return oneOf(hash, "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
	case oneOf(signer, "RSA-PSS", "PSS"):
		return oneOf(hash, "SHA256", "SHA384", "SHA512")
	}
	return false
}

func oneOf(name string, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return equalFold(n, name) })
}

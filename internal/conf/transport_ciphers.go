package conf

import (
	"crypto/tls"
	"slices"
	"strings"
)

// ssl.cipher.suites is an expression of OpenSSL's ciphers(1): names of suites and of families, added
// one after the other, or taken out with - and !, and cut down to what several families share with +.
// It does not touch the suites of TLS 1.3.

// suiteNames are the suites below TLS 1.3 that OpenSSL 3.5 knows. Their names tell their families.
const suiteNames = `
	ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 DHE-DSS-AES256-GCM-SHA384
	DHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305
	DHE-RSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES256-CCM8 ECDHE-ECDSA-AES256-CCM DHE-RSA-AES256-CCM8
	DHE-RSA-AES256-CCM ECDHE-ECDSA-ARIA256-GCM-SHA384 ECDHE-ARIA256-GCM-SHA384
	DHE-DSS-ARIA256-GCM-SHA384 DHE-RSA-ARIA256-GCM-SHA384 ADH-AES256-GCM-SHA384
	ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 DHE-DSS-AES128-GCM-SHA256
	DHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-CCM8 ECDHE-ECDSA-AES128-CCM DHE-RSA-AES128-CCM8
	DHE-RSA-AES128-CCM ECDHE-ECDSA-ARIA128-GCM-SHA256 ECDHE-ARIA128-GCM-SHA256
	DHE-DSS-ARIA128-GCM-SHA256 DHE-RSA-ARIA128-GCM-SHA256 ADH-AES128-GCM-SHA256
	ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384 DHE-RSA-AES256-SHA256 DHE-DSS-AES256-SHA256
	ECDHE-ECDSA-CAMELLIA256-SHA384 ECDHE-RSA-CAMELLIA256-SHA384 DHE-RSA-CAMELLIA256-SHA256
	DHE-DSS-CAMELLIA256-SHA256 ADH-AES256-SHA256 ADH-CAMELLIA256-SHA256 ECDHE-ECDSA-AES128-SHA256
	ECDHE-RSA-AES128-SHA256 DHE-RSA-AES128-SHA256 DHE-DSS-AES128-SHA256 ECDHE-ECDSA-CAMELLIA128-SHA256
	ECDHE-RSA-CAMELLIA128-SHA256 DHE-RSA-CAMELLIA128-SHA256 DHE-DSS-CAMELLIA128-SHA256
	ADH-AES128-SHA256 ADH-CAMELLIA128-SHA256 ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA
	DHE-RSA-AES256-SHA DHE-DSS-AES256-SHA DHE-RSA-CAMELLIA256-SHA DHE-DSS-CAMELLIA256-SHA
	AECDH-AES256-SHA ADH-AES256-SHA ADH-CAMELLIA256-SHA ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA
	DHE-RSA-AES128-SHA DHE-DSS-AES128-SHA DHE-RSA-CAMELLIA128-SHA DHE-DSS-CAMELLIA128-SHA
	AECDH-AES128-SHA ADH-AES128-SHA ADH-CAMELLIA128-SHA RSA-PSK-AES256-GCM-SHA384
	DHE-PSK-AES256-GCM-SHA384 RSA-PSK-CHACHA20-POLY1305 DHE-PSK-CHACHA20-POLY1305
	ECDHE-PSK-CHACHA20-POLY1305 DHE-PSK-AES256-CCM8 DHE-PSK-AES256-CCM RSA-PSK-ARIA256-GCM-SHA384
	DHE-PSK-ARIA256-GCM-SHA384 AES256-GCM-SHA384 AES256-CCM8 AES256-CCM ARIA256-GCM-SHA384
	PSK-AES256-GCM-SHA384 PSK-CHACHA20-POLY1305 PSK-AES256-CCM8 PSK-AES256-CCM PSK-ARIA256-GCM-SHA384
	RSA-PSK-AES128-GCM-SHA256 DHE-PSK-AES128-GCM-SHA256 DHE-PSK-AES128-CCM8 DHE-PSK-AES128-CCM
	RSA-PSK-ARIA128-GCM-SHA256 DHE-PSK-ARIA128-GCM-SHA256 AES128-GCM-SHA256 AES128-CCM8 AES128-CCM
	ARIA128-GCM-SHA256 PSK-AES128-GCM-SHA256 PSK-AES128-CCM8 PSK-AES128-CCM PSK-ARIA128-GCM-SHA256
	AES256-SHA256 CAMELLIA256-SHA256 AES128-SHA256 CAMELLIA128-SHA256 ECDHE-PSK-AES256-CBC-SHA384
	ECDHE-PSK-AES256-CBC-SHA SRP-DSS-AES-256-CBC-SHA SRP-RSA-AES-256-CBC-SHA SRP-AES-256-CBC-SHA
	RSA-PSK-AES256-CBC-SHA384 DHE-PSK-AES256-CBC-SHA384 RSA-PSK-AES256-CBC-SHA DHE-PSK-AES256-CBC-SHA
	ECDHE-PSK-CAMELLIA256-SHA384 RSA-PSK-CAMELLIA256-SHA384 DHE-PSK-CAMELLIA256-SHA384 AES256-SHA
	CAMELLIA256-SHA PSK-AES256-CBC-SHA384 PSK-AES256-CBC-SHA PSK-CAMELLIA256-SHA384
	ECDHE-PSK-AES128-CBC-SHA256 ECDHE-PSK-AES128-CBC-SHA SRP-DSS-AES-128-CBC-SHA
	SRP-RSA-AES-128-CBC-SHA SRP-AES-128-CBC-SHA RSA-PSK-AES128-CBC-SHA256 DHE-PSK-AES128-CBC-SHA256
	RSA-PSK-AES128-CBC-SHA DHE-PSK-AES128-CBC-SHA ECDHE-PSK-CAMELLIA128-SHA256
	RSA-PSK-CAMELLIA128-SHA256 DHE-PSK-CAMELLIA128-SHA256 AES128-SHA CAMELLIA128-SHA
	PSK-AES128-CBC-SHA256 PSK-AES128-CBC-SHA PSK-CAMELLIA128-SHA256 ECDHE-ECDSA-NULL-SHA
	ECDHE-RSA-NULL-SHA AECDH-NULL-SHA NULL-SHA256 ECDHE-PSK-NULL-SHA384 ECDHE-PSK-NULL-SHA256
	ECDHE-PSK-NULL-SHA RSA-PSK-NULL-SHA384 RSA-PSK-NULL-SHA256 DHE-PSK-NULL-SHA384 DHE-PSK-NULL-SHA256
	RSA-PSK-NULL-SHA DHE-PSK-NULL-SHA NULL-SHA NULL-MD5 PSK-NULL-SHA384 PSK-NULL-SHA256 PSK-NULL-SHA
`

const suiteSeparators = ": ,;"

// cipherSuites evaluates an expression. It returns the suites among its result that Go has, perhaps
// none, and the security level, or OpenSSL's reason to refuse it.
func cipherSuites(expression string) (suites []uint16, level securityLevel, reason string) {
	set := suiteSet{}
	level = defaultLevel
	expression = expandSuites(set, expression)
	for expression != "" {
		rule := expression[0]
		switch {
		case strings.IndexByte(suiteSeparators, rule) >= 0:
			expression = expression[1:]
			continue
		case strings.IndexByte("-+!@", rule) >= 0:
			expression = expression[1:]
		default:
			rule = '='
		}
		families, rest, ok := cutFamilies(expression)
		expression = rest
		if !ok || rule == '@' && !suiteCommand(families, &level) {
			return nil, level, "invalid command"
		}
		if rule != '@' {
			set.apply(rule, families)
		}
	}
	suites, some := set.suites()
	if !some {
		return nil, level, "no cipher match"
	}
	return suites, level, ""
}

// cutFamilies reads names joined by plus signs. Where nothing is left in common, the rest up to the
// next separator does not count, whatever it is.
func cutFamilies(s string) (families []string, rest string, ok bool) {
	for {
		n := 0
		for n < len(s) && (digit(s[n]) < 36 || strings.IndexByte("-_.=", s[n]) >= 0) {
			n++
		}
		if n == 0 {
			return nil, "", false
		}
		families = append(families, s[:n])
		if s = s[n:]; s == "" || s[0] != '+' {
			return families, s, true
		}
		if !slices.ContainsFunc(strings.Fields(suiteNames), func(name string) bool { return inAll(name, families) }) {
			if end := strings.IndexAny(s, suiteSeparators); end >= 0 {
				return families, s[end:], true
			}
			return families, "", true
		}
		s = s[1:]
	}
}

// inAll tells whether a suite is in all of families.
func inAll(name string, families []string) bool {
	// To OpenSSL, FIPS is a grade like HIGH and MEDIUM, and nothing has two grades.
	if slices.Contains(families, "FIPS") && (slices.Contains(families, "HIGH") || slices.Contains(families, "MEDIUM")) {
		return false
	}
	return !slices.ContainsFunc(families, func(family string) bool { return !suiteNamed(name).in(family) })
}

// suiteCommand carries out a command behind an @, if it is one. The order of suites is Go's own.
func suiteCommand(name []string, level *securityLevel) bool {
	text, found := strings.CutPrefix(name[0], "SECLEVEL=")
	if len(name) == 1 && found && len(text) == 1 && text[0] >= '0' && text[0] <= '5' {
		*level = securityLevel(text[0] - '0')
		return true
	}
	return len(name) == 1 && name[0] == "STRENGTH"
}

// expandSuites replaces the words that count only at the beginning.
func expandSuites(set suiteSet, expression string) string {
	if rest, found := strings.CutPrefix(expression, "DEFAULT"); found {
		set.apply('=', []string{"ALL"})
		set.apply('!', []string{"COMPLEMENTOFDEFAULT"})
		set.apply('!', []string{"eNULL"})
		return rest
	}
	const suite128, suite192 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
	switch {
	case strings.HasPrefix(expression, "SUITEB128ONLY"):
		return suite128
	case strings.HasPrefix(expression, "SUITEB128"): // and SUITEB128C2
		return suite128 + ":" + suite192
	case strings.HasPrefix(expression, "SUITEB192"):
		return suite192
	}
	return expression
}

// suiteSet is the result so far.
type suiteSet map[string]suiteState

type suiteState uint8

const (
	suiteOut    suiteState = iota // may come in
	suiteIn                       // is in the result
	suiteKilled                   // may not come in any more
)

// apply adds, takes out or kills the suites that are in all of families. Unknown families are
// passed over, as OpenSSL does.
func (s suiteSet) apply(rule byte, families []string) {
	for name := range strings.FieldsSeq(suiteNames) {
		if !inAll(name, families) || s[name] == suiteKilled {
			continue
		}
		switch rule {
		case '=':
			s[name] = suiteIn
		case '-':
			s[name] = suiteOut
		case '!':
			s[name] = suiteKilled
		}
	}
}

// suites returns what Go has of the result, and whether there is any result.
func (s suiteSet) suites() (suites []uint16, some bool) {
	suites = []uint16{}
	for name := range strings.FieldsSeq(suiteNames) {
		if s[name] != suiteIn {
			continue
		}
		some = true
		if id, ok := goSuites[name]; ok {
			suites = append(suites, id)
		}
	}
	return suites, some
}

// suite is what the name of a suite tells.
type suite struct {
	name, exchange, identity string
}

// suiteNamed splits a name.
func suiteNamed(name string) suite {
	for _, p := range []suite{
		{"ECDHE-ECDSA-", "ECDHE", "ECDSA"},
		{"ECDHE-PSK-", "ECDHEPSK", "PSK"},
		{"ECDHE-", "ECDHE", "RSA"},
		{"AECDH-", "ECDHE", "NULL"},
		{"DHE-RSA-", "DHE", "RSA"},
		{"DHE-DSS-", "DHE", "DSS"},
		{"DHE-PSK-", "DHEPSK", "PSK"},
		{"ADH-", "DHE", "NULL"},
		{"RSA-PSK-", "RSAPSK", "RSA"},
		{"PSK-", "PSK", "PSK"},
		{"SRP-DSS-", "SRP", "DSS"},
		{"SRP-RSA-", "SRP", "RSA"},
		{"SRP-", "SRP", "SRP"},
	} {
		if strings.HasPrefix(name, p.name) {
			return suite{name, p.exchange, p.identity}
		}
	}
	return suite{name, "RSA", "RSA"}
}

func (s suite) has(parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s.name, part) })
}

func (s suite) aead() bool { return s.has("GCM", "CCM", "CHACHA20") }

// mac returns the hash that a suite without authenticated encryption uses.
func (s suite) mac() string {
	if s.aead() {
		return ""
	}
	return s.name[strings.LastIndexByte(s.name, '-')+1:]
}

// version returns the oldest protocol that has the suite.
func (s suite) version() string {
	switch psk := strings.HasSuffix(s.exchange, "PSK"); {
	case s.aead(), !psk && (s.mac() == "SHA256" || s.mac() == "SHA384"):
		return "TLSv1.2"
	case psk && s.mac() != "SHA", s.exchange == "ECDHE", s.exchange == "ECDHEPSK":
		return "TLSv1"
	}
	return "SSLv3"
}

// in tells whether the suite belongs to a family, or is it.
func (s suite) in(family string) bool {
	switch family {
	case s.name:
		return true
	case "ALL":
		return !s.has("NULL")
	case "HIGH":
		return !s.has("NULL", "CCM8")
	case "MEDIUM", "AESCCM8":
		return s.has("CCM8")
	case "FIPS":
		return s.has("AES") && !s.has("CCM") && s.exchange != "SRP"
	case "COMPLEMENTOFALL", "eNULL", "NULL":
		return s.has("NULL")
	case "COMPLEMENTOFDEFAULT":
		return !s.has("NULL") && (s.identity == "DSS" || s.identity == "NULL" || s.has("CCM", "ARIA", "CAMELLIA"))
	case "kRSA", "RSA":
		return s.exchange == "RSA"
	case "kEDH", "kDHE", "DH":
		return s.exchange == "DHE"
	case "EDH", "DHE":
		return s.exchange == "DHE" && s.identity != "NULL"
	case "ADH":
		return s.exchange == "DHE" && s.identity == "NULL"
	case "kEECDH", "kECDHE", "ECDH":
		return s.exchange == "ECDHE"
	case "EECDH", "ECDHE":
		return s.exchange == "ECDHE" && s.identity != "NULL"
	case "AECDH":
		return s.exchange == "ECDHE" && s.identity == "NULL"
	case "kPSK", "kRSAPSK", "kECDHEPSK", "kDHEPSK", "kSRP":
		return s.exchange == family[1:]
	case "PSK":
		return strings.HasSuffix(s.exchange, "PSK")
	case "SRP":
		return s.exchange == "SRP"
	case "aRSA", "aDSS", "aNULL", "aECDSA", "aPSK", "aSRP":
		return s.identity == family[1:]
	case "DSS", "ECDSA":
		return s.identity == family
	case "AES":
		return s.has("AES")
	case "AES128":
		return s.has("AES128", "AES-128")
	case "AES256":
		return s.has("AES256", "AES-256")
	case "AESGCM":
		return s.has("AES") && s.has("GCM")
	case "AESCCM":
		return s.has("CCM")
	case "ARIA", "ARIAGCM":
		return s.has("ARIA")
	case "CAMELLIA", "CAMELLIA128", "CAMELLIA256", "ARIA128", "ARIA256", "CHACHA20":
		return s.has(family)
	case "CBC":
		return !s.aead() && !s.has("NULL")
	case "MD5", "SHA256", "SHA384":
		return s.mac() == family
	case "SHA", "SHA1":
		return s.mac() == "SHA"
	case "TLSv1.0":
		return s.version() == "TLSv1"
	case "SSLv3", "TLSv1", "TLSv1.2":
		return s.version() == family
	}
	return false
}

// goSuites are the numbers of the suites that Go has.
var goSuites = map[string]uint16{
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
}

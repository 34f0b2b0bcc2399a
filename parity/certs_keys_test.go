package parity

import (
	"fmt"
	"strings"
)

// The kinds of files.
const (
	keyKind    = "private keys"
	certKind   = "certificates of clients"
	caKind     = "files of authorities"
	storeKind  = "PKCS#12 stores"
	serverKind = "servers"
)

// keyCase is the client's certificate with the key of a file.
func keyCase(name, cert, key string, more ...string) certCase {
	return certCase{
		kind: keyKind, name: name,
		properties: append([]string{"ssl.ca.location", "$D/ca.pem", "ssl.certificate.location", "$D/" + cert, "ssl.key.location", "$D/" + key}, more...),
	}
}

// keyCases are keys: algorithm x container x encryption x function.
func keyCases(m *maker) (cases []certCase) {
	const legacy = " -provider default -provider legacy"
	password := []string{"ssl.key.password", "secret"}
	m.openssl("genpkey -algorithm ED25519 -out ed.key")
	m.openssl("pkcs8 -topk8 -nocrypt -in ed.key -out ed8.key")
	m.sign("ed", "ed.key", "/CN=client", nil)
	for _, kind := range []string{"rsa", "ec", "ed"} {
		add := func(name, file string, more ...string) {
			cases = append(cases, keyCase(kind+" "+name, kind+".pem", file, more...))
		}
		add("PKCS#8", kind+"8.key")
		add("as openssl writes it", kind+".key")
		if kind != "ed" {
			m.openssl("pkey -traditional -in " + kind + ".key -out " + kind + "-old.key")
			add("traditional", kind+"-old.key")
		}
		ciphers := strings.Fields("aes-128-cbc aes-192-cbc aes-256-cbc des-ede3-cbc des-cbc rc2-cbc rc2-40-cbc camellia-128-cbc camellia-192-cbc camellia-256-cbc " +
			"seed-cbc bf-cbc cast5-cbc aes-256-cfb aes-128-ofb aes-256-ecb")
		for _, c := range ciphers {
			for _, prf := range []string{"hmacWithSHA1", "hmacWithSHA256", "hmacWithSHA512"} {
				file := kind + "-" + c + "-" + prf + ".key"
				m.openssl("pkcs8 -topk8" + legacy + " -in " + kind + ".key -v2 " + c + " -v2prf " + prf + " -passout pass:secret -out " + file)
				add("PBES2 "+c+" "+prf, file, password...)
			}
		}
		for _, prf := range strings.Fields("hmacWithMD5 hmacWithSHA224 hmacWithSHA384 hmacWithSHA512-224 hmacWithSHA512-256") {
			file := kind + "-" + prf + ".key"
			m.openssl("pkcs8 -topk8 -in " + kind + ".key -v2 aes-256-cbc -v2prf " + prf + " -passout pass:secret -out " + file)
			add("PBES2 aes-256-cbc "+prf, file, password...)
		}
		for _, pbe := range strings.Fields("PBE-SHA1-3DES PBE-SHA1-2DES PBE-MD5-DES PBE-SHA1-DES PBE-MD5-RC2-64 PBE-SHA1-RC2-64 " +
			"PBE-SHA1-RC2-40 PBE-SHA1-RC2-128 PBE-SHA1-RC4-40 PBE-SHA1-RC4-128") {
			file := kind + "-" + pbe + ".key"
			m.openssl("pkcs8 -topk8" + legacy + " -in " + kind + ".key -v1 " + pbe + " -passout pass:secret -out " + file)
			add("PBES1 "+pbe, file, password...)
		}
		m.openssl("pkcs8 -topk8 -scrypt -in " + kind + ".key -passout pass:secret -out " + kind + "-scrypt.key")
		add("PBES2 scrypt", kind+"-scrypt.key", password...)
		for _, c := range strings.Fields("aes-128-cbc aes-192-cbc aes-256-cbc des3 des-ede3-cfb des-ede-cbc des camellia-128-cbc camellia-256-cbc seed bf cast rc2 aes-256-cfb aes-256-ofb aes-256-ctr camellia-128-ctr") {
			if kind == "ed" {
				break // has no form of its own
			}
			file := kind + "-dek-" + c + ".key"
			m.openssl(map[string]string{"rsa": "rsa -traditional", "ec": "ec"}[kind] + legacy + " -in " + kind + ".key -" + c + " -passout pass:secret -out " + file)
			add("PEM encryption "+c, file, password...)
		}
		for name, pass := range map[string][]string{"the wrong password": {"ssl.key.password", "wrong"}, "no password": nil, "an empty password": {"ssl.key.password", ""}} {
			add("PBES2 with "+name, kind+"-aes-256-cbc-hmacWithSHA256.key", pass...)
			add("PBES1 with "+name, kind+"-PBE-SHA1-3DES.key", pass...)
			if kind != "ed" {
				add("PEM encryption with "+name, kind+"-dek-aes-256-cbc.key", pass...)
			}
		}
		add("a password that is not needed", kind+".key", password...)
		m.openssl("pkcs8 -topk8 -in " + kind + ".key -v1 PBE-SHA1-3DES -passout pass:пароль€ -out " + kind + "-utf8.key")
		add("PBES1 with a password of UTF-8", kind+"-utf8.key", "ssl.key.password", "пароль€")
		m.openssl("pkcs8 -topk8 -in " + kind + ".key -passout pass:пароль€ -out " + kind + "-utf8-2.key")
		add("PBES2 with a password of UTF-8", kind+"-utf8-2.key", "ssl.key.password", "пароль€")
	}
	cases = append(cases, keyCase("of another algorithm than the certificate", "rsa.pem", "ec.key"), keyCase("of another certificate", "ec.pem", "srv.key"))
	m.openssl("ecparam -name prime256v1 -genkey -noout -out other.key")
	cases = append(cases, keyCase("of the same algorithm as the certificate, and not its own", "ec.pem", "other.key"))

	for _, form := range []string{"explicit", "explicit -conv_form compressed", "named_curve -conv_form compressed", "named_curve -no_public"} {
		file := "ec-" + strings.ReplaceAll(form, " ", "") + ".key"
		m.openssl("ec -in ec.key -param_enc " + form + " -out " + file)
		cases = append(cases, keyCase("ec with the parameters "+form, "ec.pem", file))
		m.openssl("pkcs8 -topk8 -nocrypt -in " + file + " -out 8" + file)
		cases = append(cases, keyCase("PKCS#8 ec with the parameters "+form, "ec.pem", "8"+file))
	}
	for _, k := range []struct{ name, make string }{
		{"P-384", "ecparam -name secp384r1 -genkey -noout"},
		{"P-521", "ecparam -name secp521r1 -genkey -noout"},
		{"P-224", "ecparam -name secp224r1 -genkey -noout"},
		{"P-192", "ecparam -name prime192v1 -genkey -noout"},
		{"RSA-1024", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024"},
		{"RSA-3072", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072"},
		{"ED25519", "genpkey -algorithm ED25519"},
		{"RSA-with-three-primes", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3"},
		{"RSA-with-exponent-3", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3"},
		{"RSA-with-a-long-exponent", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:4294967297"},
		{"RSA-2056", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2056"},
		{"RSA-2047", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2047"},
		{"ED448", "genpkey -algorithm ED448"},
		{"brainpoolP256r1", "ecparam -name brainpoolP256r1 -genkey -noout"},
		{"RSA-PSS", "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"},
		{"secp256k1", "ecparam -name secp256k1 -genkey -noout"},
	} {
		m.openssl(k.make + " -out " + k.name + ".key")
		m.sign(k.name, k.name+".key", "/CN=client", nil)
		c := keyCase(k.name, k.name+".pem", k.name+".key")
		c.unsent = k.name == "P-224" // s_server does not ask for signatures with it
		cases = append(cases, c)
	}
	for _, curve := range []string{"secp384r1", "secp521r1"} {
		m.openssl("ecparam -name " + curve + " -param_enc explicit -genkey -noout -out explicit-" + curve + ".key")
		m.openssl("ec -in explicit-" + curve + ".key -param_enc named_curve -out named-" + curve + ".key")
		m.sign("named-"+curve, "named-"+curve+".key", "/CN=client", nil)
		cases = append(cases, keyCase(curve+" with explicit parameters", "named-"+curve+".pem", "explicit-"+curve+".key"))
	}
	weak := keyCase("RSA-1024 with SECLEVEL 1", "RSA-1024.pem", "RSA-1024.key", "ssl.cipher.suites", "DEFAULT@SECLEVEL=1")
	weak.unsent = true // the server's own level is 2
	for _, c := range []string{"aria-256-cbc", "sm4-cbc"} {
		m.openssl("pkcs8 -topk8 -in ec.key -v2 " + c + " -passout pass:secret -out ec-" + c + ".key")
		cases = append(cases, keyCase("ec PBES2 "+c, "ec.pem", "ec-"+c+".key", password...))
	}
	return append(cases, weak)
}

// pemCases are texts around the same keys and certificates: labels, line ends, byte order marks, what is before, between and behind.
func pemCases(m *maker) (cases []certCase) {
	const bom = "\xef\xbb\xbf"
	key, cert, ca := m.read("ec8.key"), m.read("ec.pem"), m.read("ca.pem")
	forms := []struct {
		name string
		make func(text string) string
	}{
		{"with CR LF", func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }},
		{"with CR", func(s string) string { return strings.ReplaceAll(s, "\n", "\r") }},
		{"without an end of the last line", func(s string) string { return strings.TrimSuffix(s, "\n") }},
		{"with blanks at the ends of lines", func(s string) string { return strings.ReplaceAll(s, "\n", "  \t\n") }},
		{"with blanks at the starts of lines", func(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }},
		{"with a byte order mark", func(s string) string { return bom + s }},
		{"with a byte order mark and CR LF", func(s string) string { return bom + strings.ReplaceAll(s, "\n", "\r\n") }},
		{"with a line before the byte order mark", func(s string) string { return "\n" + bom + s }},
		{"with a byte order mark on a line of its own", func(s string) string { return bom + "\n" + s }},
		{"with text before and behind", func(s string) string { return "Bag Attributes\n    friendlyName: x\n" + s + "the end\n" }},
		{"with an empty line behind the first", func(s string) string { return strings.Replace(s, "-----\n", "-----\n\n", 1) }},
		{"with an empty line in the middle", func(s string) string {
			lines := strings.SplitAfter(s, "\n")
			return strings.Join(lines[:2], "") + "\n" + strings.Join(lines[2:], "")
		}},
		{"on one line", func(s string) string {
			lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
			return lines[0] + "\n" + strings.Join(lines[1:len(lines)-1], "") + "\n" + lines[len(lines)-1] + "\n"
		}},
		{"with a header that is none", func(s string) string { return strings.Replace(s, "-----\n", "-----\nComment: x\n\n", 1) }},
		{"with a character that is not base64", func(s string) string { return strings.Replace(s, "-----\n", "-----\n!", 1) }},
		{"without an end", func(s string) string { return s[:strings.LastIndex(s, "-----END")] }},
		{"with another end", func(s string) string { return strings.Replace(s, "-----END ", "-----END X", 1) }},
		{"with a label in small letters", func(s string) string { return strings.Replace(s, "BEGIN", "begin", 1) }},
		{"cut in the middle", func(s string) string { return s[:len(s)/2] }},
		{"as UTF-16", func(s string) string {
			var b strings.Builder
			b.WriteString("\xff\xfe")
			for _, c := range []byte(s) {
				b.Write([]byte{c, 0})
			}
			return b.String()
		}},
		{"empty", func(string) string { return "" }},
	}
	const sources = "ssl.certificate.location"
	for i, form := range forms {
		name := fmt.Sprintf("form%d", i)
		m.write(name+".key", form.make(key))
		m.write(name+".pem", form.make(cert))
		m.write(name+".ca", form.make(ca))
		cases = append(cases, keyCase(form.name, "ec.pem", name+".key"),
			certCase{kind: certKind, name: form.name, properties: []string{sources, "$D/" + name + ".pem", "ssl.key.location", "$D/ec8.key"}},
			certCase{kind: caKind, name: form.name, properties: []string{"ssl.ca.location", "$D/" + name + ".ca"}})
		if form.name != "empty" {
			cases = append(cases,
				certCase{kind: keyKind, name: form.name + ", as ssl.key.pem", properties: []string{sources, "$D/ec.pem", "ssl.key.pem", "@$D/" + name + ".key"}},
				certCase{kind: certKind, name: form.name + ", as ssl.certificate.pem", properties: []string{"ssl.certificate.pem", "@$D/" + name + ".pem", "ssl.key.location", "$D/ec8.key"}},
				certCase{kind: caKind, name: form.name + ", as ssl.ca.pem", properties: []string{"ssl.ca.pem", "@$D/" + name + ".ca"}})
		}
	}
	relabel := func(text, label string) string {
		for _, l := range []string{"ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY", "CERTIFICATE"} {
			if strings.Contains(text, "-----BEGIN "+l+"-----") {
				return strings.ReplaceAll(text, " "+l+"-----", " "+label+"-----")
			}
		}
		return text
	}
	locked := m.read("ec-aes-256-cbc-hmacWithSHA256.key")
	bad := strings.Replace(key, "-----\n", "-----\n!", 1)
	m.openssl("ecparam -name prime256v1 -out params.pem")
	for i, k := range []struct{ name, text string }{
		{"SEC 1 as RSA", relabel(m.read("ec.key"), "RSA PRIVATE KEY")},
		{"SEC 1 as PKCS#8", relabel(m.read("ec.key"), "PRIVATE KEY")},
		{"PKCS#8 of ec as RSA", relabel(key, "RSA PRIVATE KEY")},
		{"PKCS#8 of ec as EC", relabel(key, "EC PRIVATE KEY")},
		{"PKCS#8 as encrypted", relabel(key, "ENCRYPTED PRIVATE KEY")},
		{"encrypted as PKCS#8", relabel(locked, "PRIVATE KEY")},
		{"encrypted as EC", relabel(locked, "EC PRIVATE KEY")},
		{"PKCS#8 as DSA", relabel(key, "DSA PRIVATE KEY")},
		{"PKCS#8 as FOO", relabel(key, "FOO PRIVATE KEY")},
		{"PKCS#8 as ANY", relabel(key, "ANY PRIVATE KEY")},
		{"behind the parameters of its curve", m.read("params.pem") + m.read("ec.key")},
		{"behind the parameters and a byte order mark", m.read("params.pem") + bom + m.read("ec.key")},
		{"behind its certificate", cert + key},
		{"before its certificate", key + cert},
		{"behind its certificate and a byte order mark", cert + bom + key},
		{"behind an empty line and a byte order mark", cert + "\n" + bom + key},
		{"behind a broken key", bad + key},
		{"behind a key that is not supported", m.read("ec-PBE-MD5-DES.key") + key},
		{"behind a key with another password", m.read("ec-dek-des3.key") + key},
		{"behind the key of another certificate", m.read("rsa.key") + key},
		{"as DER", string([]byte{0x30, 0x03, 0x02, 0x01, 0x00})},
	} {
		file := fmt.Sprintf("text%d.key", i)
		m.write(file, k.text)
		cases = append(cases, keyCase(k.name, "ec.pem", file, "ssl.key.password", "secret"))
	}
	m.openssl("x509 -in ec.pem -trustout -addtrust clientAuth -out trusted.pem")
	m.openssl("x509 -in ec.pem -outform DER -out ec.der")
	m.sign("sha1", "ec.key", "/CN=client", nil, "-sha1")
	m.sign("sha384", "ec.key", "/CN=client", nil, "-sha384")
	m.openssl("req -x509 -sha1 -days 30 -key ec.key -subj /CN=client -out self.pem")
	m.sign("numbers", "ec-explicit.key", "/CN=client", nil)
	m.sign("negative", "ec.key", "/CN=client", nil, "-set_serial", "-5")
	m.sign("zero", "ec.key", "/CN=client", nil, "-set_serial", "0")
	for i, c := range []struct {
		name, text string
		unsent     bool
	}{
		{"trusted", m.read("trusted.pem"), false},
		{"X509 CERTIFICATE", relabel(cert, "X509 CERTIFICATE"), false},
		{"as DER", m.read("ec.der"), false},
		{"with a chain", cert + ca, false},
		{"with a chain behind a byte order mark", cert + bom + ca, false},
		{"with a chain behind text", cert + "\nsubject=authority\n" + ca, false},
		{"with a broken chain", cert + bad, false},
		{"with a broken certificate behind it", cert + strings.Replace(ca, "-----\n", "-----\n!", 1), false},
		{"behind the key", key + cert, false},
		{"behind the key and a byte order mark", key + bom + cert, false},
		{"of an authority before it", ca + cert, false},
		{"with a signature of SHA-1", m.read("sha1.pem"), false},
		{"with a signature of SHA-384", m.read("sha384.pem"), false},
		{"signed by itself with SHA-1", m.read("self.pem"), true},
		{"with a curve that is given by its numbers", m.read("numbers.pem"), true}, // no server of OpenSSL takes it
		{"with a negative serial number", m.read("negative.pem"), false},
		{"with the serial number 0", m.read("zero.pem"), false},
		{"that is a request", m.read("ec.csr"), false},
		{"that is a key", key, false},
	} {
		file := fmt.Sprintf("text%d.pem", i)
		m.write(file, c.text)
		cases = append(cases, certCase{kind: certKind, name: c.name, unsent: c.unsent, properties: []string{sources, "$D/" + file, "ssl.key.location", "$D/ec8.key"}})
	}
	for i, c := range []struct{ name, text string }{
		{"a leaf", cert},
		{"a leaf and an authority", cert + ca},
		{"an authority and a broken one", ca + strings.Replace(ca, "-----\n", "-----\n!", 1)},
		{"an authority and a broken one of another kind", ca + bad},
		{"an authority and text", ca + "the end\n"},
		{"two with a byte order mark each", bom + ca + bom + cert},
		{"two with a byte order mark behind an empty line", ca + "\n" + bom + cert},
		{"an authority and a key", ca + key},
		{"a key", key},
		{"a trusted certificate", m.read("trusted.pem")},
		{"a negative serial number", m.read("negative.pem")},
		{"a curve that is given by its numbers", m.read("numbers.pem")},
		{"an authority as X509 CERTIFICATE", relabel(ca, "X509 CERTIFICATE")},
		{"an authority as PKCS7", relabel(ca, "PKCS7")},
		{"DER", m.read("ec.der")},
		{"a request", m.read("ec.csr")},
	} {
		file := fmt.Sprintf("text%d.ca", i)
		m.write(file, c.text)
		cases = append(cases, certCase{kind: caKind, name: c.name, properties: []string{"ssl.ca.location", "$D/" + file}})
		if !strings.Contains(c.text, "\x00") {
			cases = append(cases, certCase{kind: caKind, name: c.name + ", as ssl.ca.pem", properties: []string{"ssl.ca.pem", "@$D/" + file}})
		}
	}
	return cases
}

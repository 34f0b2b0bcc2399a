package parity

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// serverCases are servers of OpenSSL: names of certificates, what is wrong with them, and suites.
func serverCases(m *maker) (cases []certCase) {
	add := func(name string, s *tlsServer, more ...string) {
		cases = append(cases, certCase{kind: serverKind, name: name, server: s, properties: append([]string{"ssl.ca.location", "$D/ca.pem"}, more...)})
	}
	n := 0
	certificate := func(subject string, extensions ...string) *tlsServer {
		n++
		file := fmt.Sprintf("name%d", n)
		m.sign(file, "srv.key", subject, extensions)
		return m.serve(file, "-cert", file+".pem", "-key", "srv.key")
	}
	san := func(names string) string { return "subjectAltName=" + names }
	for _, c := range []struct {
		name    string
		server  *tlsServer
		clients []string
	}{
		{"a DNS name", certificate("/CN=other", san("DNS:broker.example.org")), []string{"broker.example.org", "BROKER.Example.Org", "other", "broker2.example.org", "127.0.0.1"}},
		{"a common name alone", certificate("/CN=broker.example.org"), []string{"broker.example.org", "Broker.example.org", "other", "127.0.0.1"}},
		{"two common names", certificate("/CN=one.example.org/CN=two.example.org"), []string{"one.example.org", "two.example.org"}},
		{"a common name and an email", certificate("/CN=broker.example.org", san("email:a@example.org")), []string{"broker.example.org", "example.org"}},
		{"a common name and a URI", certificate("/CN=broker.example.org", san("URI:https://other.example.org/")), []string{"broker.example.org", "other.example.org"}},
		{"a common name and an address", certificate("/CN=broker.example.org", san("IP:127.0.0.1")), []string{"broker.example.org", "127.0.0.1", "127.0.0.2"}},
		{"an address as a common name", certificate("/CN=127.0.0.1"), []string{"127.0.0.1"}},
		{"an address as a DNS name", certificate("/CN=x", san("DNS:127.0.0.1")), []string{"127.0.0.1"}},
		{"an address and a DNS name", certificate("/CN=broker.example.org", san("IP:127.0.0.1,DNS:other.example.org")), []string{"broker.example.org", "127.0.0.1", "other.example.org"}},
		{"a star", certificate("/CN=x", san("DNS:*.example.org")), []string{"broker.example.org", "a.b.example.org", "example.org", "xn--a.example.org"}},
		{"a star as a common name", certificate("/CN=*.example.org"), []string{"broker.example.org", "example.org"}},
		{"a star behind letters", certificate("/CN=x", san("DNS:broker*.example.org")), []string{"broker1.example.org", "broker.example.org", "other.example.org"}},
		{"a star before letters", certificate("/CN=x", san("DNS:*1.example.org")), []string{"broker1.example.org", "broker2.example.org"}},
		{"a star between letters", certificate("/CN=x", san("DNS:b*r.example.org")), []string{"broker.example.org"}},
		{"a star of a top domain", certificate("/CN=x", san("DNS:*.org")), []string{"example.org"}},
		{"a star in the second label", certificate("/CN=x", san("DNS:a.*.example.org")), []string{"a.b.example.org"}},
		{"an underscore", certificate("/CN=x", san("DNS:kafka_1.example.org")), []string{"kafka_1.example.org"}},
		{"no subject and no name", certificate("/O=nobody"), []string{"broker.example.org"}},
		{"one label", certificate("/CN=broker"), []string{"broker"}},
	} {
		for _, host := range c.clients {
			add(c.name+", called "+host, c.server.called(host))
		}
	}
	add("another name, and names do not matter", certificate("/CN=other").called("broker.example.org"), "ssl.endpoint.identification.algorithm", "none")

	signed := func(name string, extensions []string, more ...string) *tlsServer {
		n++
		file := fmt.Sprintf("odd%d", n)
		m.sign(file, "srv.key", "/CN=x", append([]string{san("DNS:localhost")}, extensions...), more...)
		return m.serve(file, "-cert", file+".pem", "-key", "srv.key", "-cipher", "DEFAULT@SECLEVEL=0")
	}
	m.openssl("genrsa -out mid.key 2048")
	negative := signed("negative", nil, "-set_serial", "-7")
	add("a negative serial number", negative)
	add("a negative serial number, not verified", negative, "enable.ssl.certificate.verification", "false")
	add("the serial number 0", signed("zero", nil, "-set_serial", "0"))
	add("for clients only", signed("client", []string{"extendedKeyUsage=clientAuth"}))
	add("for servers", signed("server", []string{"extendedKeyUsage=serverAuth"}))
	add("for signing code", signed("code", []string{"extendedKeyUsage=codeSigning"}), "enable.ssl.certificate.verification", "false")
	add("a signature of SHA-1", signed("sha1", nil, "-sha1"))
	add("a signature of SHA-512", signed("sha512", nil, "-sha512"))
	add("an unknown critical extension", signed("critical", []string{"1.2.3.4=critical,DER:0500"}))
	for _, usage := range []string{"digitalSignature", "keyEncipherment", "keyAgreement", "keyCertSign", "critical,cRLSign", "dataEncipherment"} {
		add("the key usage "+usage, signed("usage", []string{"keyUsage=" + usage}))
	}
	for _, usage := range []string{"clientAuth,serverAuth", "1.2.3.4", "anyExtendedKeyUsage", "msSGC", "critical,serverAuth"} {
		add("the extended key usage "+usage, signed("extended", []string{"extendedKeyUsage=" + usage}))
	}
	add("the type client", signed("type", []string{"nsCertType=client"}))
	add("the type server", signed("type", []string{"nsCertType=server"}))
	add("a leaf that says it is an authority", signed("ca", []string{"basicConstraints=critical,CA:TRUE"}))
	// Authorities of their own.
	for _, a := range []struct {
		name  string
		lines []string
		leaf  []string
	}{
		{"without extensions", nil, nil},
		{"that says it is none", []string{"basicConstraints=CA:FALSE"}, nil},
		{"that may not sign", []string{"basicConstraints=CA:TRUE", "keyUsage=digitalSignature"}, nil},
		{"that may sign", []string{"basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"}, nil},
		{"with key usage and without basic constraints", []string{"keyUsage=keyCertSign"}, nil},
		{"for clients", []string{"basicConstraints=CA:TRUE", "extendedKeyUsage=clientAuth"}, nil},
		{"for the right domain", []string{"basicConstraints=CA:TRUE", "nameConstraints=permitted;DNS:localhost"}, nil},
		{"for another domain", []string{"basicConstraints=CA:TRUE", "nameConstraints=permitted;DNS:example.org"}, nil},
		{"for another domain, and a common name", []string{"basicConstraints=CA:TRUE", "nameConstraints=permitted;DNS:example.org"}, []string{}},
		{"without this domain, and a common name", []string{"basicConstraints=CA:TRUE", "nameConstraints=excluded;DNS:localhost"}, []string{}},
		{"for the right domain of a broker, and a common name", []string{"basicConstraints=CA:TRUE", "nameConstraints=permitted;DNS:example.org"}, []string{"broker.example.org"}},
		{"for the wrong domain of a broker, and a common name", []string{"basicConstraints=CA:TRUE", "nameConstraints=permitted;DNS:example.com"}, []string{"broker.example.org"}},
		{"without the domain of a broker, and a common name", []string{"basicConstraints=CA:TRUE", "nameConstraints=excluded;DNS:example.org"}, []string{"broker.example.org"}},
		{"for the right domain, and a common name", []string{"basicConstraints=CA:TRUE", "nameConstraints=permitted;DNS:localhost"}, []string{}},
	} {
		n++
		root := fmt.Sprintf("root%d", n)
		m.write(root+".ext", strings.Join(append([]string{"subjectKeyIdentifier=hash"}, a.lines...), "\n")+"\n")
		if a.lines == nil {
			m.write(root+".ext", "")
		}
		m.openssl("req -new -key mid.key -subj /CN=" + root + " -out " + root + ".csr")
		m.openssl("x509 -req -days 30 -signkey mid.key -in " + root + ".csr -out " + root + ".pem -extfile " + root + ".ext")
		lines, host := san("DNS:localhost"), "localhost"
		if a.leaf != nil {
			lines = "keyUsage=digitalSignature"
			host = append(a.leaf, host)[0]
		}
		m.write(root+"-leaf.ext", lines+"\n")
		m.openssl("req -new -key srv.key -subj /CN=" + host + " -out " + root + "-leaf.csr")
		m.openssl("x509 -req -days 30 -CA " + root + ".pem -CAkey mid.key -CAcreateserial -in " + root + "-leaf.csr -out " + root + "-leaf.pem -extfile " + root + "-leaf.ext")
		cases = append(cases, certCase{
			kind: serverKind, name: "an authority " + a.name, server: m.serve(root, "-cert", root+"-leaf.pem", "-key", "srv.key").called(host),
			properties: []string{"ssl.ca.location", "$D/" + root + ".pem"},
		})
	}
	m.openssl("req -x509 -newkey rsa:2048 -nodes -days 30 -keyout alone.key -out alone.pem -subj /CN=localhost")
	alone := m.serve("alone", "-cert", "alone.pem", "-key", "alone.key")
	add("signed by itself, unknown", alone)
	cases = append(cases, certCase{kind: serverKind, name: "signed by itself, known", server: alone, properties: []string{"ssl.ca.location", "$D/alone.pem"}})
	m.expired("old")
	cases = append(cases, certCase{kind: serverKind, name: "expired", server: m.serve("old", "-cert", "old.pem", "-key", "old.key"), properties: []string{"ssl.ca.location", "$D/old.pem"}})
	m.sign("leaf", "srv.key", "/CN=localhost", nil)
	leaf := m.serve("leaf", "-cert", "leaf.pem", "-key", "srv.key")
	cases = append(cases, certCase{kind: serverKind, name: "its own certificate is the CA file", server: leaf, properties: []string{"ssl.ca.location", "$D/leaf.pem"}})
	// An authority between.
	m.sign("mid", "mid.key", "/CN=between", []string{"basicConstraints=critical,CA:TRUE"})
	m.run("openssl", strings.Fields("x509 -req -days 30 -CA mid.pem -CAkey mid.key -CAcreateserial -in leaf.csr -out low.pem")...)
	m.write("both.pem", m.read("mid.pem")+m.read("ca.pem"))
	chain := m.serve("chain", "-cert", "low.pem", "-key", "srv.key", "-cert_chain", "mid.pem")
	short := m.serve("short", "-cert", "low.pem", "-key", "srv.key", "-no-CAfile")
	add("an authority between, sent", chain)
	add("an authority between, not sent", short)
	for name, s := range map[string]*tlsServer{"sent": chain, "not sent": short} {
		cases = append(cases,
			certCase{kind: serverKind, name: "an authority between, " + name + ", alone in the CA file", server: s, properties: []string{"ssl.ca.location", "$D/mid.pem"}},
			certCase{kind: serverKind, name: "an authority between, " + name + ", both in the CA file", server: s, properties: []string{"ssl.ca.location", "$D/both.pem"}})
	}
	for _, size := range []string{"1024", "3072"} {
		m.openssl("genrsa -out weak" + size + ".key " + size)
		m.sign("weak"+size, "weak"+size+".key", "/CN=localhost", nil)
		s := m.serve("weak", "-cert", "weak"+size+".pem", "-key", "weak"+size+".key", "-cipher", "DEFAULT@SECLEVEL=0")
		add("a key of RSA-"+size, s)
		add("a key of RSA-"+size+" with SECLEVEL 1", s, "ssl.cipher.suites", "DEFAULT@SECLEVEL=1")
	}
	m.openssl("ecparam -name prime256v1 -genkey -noout -out srvec.key")
	m.sign("srvec", "srvec.key", "/CN=localhost", nil)
	add("a key of P-256", m.serve("ec", "-cert", "srvec.pem", "-key", "srvec.key"))
	add("a key of ED25519", func() *tlsServer {
		m.sign("srved", "ED25519.key", "/CN=localhost", nil)
		return m.serve("ed", "-cert", "srved.pem", "-key", "ED25519.key")
	}())
	for _, suite := range strings.Fields("AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA AES256-SHA AES128-SHA256 ECDHE-RSA-AES128-SHA ECDHE-RSA-AES256-SHA ECDHE-RSA-AES128-SHA256 " +
		"ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305") {
		s := m.serve(suite, "-cert", "srv.pem", "-key", "srv.key", "-tls1_2", "-cipher", suite)
		add("TLS 1.2 with "+suite+" only", s)
		add("TLS 1.2 with "+suite+" only, asked for", s, "ssl.cipher.suites", suite)
		add("TLS 1.2 with "+suite+" only, and another asked for", s, "ssl.cipher.suites", "ECDHE-ECDSA-AES128-SHA")
	}
	for _, version := range []string{"tls1_2", "tls1_3"} {
		add(version, m.serve(version, "-cert", "srv.pem", "-key", "srv.key", "-"+version))
	}
	add("tls1_1", m.serve("tls1_1", "-cert", "srv.pem", "-key", "srv.key", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"))
	return cases
}

// expired makes a certificate of localhost that was good until a minute ago, which req does not.
func (m *maker) expired(name string) {
	m.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		m.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(-time.Minute),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		m.t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	m.write(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

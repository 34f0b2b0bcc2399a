package conf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/halon-extras/kafka/internal/authority"
)

// oddServer listens with a certificate that change makes odd, of an RSA key of so many bits.
func oddServer(t *testing.T, ca *authority.Authority, bits int, change func(*x509.Certificate), config *tls.Config) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{ca.IssueFor(key, change)}
	_, port, err := net.SplitHostPort(newTLSBroker(t, config).listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("localhost", port)
}

// TestOddServers connects to servers that Go refuses where OpenSSL does not, and the other way round.
func TestOddServers(t *testing.T) {
	ca := authority.New(t, "ca")
	caFile := write(t, filepath.Join(t.TempDir(), "ca.pem"), authority.Chain(ca.Cert))
	same := func(*x509.Certificate) {}
	only := func(suite uint16) *tls.Config {
		return &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
	}
	for _, c := range []struct {
		name    string
		address string
		more    []string
		fails   string
	}{
		{name: "a common name and no alternative one", address: oddServer(t, ca, 2048, same, &tls.Config{})},
		{name: "another common name", address: oddServer(t, ca, 2048, func(c *x509.Certificate) { c.Subject.CommonName = "broker" }, &tls.Config{}), fails: "is not valid for any names"},
		{name: "an email", address: oddServer(t, ca, 2048, func(c *x509.Certificate) { c.EmailAddresses = []string{"a@example.org"} }, &tls.Config{})},
		{name: "an address beside the common name", address: oddServer(t, ca, 2048, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }, &tls.Config{})},
		{name: "a key for clients", address: oddServer(t, ca, 2048, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, &tls.Config{}), fails: "is not for servers"},
		{name: "a key that signs certificates only", address: oddServer(t, ca, 2048, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }, &tls.Config{}), fails: "is not for servers"},
		{name: "a short key", address: oddServer(t, ca, 1024, same, &tls.Config{}), fails: "ee key too small (@SECLEVEL of ssl.cipher.suites is 2)"},
		{name: "a short key that is asked for", address: oddServer(t, ca, 1024, same, &tls.Config{}), more: []string{"ssl.cipher.suites", "DEFAULT@SECLEVEL=1"}},
		{name: "the exchange of keys with RSA", address: oddServer(t, ca, 2048, same, only(tls.TLS_RSA_WITH_AES_128_GCM_SHA256))},
		{name: "the exchange of keys with RSA, asked for", address: oddServer(t, ca, 2048, same, only(tls.TLS_RSA_WITH_AES_256_CBC_SHA)), more: []string{"ssl.cipher.suites", "kRSA"}},
		{
			name: "no suite in common", address: oddServer(t, ca, 2048, same, only(tls.TLS_RSA_WITH_AES_128_GCM_SHA256)), more: []string{"ssl.cipher.suites", "AES256-SHA"},
			fails: "no TLS version or cipher suite in common: ssl.cipher.suites leaves TLS 1.3 and TLS_RSA_WITH_AES_256_CBC_SHA: ",
		},
		{
			name: "a suite that Go offers only when it must", address: oddServer(t, ca, 2048, same, only(tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA)), //nolint:gosec // is refused
			fails: "no TLS version or cipher suite in common: this client offers TLS 1.3, and TLS 1.2 with ECDHE or RSA key exchange",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := settingsFor(t, append([]string{"security.protocol", "ssl", "broker.address.family", "v4", "bootstrap.servers", c.address, "ssl.ca.location", caFile}, c.more...)...)
			err := reach(t, s.Dialer(Deps{}), c.address)
			switch {
			case c.fails == "" && err != nil:
				t.Error(err)
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
				t.Errorf("error %v, want one with %q", err, c.fails)
			}
		})
	}
}

// TestTrustEndsWithARoot has a broker's own certificate, or one between, as the CA file: as with OpenSSL that is not enough.
func TestTrustEndsWithARoot(t *testing.T) {
	ca, dir := authority.New(t, "ca"), t.TempDir()
	broker := ca.Issue("broker", "localhost")
	address := newTLSBroker(t, &tls.Config{Certificates: []tls.Certificate{broker}}).listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	address = net.JoinHostPort("localhost", port)
	for text, fails := range map[string]bool{
		string(authority.Chain(broker.Leaf)):          true,
		string(authority.Chain(broker.Leaf, ca.Cert)): false,
	} {
		s := settingsFor(t, "security.protocol", "ssl", "broker.address.family", "v4", "bootstrap.servers", address,
			"ssl.ca.location", write(t, filepath.Join(dir, "ca.pem"), []byte(text)))
		if err := reach(t, s.Dialer(Deps{}), address); (err != nil) != fails {
			t.Errorf("error %v", err)
		}
	}
}

// TestStoreOfAnotherKeyIsRefused has a store whose certificate is not that of its key: the start must fail, and not the first connection.
func TestStoreOfAnotherKeyIsRefused(t *testing.T) {
	ca := authority.New(t, "ca")
	store, err := pkcs12.Modern2023.Encode(ca.Issue("other").PrivateKey, ca.Issue("client").Leaf, nil, "secret")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(t.TempDir(), "client.p12"), store)
	c := New()
	for _, p := range [][2]string{{"security.protocol", "ssl"}, {"ssl.keystore.location", file}, {"ssl.keystore.password", "secret"}} {
		if err := c.Set(p[0], p[1]); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = c.Finalize(1)
	if want := "Failed to use ssl.keystore.location: error:no certificate in " + file + " belongs to its private key"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestSecurityLevels(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{PublicKey: small.Public(), RawIssuer: []byte{1}, SignatureAlgorithm: x509.SHA256WithRSA}
	for level, want := range map[securityLevel]bool{0: true, 1: true, 2: false, 3: false, 5: false} {
		if got := level.check(cert, "ee") == nil; got != want {
			t.Errorf("level %d takes RSA-1024: %t", level, got)
		}
	}
	for bits, want := range map[int]int{512: 56, 1024: 80, 2047: 112, 2048: 112, 3072: 128, 4096: 152, 15360: 256} {
		if got := factoring(bits); got != want {
			t.Errorf("RSA-%d has %d bits of security, want %d", bits, got, want)
		}
	}
	signed := &x509.Certificate{PublicKey: &ecdsa.PublicKey{Curve: elliptic.P256()}, RawIssuer: []byte{1}, SignatureAlgorithm: x509.SHA1WithRSA}
	for level, want := range map[securityLevel]bool{0: true, 1: false, 2: false} {
		if got := level.check(signed, "ee") == nil; got != want {
			t.Errorf("level %d takes SHA-1: %t", level, got)
		}
	}
	signed.RawSubject = signed.RawIssuer // a signature by itself is not trusted, so its hash does not matter
	if err := defaultLevel.check(signed, "ca"); err != nil {
		t.Error(err)
	}
}

package conf

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/halon-extras/kafka/internal/authority"
)

// tlsBroker accepts TLS connections and tells who came.
type tlsBroker struct {
	listener net.Listener
	peers    chan string // the name in the certificate of each client, "" for none
}

func newTLSBroker(t *testing.T, config *tls.Config) *tlsBroker {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &tlsBroker{listener: tls.NewListener(plain, config), peers: make(chan string, 16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := b.listener.Accept()
			if err != nil {
				return
			}
			secure := conn.(*tls.Conn)
			if secure.HandshakeContext(t.Context()) == nil {
				name := ""
				if certs := secure.ConnectionState().PeerCertificates; len(certs) > 0 {
					name = certs[0].Subject.CommonName
				}
				b.peers <- name
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		b.listener.Close()
		<-done
	})
	return b
}

// reach connects as a client would. TLS 1.3 tells a client that it was refused only when it
// reads, so a byte is read.
func reach(t *testing.T, d *Dialer, address string) error {
	t.Helper()
	conn, _, err := d.Connect(t.Context(), address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	if err == nil || strings.Contains(err.Error(), "EOF") || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHandshakes(t *testing.T) {
	ca, stranger := authority.New(t, "ca"), authority.New(t, "ca")
	dir := t.TempDir()
	broker, client := ca.Issue("broker", "localhost"), ca.Issue("client")
	encrypted, err := pkcs8.MarshalPrivateKey(client.PrivateKey, []byte("secret"), pkcs8.DefaultOpts)
	if err != nil {
		t.Fatal(err)
	}
	old, err := x509.MarshalECPrivateKey(client.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	oldBlock, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", old, []byte("secret"), x509.PEMCipherAES128) //nolint:staticcheck // operators have such keys
	if err != nil {
		t.Fatal(err)
	}
	store, err := pkcs12.Modern2023.Encode(client.PrivateKey, client.Leaf, []*x509.Certificate{ca.Cert}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	var (
		caFile    = write(t, filepath.Join(dir, "ca.pem"), authority.Chain(ca.Cert))
		otherCA   = write(t, filepath.Join(dir, "other.pem"), authority.Chain(stranger.Cert))
		_         = write(t, filepath.Join(dir, "folder", "any.pem"), authority.Chain(ca.Cert))
		certFile  = write(t, filepath.Join(dir, "client.pem"), authority.Chain(client.Leaf))
		keyFile   = write(t, filepath.Join(dir, "client.key"), authority.Key(t, client))
		newKey    = write(t, filepath.Join(dir, "pkcs8.key"), authority.PEM("ENCRYPTED PRIVATE KEY", encrypted))
		oldKey    = write(t, filepath.Join(dir, "old.key"), pem.EncodeToMemory(oldBlock))
		storeFile = write(t, filepath.Join(dir, "client.p12"), store)
		clean     = write(t, filepath.Join(dir, "clean.crl"), ca.Revocations())
		revoked   = write(t, filepath.Join(dir, "revoked.crl"), ca.Revocations(broker.Leaf.SerialNumber))
		cleanV1   = write(t, filepath.Join(dir, "clean1.crl"), listV1(t, ca, time.Now().Add(time.Hour)))
		revokedV1 = write(t, filepath.Join(dir, "revoked1.crl"), listV1(t, ca, time.Now().Add(time.Hour), broker.Leaf.SerialNumber))
	)
	anyone := newTLSBroker(t, &tls.Config{Certificates: []tls.Certificate{broker}, MaxVersion: tls.VersionTLS12})
	members := newTLSBroker(t, &tls.Config{Certificates: []tls.Certificate{broker}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()})
	for _, c := range []struct {
		name       string
		to         *tlsBroker
		host       string
		properties []string
		peer       string // who the broker sees
		fails      string // a part of the error
	}{
		{name: "a broker of the CA in a file", to: anyone, properties: []string{"ssl.ca.location", caFile}},
		{name: "a broker of the CA in a folder", to: anyone, properties: []string{"ssl.ca.location", filepath.Join(dir, "folder")}},
		{name: "a broker of the CA in the configuration", to: anyone, properties: []string{"ssl.ca.pem", string(authority.Chain(ca.Cert))}},
		{name: "both CAs count", to: anyone, properties: []string{"ssl.ca.location", otherCA, "ssl.ca.pem", string(authority.Chain(ca.Cert))}},
		{name: "a broker of another CA", to: anyone, properties: []string{"ssl.ca.location", otherCA}, fails: "unknown authority"},
		{name: "the system's CAs do not know it", to: anyone, fails: "unknown authority"},
		{name: "a broker with another name", to: anyone, host: "127.0.0.1", properties: []string{"ssl.ca.location", caFile}, fails: "127.0.0.1"},
		{
			name: "another name does not matter", to: anyone, host: "127.0.0.1",
			properties: []string{"ssl.ca.location", caFile, "ssl.endpoint.identification.algorithm", "none"},
		},
		{
			name: "the CA matters also without a name", to: anyone, host: "127.0.0.1",
			properties: []string{"ssl.ca.location", otherCA, "ssl.endpoint.identification.algorithm", "none"}, fails: "unknown authority",
		},
		{name: "nothing is verified", to: anyone, host: "127.0.0.1", properties: []string{"enable.ssl.certificate.verification", "false"}},
		{name: "a broker that is not revoked", to: anyone, properties: []string{"ssl.ca.location", caFile, "ssl.crl.location", clean}},
		{name: "a revoked broker", to: anyone, properties: []string{"ssl.ca.location", caFile, "ssl.crl.location", revoked}, fails: "revoked"},
		{name: "not revoked by a list of version 1", to: anyone, properties: []string{"ssl.ca.location", caFile, "ssl.crl.location", cleanV1}},
		{name: "revoked by a list of version 1", to: anyone, properties: []string{"ssl.ca.location", caFile, "ssl.crl.location", revokedV1}, fails: "revoked"},
		{
			name: "a list of another CA", to: anyone, fails: "no revocation list",
			properties: []string{"ssl.ca.location", caFile, "ssl.crl.location", otherCA},
		},
		{name: "a suite that both have", to: anyone, properties: []string{"ssl.ca.location", caFile, "ssl.cipher.suites", "ECDHE-ECDSA-AES128-GCM-SHA256"}},
		{
			name: "a suite for other keys", to: anyone, fails: "handshake failure",
			properties: []string{"ssl.ca.location", caFile, "ssl.cipher.suites", "ECDHE-RSA-AES128-GCM-SHA256"},
		},
		{name: "a suite that Go has not", to: anyone, properties: []string{"ssl.ca.location", caFile, "ssl.cipher.suites", "DHE-RSA-AES128-SHA"}, fails: "protocol version"},
		{name: "a group that both have", to: anyone, properties: []string{"ssl.ca.location", caFile, "ssl.curves.list", "P-384:X25519"}},
		{name: "a client without a certificate", to: members, properties: []string{"ssl.ca.location", caFile}, fails: "certificate required"},
		{
			name: "a client with files", to: members, peer: "client",
			properties: []string{"ssl.ca.location", caFile, "ssl.certificate.location", certFile, "ssl.key.location", keyFile},
		},
		{
			name: "a client with texts", to: members, peer: "client",
			properties: []string{"ssl.ca.location", caFile, "ssl.certificate.pem", string(authority.Chain(client.Leaf)), "ssl.key.pem", string(authority.Key(t, client))},
		},
		{
			name: "a client with an encrypted key", to: members, peer: "client",
			properties: []string{"ssl.ca.location", caFile, "ssl.certificate.location", certFile, "ssl.key.location", newKey, "ssl.key.password", "secret"},
		},
		{
			name: "a client with a key encrypted the old way", to: members, peer: "client",
			properties: []string{"ssl.ca.location", caFile, "ssl.certificate.location", certFile, "ssl.key.location", oldKey, "ssl.key.password", "secret"},
		},
		{
			name: "a client with a PKCS#12 file", to: members, peer: "client",
			properties: []string{"ssl.ca.location", caFile, "ssl.keystore.location", storeFile, "ssl.keystore.password", "secret"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, port, err := net.SplitHostPort(c.to.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			host := c.host
			if host == "" {
				host = "localhost"
			}
			address := net.JoinHostPort(host, port)
			s := settingsFor(t, append([]string{"security.protocol", "ssl", "broker.address.family", "v4", "bootstrap.servers", address}, c.properties...)...)
			err = reach(t, s.Dialer(Deps{}), address)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("error %v, want one with %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if peer := <-c.to.peers; peer != c.peer {
				t.Errorf("the broker saw %q, want %q", peer, c.peer)
			}
		})
	}
}

// TestRenewedCertificateIsUsed replaces the client's files, the certificate first, and connects in
// between and afterwards.
func TestRenewedCertificateIsUsed(t *testing.T) {
	ca := authority.New(t, "ca")
	dir := t.TempDir()
	broker := newTLSBroker(t, &tls.Config{
		Certificates: []tls.Certificate{ca.Issue("broker", "localhost")},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
	})
	_, port, err := net.SplitHostPort(broker.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	caFile := write(t, filepath.Join(dir, "ca.pem"), authority.Chain(ca.Cert))
	certFile, keyFile := filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	first := ca.Issue("first")
	write(t, certFile, authority.Chain(first.Leaf))
	write(t, keyFile, authority.Key(t, first))
	address := net.JoinHostPort("localhost", port)
	s := settingsFor(t, "security.protocol", "ssl", "ssl.ca.location", caFile, "bootstrap.servers", address, "broker.address.family", "v4",
		"ssl.certificate.location", certFile, "ssl.key.location", keyFile)
	d := s.Dialer(Deps{})
	var unusable []error
	d.tls.report = func(err error) { unusable = append(unusable, err) }
	expect := func(name string) {
		t.Helper()
		if err := reach(t, d, address); err != nil {
			t.Fatal(err)
		}
		if peer := <-broker.peers; peer != name {
			t.Errorf("the broker saw %q, want %q", peer, name)
		}
	}
	expect("first")
	second := ca.Issue("second name")
	write(t, certFile, authority.Chain(second.Leaf))
	expect("first")
	if len(unusable) != 1 {
		t.Errorf("%d changes were reported as not usable, want 1: %v", len(unusable), unusable)
	}
	write(t, keyFile, authority.Key(t, second))
	expect("second name")
	if len(unusable) != 1 {
		t.Errorf("%d changes were reported as not usable, want still 1: %v", len(unusable), unusable)
	}
}

func TestPasswordOfTheKeyComesFromOutside(t *testing.T) {
	ca := authority.New(t, "ca")
	dir := t.TempDir()
	client := ca.Issue("client")
	lock := func(password string) []byte {
		der, err := pkcs8.MarshalPrivateKey(client.PrivateKey, []byte(password), pkcs8.DefaultOpts)
		if err != nil {
			t.Fatal(err)
		}
		return authority.PEM("ENCRYPTED PRIVATE KEY", der)
	}
	certFile := write(t, filepath.Join(dir, "client.pem"), authority.Chain(client.Leaf))
	keyFile := write(t, filepath.Join(dir, "client.key"), lock("one"))
	s := settingsFor(t, "security.protocol", "ssl", "ssl.certificate.location", certFile, "ssl.key.location", keyFile, "ssl.key.password", "one")
	d := s.Dialer(Deps{Secret: func(property string) (string, bool) { return "another", property == "ssl.key.password" }})
	d.tls.report = func(err error) { t.Error(err) }
	write(t, keyFile, lock("another"))
	if got := d.tls.config(d.tls.refresh(), "localhost").Certificates; len(got) != 1 {
		t.Errorf("%d certificates, want 1", len(got))
	}
}

// Package authority signs certificates for tests. What it makes is good from an hour ago until in an hour.
package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

//go:embed crlv1.pem
var listOfOpenSSL []byte // of version 1, which Go cannot make

// Authority is a certificate authority that a test trusts, or does not.
type Authority struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey

	t      testing.TB
	serial int64 // of the last certificate
}

// New returns an authority with a certificate of its own.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{Key: newKey(t), t: t, serial: 1}
	template := a.template(name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	a.Cert = a.sign(template, template, a.Key.Public())
	return a
}

// Issue returns a certificate for brokers and clients at hosts, names or addresses, with a serial number and a key of its own.
func (a *Authority) Issue(name string, hosts ...string) tls.Certificate {
	a.t.Helper()
	return a.IssueFor(newKey(a.t), func(c *x509.Certificate) {
		c.Subject.CommonName = name
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		for _, host := range hosts {
			if ip := net.ParseIP(host); ip != nil {
				c.IPAddresses = append(c.IPAddresses, ip)
			} else {
				c.DNSNames = append(c.DNSNames, host)
			}
		}
	})
}

// IssueFor returns a certificate for a key. It is for localhost by its common name only, unless change says more.
func (a *Authority) IssueFor(key crypto.Signer, change func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	a.serial++
	template := a.template("localhost")
	change(template)
	leaf := a.sign(template, a.Cert, key.Public())
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

func (a *Authority) template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
}

func (a *Authority) sign(template, parent *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.Key)
	check(a.t, err)
	cert, err := x509.ParseCertificate(der)
	check(a.t, err)
	return cert
}

// Pool returns who is trusted where this authority is.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	return pool
}

// Revocations returns the list of the certificates that are not good any more, as PEM.
func (a *Authority) Revocations(serials ...*big.Int) []byte {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for _, serial := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.Cert, a.Key)
	check(a.t, err)
	return PEM("X509 CRL", der)
}

// Folder makes the folder that cases call $CERTS: each form of file that a property may name, and some that are wrong. The
// password is "secret".
func (a *Authority) Folder() string {
	a.t.Helper()
	folder := a.t.TempDir()
	client, other := a.Issue("client"), a.Issue("other")
	encrypted, err := pkcs8.MarshalPrivateKey(client.PrivateKey, []byte("secret"), pkcs8.DefaultOpts)
	check(a.t, err)
	store, err := pkcs12.Modern2023.Encode(client.PrivateKey, client.Leaf, []*x509.Certificate{a.Cert}, "secret")
	check(a.t, err)
	legacy, err := pkcs12.LegacyRC2.Encode(client.PrivateKey, client.Leaf, nil, "secret")
	check(a.t, err)
	for name, data := range map[string][]byte{
		"ca.pem": Chain(a.Cert), "cadir/ca.pem": Chain(a.Cert), "client.pem": Chain(client.Leaf), "chain.pem": Chain(client.Leaf, a.Cert),
		"client.key": Key(a.t, client), "other.key": Key(a.t, other), "client.enc.key": PEM("ENCRYPTED PRIVATE KEY", encrypted),
		"client.p12": store, "client.legacy.p12": legacy, "crl.pem": a.Revocations(), "crlv1.pem": listOfOpenSSL, "garbage.pem": []byte("garbage\n"),
	} {
		path := filepath.Join(folder, name)
		check(a.t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(a.t, os.WriteFile(path, data, 0o600))
	}
	check(a.t, os.Mkdir(filepath.Join(folder, "emptydir"), 0o700))
	return folder
}

// Chain returns certificates as PEM, in their order.
func Chain(certs ...*x509.Certificate) (text []byte) {
	for _, cert := range certs {
		text = append(text, PEM("CERTIFICATE", cert.Raw)...)
	}
	return slices.Clip(text)
}

// Key returns the private key of a certificate as PEM.
func Key(t testing.TB, c tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	check(t, err)
	return PEM("PRIVATE KEY", der)
}

// PEM returns one block.
func PEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

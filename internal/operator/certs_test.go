package operator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a := &authority{t: t, key: must(t, key, err), next: 1}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	cert, err := x509.ParseCertificate(must(t, der, err))
	a.cert = must(t, cert, err)
	return a
}

// issue signs a certificate for hosts, which may be used until then.
func (a *authority) issue(name string, until time.Time, hosts ...string) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, key, err)
	a.next++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name},
		NotBefore: until.Add(-2 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	leaf, err := x509.ParseCertificate(must(a.t, der, err))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: must(a.t, leaf, err)}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeCerts makes the folder that the cases call $CERTS.
func writeCerts(t *testing.T, ca *authority) string {
	t.Helper()
	dir := t.TempDir()
	soon := time.Now().Add(time.Hour)
	client, other := ca.issue("client", soon), ca.issue("other", soon)
	key := func(c tls.Certificate) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
		return pemOf("PRIVATE KEY", must(t, der, err))
	}
	encrypted, err := pkcs8.MarshalPrivateKey(client.PrivateKey, []byte("secret"), pkcs8.DefaultOpts)
	must(t, encrypted, err)
	store, err := pkcs12.Modern2023.Encode(client.PrivateKey, client.Leaf, []*x509.Certificate{ca.cert}, "secret")
	must(t, store, err)
	legacy, err := pkcs12.LegacyRC2.Encode(client.PrivateKey, client.Leaf, nil, "secret")
	must(t, legacy, err)
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: soon,
	}, ca.cert, ca.key)
	must(t, list, err)
	old, err := os.ReadFile("../conf/testdata/crlv1.pem")
	must(t, old, err)
	caPEM, clientPEM := pemOf("CERTIFICATE", ca.cert.Raw), pemOf("CERTIFICATE", client.Leaf.Raw)
	for name, data := range map[string][]byte{
		"ca.pem": caPEM, "client.pem": clientPEM, "client.key": key(client), "other.key": key(other),
		"client.enc.key": pemOf("ENCRYPTED PRIVATE KEY", encrypted), "client.p12": store, "client.legacy.p12": legacy,
		"garbage.pem": []byte("garbage\n"), "cadir/ca.pem": caPEM, "emptydir/": nil, "crl.pem": pemOf("X509 CRL", list),
		"crlv1.pem": old,
		"chain.pem": append(clientPEM[:len(clientPEM):len(clientPEM)], caPEM...),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o700)
		} else {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

package conf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *rsa.PrivateKey
	next int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key, next: 1}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue signs a certificate for hosts.
func (a *authority) issue(name string, hosts ...string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.next++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
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
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func pemCert(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func pemKey(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// writeFiles makes the folder that the cases call $CERTS.
func writeFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ca := newAuthority(t)
	cert, key := ca.issue("client")
	_, other := ca.issue("other")
	encrypted, err := pkcs8.MarshalPrivateKey(key, []byte("secret"), pkcs8.DefaultOpts)
	if err != nil {
		t.Fatal(err)
	}
	store, err := pkcs12.Modern2023.Encode(key, cert, []*x509.Certificate{ca.cert}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := pkcs12.LegacyRC2.Encode(key, cert, nil, "secret")
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
	}, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	listOfOpenSSL, err := os.ReadFile("testdata/crlv1.pem")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"ca.pem": pemCert(ca.cert), "client.pem": pemCert(cert), "client.key": pemKey(t, key), "other.key": pemKey(t, other),
		"client.enc.key": pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: encrypted}),
		"client.p12":     store, "client.legacy.p12": legacy, "garbage.pem": []byte("garbage\n"),
		"cadir/ca.pem": pemCert(ca.cert), "emptydir/": nil,
		"crl.pem":   pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list}),
		"crlv1.pem": listOfOpenSSL,
		"chain.pem": slices.Concat(pemCert(cert), pemCert(ca.cert)),
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

// TestNew replays what rd_kafka_new of librdkafka 2.15.0 said to whole configurations: the verdict,
// its words up to those of OpenSSL, the client's name and the warnings.
func TestNew(t *testing.T) {
	certs := writeFiles(t)
	rows := readCases(t, "new.tsv")
	if len(rows) < 155 {
		t.Fatalf("testdata has %d cases, want at least 155", len(rows))
	}
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			verdict, words, logs := create(t, strings.ReplaceAll(row[1], "$CERTS", certs))
			if verdict != row[2] {
				t.Fatalf("%s %q, want %s %q", verdict, words, row[2], row[3])
			}
			want := strings.ReplaceAll(unescape(t, row[3]), "$CERTS", certs)
			if cutSSL(words) != cutSSL(want) {
				t.Errorf("%q, want %q", words, want)
			}
			if verdict != "OK" {
				return
			}
			if diff := cmp.Diff(expectedLogs(row[4]), logs); diff != "" {
				t.Errorf("warnings (-librdkafka +here):\n%s", diff)
			}
		})
	}
}

// create sets and finalizes a configuration in the form of new.tsv.
func create(t *testing.T, config string) (verdict, words string, logs []string) {
	t.Helper()
	c := New()
	for item := range strings.SplitSeq(config, " ;; ") {
		name, text, _ := strings.Cut(item, "=")
		text = unescape(t, text)
		if path, ok := strings.CutPrefix(text, "@file:"); ok {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		var refused *SetError
		if err := c.Set(name, text); errors.As(err, &refused) {
			return "CONF_SET_" + string(refused.Verdict), refused.Text, nil
		}
	}
	s, warnings, err := c.Finalize(1)
	var refused *NewError
	if errors.As(err, &refused) {
		return "NEW_FAIL", refused.Text, nil
	}
	if err != nil {
		t.Fatalf("Finalize returned a %T", err)
	}
	for _, w := range warnings {
		if w.Facility != noEffect {
			logs = append(logs, fmt.Sprintf("%d|%s|%s", w.Level, w.Facility, w.Text))
		}
	}
	return "OK", s.Name, logs
}

// cutSSL cuts OpenSSL's own words off, which differ by its version.
func cutSSL(words string) string {
	before, _, found := strings.Cut(words, ": error:")
	if found {
		return before + ": error:"
	}
	return words
}

// expectedLogs reads the log column. Lines that two of librdkafka's threads wrote count once, and
// the line about its mock brokers has no place here.
func expectedLogs(column string) []string {
	var lines []string
	for line := range strings.SplitSeq(column, " || ") {
		line = strings.NewReplacer("[thrd:app]: ", "", "[thrd:main]: ", "").Replace(line)
		if line == "" || strings.Contains(line, "|MOCK|") || slices.Contains(lines, line) {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

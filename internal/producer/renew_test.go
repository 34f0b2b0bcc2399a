package producer

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
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/resperr"
)

// authority signs certificates for an hour.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	template := a.template(1)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.cert = a.sign(template, template, &a.key.PublicKey)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) template(serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
}

func (a *authority) sign(template, parent *x509.Certificate, public *ecdsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func (a *authority) issue(serial int64) tls.Certificate {
	a.t.Helper()
	key := newKey(a.t)
	template := a.template(serial)
	template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageAny)
	return tls.Certificate{Certificate: [][]byte{a.sign(template, a.cert, &key.PublicKey).Raw}, PrivateKey: key}
}

// put writes a certificate and its key as whoever renews certificates does: each file whole, one
// after the other.
func put(t *testing.T, folder string, c tls.Certificate) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []struct{ name, kind string }{{"client.pem", "CERTIFICATE"}, {"client.key", "PRIVATE KEY"}} {
		block := &pem.Block{Type: file.kind, Bytes: c.Certificate[0]}
		if file.kind != "CERTIFICATE" {
			block.Bytes = der
		}
		next := filepath.Join(folder, "next")
		if err := os.WriteFile(next, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(folder, file.name)); err != nil {
			t.Fatal(err)
		}
	}
}

// seen are the serials of the certificates that clients have shown, and when each came first.
type seen struct {
	mu    sync.Mutex
	first map[int64]time.Time
}

func (s *seen) at(serial int64) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.first[serial]
	return at, ok
}

func TestARenewedCertificateIsUsedWithinAMinuteAndNothingIsLost(t *testing.T) {
	for _, properties := range [][]string{nil, {"retries=0"}, {"acks=0"}, {"enable.idempotence=true"}} {
		synctest.Test(t, func(t *testing.T) {
			ca := newAuthority(t)
			pool := x509.NewCertPool()
			pool.AddCert(ca.cert)
			peers := &seen{first: make(map[int64]time.Time)}
			c := newCluster(t, kfake.SeedTopics(3, "mail"), kfake.TLS(&tls.Config{
				Certificates: []tls.Certificate{ca.issue(2)},
				ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool,
				Time: time.Now,
				VerifyConnection: func(state tls.ConnectionState) error {
					peers.mu.Lock()
					defer peers.mu.Unlock()
					serial := state.PeerCertificates[0].SerialNumber.Int64()
					if _, ok := peers.first[serial]; !ok {
						peers.first[serial] = time.Now()
					}
					return nil
				},
			}))
			folder := t.TempDir()
			caFile := filepath.Join(folder, "ca.pem")
			if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}), 0o600); err != nil {
				t.Fatal(err)
			}
			put(t, folder, ca.issue(10))
			log := &logged{}
			p := c.queue(log, append(properties, "security.protocol=ssl", "ssl.ca.location="+caFile,
				"ssl.certificate.location="+filepath.Join(folder, "client.pem"), "ssl.key.location="+filepath.Join(folder, "client.key"))...)
			messages, step := either(100000, 20000), either(10, 2) // each 10 ms
			renewAt := 3 * messages / 10
			var renewed time.Time
			for i := range messages {
				if i == renewAt {
					put(t, folder, ca.issue(11))
					renewed = time.Now()
				}
				if code := offer(p, value("v")); code != resperr.NoError {
					t.Fatalf("%v: message %d is refused: %v", properties, i, code)
				}
				if i%step == 0 {
					time.Sleep(10 * time.Millisecond)
				}
			}
			at, ok := peers.at(11)
			if _, old := peers.at(10); !old || !ok || at.Sub(renewed) > time.Minute {
				t.Errorf("%v: the new certificate was seen: %t, after %v", properties, ok, at.Sub(renewed))
			}
			if lost := stop(t, p, time.Minute); lost != 0 || p.Snapshot().Delivered != int64(messages) {
				t.Errorf("%v: %d lost, %+v", properties, lost, p.Snapshot())
			}
			if got := log.String(); got != "" {
				t.Errorf("%v: logged\n%s", properties, got)
			}
			held := int64(0)
			for _, partition := range c.fake.PartitionInfos("mail") {
				held += partition.HighWatermark
			}
			if held != int64(messages) {
				t.Errorf("%v: the topic has %d messages, want %d", properties, held, messages)
			}
		})
	}
}

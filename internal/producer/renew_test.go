package producer

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/authority"
	"github.com/halon-extras/kafka/internal/resperr"
)

// put writes a certificate and its key as whoever renews certificates does: each file whole, one
// after the other.
func put(t *testing.T, folder string, c tls.Certificate) {
	t.Helper()
	for name, text := range map[string][]byte{"client.pem": authority.Chain(c.Leaf), "client.key": authority.Key(t, c)} {
		next := writeFile(t, filepath.Join(folder, "next"), text)
		if err := os.Rename(next, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// seen are the serials of the certificates that clients have shown, and when each came first.
type seen struct {
	mu    sync.Mutex
	first map[int64]time.Time
}

func (s *seen) at(c tls.Certificate) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.first[c.Leaf.SerialNumber.Int64()]
	return at, ok
}

func TestARenewedCertificateIsUsedWithinAMinuteAndNothingIsLost(t *testing.T) {
	for _, properties := range [][]string{nil, {"retries=0"}, {"acks=0"}, {"enable.idempotence=true"}} {
		synctest.Test(t, func(t *testing.T) {
			ca := authority.New(t, "test")
			first, second := ca.Issue("client"), ca.Issue("client")
			peers := &seen{first: make(map[int64]time.Time)}
			c := newCluster(t, kfake.SeedTopics(3, "mail"), kfake.TLS(&tls.Config{
				Certificates: []tls.Certificate{ca.Issue("broker", "127.0.0.1", "localhost")},
				ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
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
			caFile := writeFile(t, filepath.Join(folder, "ca.pem"), authority.Chain(ca.Cert))
			put(t, folder, first)
			log := &logged{}
			p := c.queue(log, append(properties, "security.protocol=ssl", "ssl.ca.location="+caFile,
				"ssl.certificate.location="+filepath.Join(folder, "client.pem"), "ssl.key.location="+filepath.Join(folder, "client.key"))...)
			messages, step, every := either(100000, 4000), either(10, 2), either(10*time.Millisecond, 50*time.Millisecond)
			renewAt := 3 * messages / 10
			var renewed time.Time
			for i := range messages {
				if i == renewAt {
					put(t, folder, second)
					renewed = time.Now()
				}
				if code := offer(p, value("v")); code != resperr.NoError {
					t.Fatalf("%v: message %d is refused: %v", properties, i, code)
				}
				if i%step == 0 {
					time.Sleep(every)
				}
			}
			at, ok := peers.at(second)
			if _, old := peers.at(first); !old || !ok || at.Sub(renewed) > time.Minute {
				t.Errorf("%v: the new certificate was seen: %t, after %v", properties, ok, at.Sub(renewed))
			}
			if lost := stop(t, p, time.Minute); lost != 0 || p.Snapshot().Delivered != int64(messages) {
				t.Errorf("%v: %d lost, %+v", properties, lost, p.Snapshot())
			}
			if got := log.String(); got != "" {
				t.Errorf("%v: logged\n%s", properties, got)
			}
			synctest.Wait() // with acks=0 nobody else waits for what the broker still has to read
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

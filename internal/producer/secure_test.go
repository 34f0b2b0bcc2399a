package producer

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/authority"
	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/realkafka"
	"github.com/halon-extras/kafka/internal/resperr"
)

func writeFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// secretly is settings with one property kept in a file.
func secretly(t *testing.T, property, file string, properties ...string) *conf.Settings {
	t.Helper()
	cfg := conf.New()
	for _, p := range properties {
		name, value, _ := strings.Cut(p, "=")
		if err := cfg.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := cfg.SetSecret(property, conf.Source{File: file}); err != nil {
		t.Fatal(err)
	}
	set, _, err := cfg.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// guarantees are configurations that treat a failed connection each in their own way.
var guarantees = [][]string{nil, {"enable.idempotence=true"}, {"retries=0"}, {"retries=2", "acks=1"}, {"enable.idempotence=true", "retries=1"}}

func TestAWrongPasswordIsLoggedAndLosesNothing(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for i, properties := range guarantees {
			if i > 0 && mechanism != "PLAIN" {
				break // a login with SCRAM is thousands of hashes
			}
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"), kfake.EnableSASL(), kfake.Superuser(mechanism, "mail", "right"))
				file := filepath.Join(t.TempDir(), "password")
				write := func(text string) {
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				write("wrong")
				set := secretly(t, "sasl.password", file, append(properties, "bootstrap.servers=127.0.0.1:9092", "security.protocol=sasl_plaintext",
					"sasl.mechanism="+mechanism, "sasl.username=mail")...)
				log := &syslog{}
				p, err := New("kafka1", set, Deps{Log: log.logger(t), Client: conf.Deps{Dialer: c.dial}})
				if err != nil {
					t.Fatal(err)
				}
				c.offer(p, 1000)
				time.Sleep(5 * time.Second)
				toldOnce(t, log, `: SASL(3): rdkafka#producer-1: [thrd:main]: 127.0.0.1:9092: the login of the user mail with `+mechanism+" is refused: ")
				time.Sleep(2 * time.Minute)
				if s := p.Snapshot(); s.Failed != 0 {
					t.Errorf("%s %v: two minutes later %d have failed: %v", mechanism, properties, s.Failed, s.Failures)
				}
				write("right")
				if lost := stop(t, p, 50*time.Second); lost != 0 || p.Snapshot().Delivered != 1000 {
					t.Errorf("%s %v: %d lost, %+v", mechanism, properties, lost, p.Snapshot())
				}
			})
		}
	}
}

// toldOnce fails unless the log has a line with text, and at most a line a minute.
func toldOnce(t *testing.T, log *syslog, text string) {
	t.Helper()
	lines := log.take()
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, strings.TrimPrefix(text, ": ")) }) || len(lines) > 2 {
		t.Errorf("the log does not say %q, or too much:\n%s", text, strings.Join(lines, "\n"))
	}
}

// brief gives a write up after a second. A pipe has no buffer: the alert of a client that does not trust the broker would wait for a
// broker that waits until the rest of its certificates is read.
type brief struct{ net.Conn }

func (c brief) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func TestAnUnknownAuthorityIsLoggedAndLosesNothing(t *testing.T) {
	for _, properties := range guarantees {
		synctest.Test(t, func(t *testing.T) {
			ca, stranger := authority.New(t, "test"), authority.New(t, "test")
			c := newCluster(t, kfake.SeedTopics(1, "mail"), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("broker", "127.0.0.1", "localhost")}, Time: time.Now}))
			file := writeFile(t, filepath.Join(t.TempDir(), "ca.pem"), authority.Chain(stranger.Cert))
			log := &syslog{}
			set := settings(t, append(properties, "bootstrap.servers=127.0.0.1:9092", "security.protocol=ssl", "ssl.ca.location="+file)...)
			p, err := New("kafka1", set, Deps{Log: log.logger(t), Client: conf.Deps{Dialer: func(ctx context.Context, network, host string) (net.Conn, error) {
				conn, err := c.dial(ctx, network, host)
				return brief{conn}, err
			}}})
			if err != nil {
				t.Fatal(err)
			}
			c.offer(p, 1000)
			time.Sleep(5 * time.Second)
			toldOnce(t, log, "SSL(3): rdkafka#producer-1: [thrd:main]: 127.0.0.1:9092: its certificate is signed by an unknown authority (CN=test): ")
			time.Sleep(2 * time.Minute)
			if s := p.Snapshot(); s.Failed != 0 {
				t.Errorf("%v: two minutes later %d have failed: %v", properties, s.Failed, s.Failures)
			}
			writeFile(t, file, authority.Chain(ca.Cert))
			if lost := stop(t, p, 50*time.Second); lost != 0 || p.Snapshot().Delivered != 1000 {
				t.Errorf("%v: %d lost, %+v", properties, lost, p.Snapshot())
			}
		})
	}
}

// TestApacheListeners produces through Apache Kafka's own TLS and login. Without KAFKA_E2E=1 it is skipped.
func TestApacheListeners(t *testing.T) {
	if os.Getenv("KAFKA_E2E") != "1" {
		t.Skip("starts Apache Kafka: set KAFKA_E2E=1")
	}
	ca, stranger := authority.New(t, "test"), authority.New(t, "test")
	folder := t.TempDir()
	server := ca.Issue("broker", "127.0.0.1", "localhost")
	store := writeFile(t, filepath.Join(folder, "store.pem"), slices.Concat(authority.Key(t, server), authority.Chain(server.Leaf)))
	caFile := writeFile(t, filepath.Join(folder, "ca.pem"), authority.Chain(ca.Cert))
	otherFile := writeFile(t, filepath.Join(folder, "other.pem"), authority.Chain(stranger.Cert))
	put(t, folder, ca.Issue("client"))
	properties := map[string]string{"listener.name.mutual.ssl.client.auth": "required"}
	for _, listener := range []string{"ssl", "mutual", "both"} {
		prefix := "listener.name." + listener + "."
		properties[prefix+"ssl.keystore.type"], properties[prefix+"ssl.keystore.location"] = "PEM", store
		properties[prefix+"ssl.truststore.type"], properties[prefix+"ssl.truststore.location"] = "PEM", caFile
	}
	for _, listener := range []string{"login", "both"} {
		prefix := "listener.name." + listener + "."
		properties[prefix+"sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
		properties[prefix+"plain.sasl.jaas.config"] = `org.apache.kafka.common.security.plain.PlainLoginModule required user_mail="right";`
		for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
			properties[prefix+mechanism+".sasl.jaas.config"] = `org.apache.kafka.common.security.scram.ScramLoginModule required;`
		}
	}
	kafka, err := realkafka.Start(t.Context(), realkafka.Options{
		Listeners: []realkafka.Listener{
			{Name: "LOGIN", Protocol: "SASL_PLAINTEXT"},
			{Name: "SSL", Protocol: "SSL"},
			{Name: "MUTUAL", Protocol: "SSL"},
			{Name: "BOTH", Protocol: "SASL_SSL"},
		},
		Properties: properties,
		Format:     []string{"--add-scram", "SCRAM-SHA-256=[name=mail,password=right]", "--add-scram", "SCRAM-SHA-512=[name=mail,password=right]"},
	})
	realkafka.Require(t, err)
	t.Cleanup(func() { kafka.Close() })
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "mail"); err != nil {
		t.Fatal(err)
	}
	ssl := []string{"security.protocol=ssl", "ssl.ca.location=" + caFile}
	own := []string{"ssl.certificate.location=" + filepath.Join(folder, "client.pem"), "ssl.key.location=" + filepath.Join(folder, "client.key")}
	login := func(protocol, mechanism string) []string {
		return []string{"security.protocol=" + protocol, "ssl.ca.location=" + caFile, "sasl.mechanism=" + mechanism, "sasl.username=mail"}
	}
	type listener struct {
		sentence, name string
		properties     []string
		logs           string // the fault that is repaired later; "" for none
	}
	tests := []listener{
		{"TLS", "SSL", ssl, ""},
		{"a client certificate", "MUTUAL", slices.Concat(ssl, own), ""},
		{"no client certificate", "MUTUAL", ssl, "it wants a certificate from this client"},
		{"an unknown authority", "SSL", []string{"security.protocol=ssl", "ssl.ca.location=" + otherFile}, "its certificate is signed by an unknown authority"},
	}
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		tests = append(
			tests,
			listener{mechanism, "LOGIN", login("sasl_plaintext", mechanism), ""},
			listener{mechanism + " over TLS", "BOTH", login("sasl_ssl", mechanism), ""},
			listener{mechanism + " with a wrong password", "BOTH", login("sasl_ssl", mechanism), "the login of the user mail with " + mechanism + " is refused"},
		)
	}
	for _, test := range tests {
		t.Run(test.sentence, func(t *testing.T) {
			password := filepath.Join(t.TempDir(), "password")
			write := func(text string) {
				if err := os.WriteFile(password, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("right")
			if strings.Contains(test.logs, "login") {
				write("wrong")
			}
			log := &syslog{}
			set := secretly(t, "sasl.password", password, append([]string{"bootstrap.servers=" + kafka.Address(test.name)}, test.properties...)...)
			p, err := New("kafka1", set, Deps{Log: log.logger(t)})
			if err != nil {
				t.Fatal(err)
			}
			for range 1000 {
				if code := offer(p, value("v")); code != resperr.NoError {
					t.Fatal(code)
				}
			}
			if test.logs != "" {
				within(t, 10*time.Second, func() bool { return strings.Contains(strings.Join(log.take(), "\n"), test.logs) })
				if s := p.Snapshot(); s.Failed != 0 || s.Delivered != 0 {
					t.Errorf("with the fault: %+v", s)
				}
				write("right")
				if strings.Contains(test.logs, "authority") {
					writeFile(t, otherFile, authority.Chain(ca.Cert))
				}
				if strings.Contains(test.logs, "wants a certificate") {
					stop(t, p, 0) // nothing on disk can repair this one
					return
				}
			}
			within(t, 30*time.Second, func() bool { return p.Snapshot().Delivered == 1000 })
			if lost := stop(t, p, 10*time.Second); lost != 0 {
				t.Errorf("%d lost", lost)
			}
			if lines := log.take(); test.logs == "" && len(lines) > 0 {
				t.Errorf("logged\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}

// within polls what a real broker does.
func within(t *testing.T, limit time.Duration, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v", limit)
		}
	}
}

package plugin

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

func TestSecretsThatAreNotUnderstoodRefuseTheStart(t *testing.T) {
	for _, test := range []struct {
		sentence string
		secrets  *Node
		want     string
	}{
		{"none", &Node{}, ""},
		{"text", text("hunter2"), "kafka1: secrets: it maps properties to {file: PATH} or {env: NAME}"},
		{"a list", list(text("hunter2")), "kafka1: secrets: it maps properties to {file: PATH} or {env: NAME}"},
		{"the secret itself", object("sasl.password", text("hunter2")), "kafka1: secrets: sasl.password: it takes exactly one of {file: PATH} and {env: NAME}"},
		{"two sources", object("sasl.password", object("file", text("a"), "env", text("b"))), "kafka1: secrets: sasl.password: it takes exactly one of {file: PATH} and {env: NAME}"},
		{"another source", object("sasl.password", object("vault", text("hunter2"))), "kafka1: secrets: sasl.password: it takes exactly one of {file: PATH} and {env: NAME}"},
		{"an empty name", object("sasl.password", object("env", text(""))), "kafka1: secrets: sasl.password: it takes exactly one of {file: PATH} and {env: NAME}"},
		{"a missing file", object("sasl.password", object("file", text("/nosuch/file"))), "kafka1: secrets: sasl.password: the file /nosuch/file cannot be read: no such file or directory"},
	} {
		p := New(slog.New(slog.DiscardHandler), nil)
		q := queue("kafka1")
		q.Object = append(q.Object, Field{Key: "secrets", Value: test.secrets})
		err := p.Start(object("queues", list(q)), nil)
		switch {
		case err == nil && test.want != "":
			t.Errorf("%s: started", test.sentence)
		case err != nil && err.Error() != test.want:
			t.Errorf("%s: refused with %q, want %q", test.sentence, err, test.want)
		}
		p.Stop()
	}
}

// output is all that the plugin says.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// A login with a secret that is wrong at first and then changed on disk, with everything logged.
func TestASecretIsInNothingThatThePluginSays(t *testing.T) {
	const right, wrong = "hunter2-right", "hunter2-wrong"
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(mechanism, "hunter2-user", right), kfake.SeedTopics(1, "mail"))
			if err != nil {
				t.Fatal(err)
			}
			defer broker.Close()
			file := filepath.Join(t.TempDir(), "password")
			if err := os.WriteFile(file, []byte(wrong+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("KAFKA_TEST_USER", "hunter2-user")
			q := queue("kafka1", "bootstrap.servers", text(broker.ListenAddrs()[0]), "security.protocol", text("sasl_plaintext"),
				"sasl.mechanism", text(mechanism), "debug", text("all"), "reconnect.backoff.max.ms", text("200"),
				"statistics.interval.ms", text("100"))
			q.Object = append(q.Object, Field{Key: "secrets", Value: object(
				"sasl.password", object("file", text(file)), "sasl.username", object("env", text("KAFKA_TEST_USER")),
			)})
			out := &output{}
			p := New(slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
			if err := p.Start(object("queues", list(q)), nil); err != nil {
				t.Fatal(err)
			}
			defer p.Stop()
			kafka1 := p.Find([]byte("kafka1"))
			if code := kafka1.Offer(&record.Record{Topic: "mail", Partition: -1, Value: []byte("v")}); code != resperr.NoError {
				t.Fatal(code)
			}
			await(t, func() bool { return strings.Contains(out.String(), "SASL(3): rdkafka#producer-1: ") })
			if s := kafka1.Snapshot(); s.Failed != 0 || s.Delivered != 0 {
				t.Errorf("with the wrong password: %+v", s)
			}
			if err := os.WriteFile(file, []byte(right+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			await(t, func() bool { return kafka1.Snapshot().Delivered == 1 })
			dump, _ := p.Command([]string{"dump", "kafka1"})
			p.Stop()
			if all := out.String() + dump; strings.Contains(all, "hunter2") {
				t.Errorf("it says\n%s", all)
			}
		})
	}
}

// await polls what happens in other goroutines and a broker. Its limit is only for what never happens: a machine may be busy with much else.
func await(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("not within two minutes")
		}
	}
}

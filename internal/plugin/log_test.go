package plugin

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// Who sits at a broker's address may say what he likes to a login, and a script may name any topic: neither writes a line of its
// own into syslog, nor steers a terminal that shows it.
func TestNothingReachesSyslogRaw(t *testing.T) {
	const evil = "no\r\n<2>kafka: evil\x00\x1b]0;evil\x07\u2028\u009b2J\xff"
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "me", "right"), kfake.SeedTopics(1, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	broker.ControlKey(int16(kmsg.SASLAuthenticate), func(request kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		answer := request.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		answer.ErrorCode, answer.ErrorMessage = 58, kmsg.StringPtr(evil)
		return answer, nil, true
	})
	var mu sync.Mutex
	var lines []string
	sink := logsink.New(slog.LevelDebug, func(_ int, line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	})
	p := New(slog.New(sink.Handler()), nil)
	p.Logged(new(slog.LevelVar), sink.Recent)
	config := object("queues", list(queue("kafka1", "bootstrap.servers", text(broker.ListenAddrs()[0]), "security.protocol", text("sasl_plaintext"),
		"sasl.mechanism", text("PLAIN"), "sasl.username", text("me"), "sasl.password", text("wrong"), "debug", text("all"), "message.timeout.ms", text("1000"))))
	if err := p.Start(config, nil); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if code := p.Find([]byte("kafka1")).Offer(&record.Record{Topic: "mail" + evil, Partition: -1, Value: []byte("v")}); code != resperr.NoError {
		t.Fatal(code)
	}
	await(t, func() bool { return p.Find([]byte("kafka1")).Snapshot().Failed == 1 })
	answers, _ := p.Command([]string{"last-errors"})
	dump, _ := p.Command([]string{"dump", "kafka1"})
	p.Stop()
	sink.Close()
	mu.Lock()
	defer mu.Unlock()
	said := strings.Join(lines, "")
	for _, want := range []string{`no\x0d\x0a<2>kafka: evil\x00`, `topic mailno\x0d\x0a`} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing says %s:\n%s", want, strings.Join(lines, "\n"))
		}
	}
	lines = append(lines, strings.ReplaceAll(answers+dump, "\n", ""))
	for _, line := range lines {
		if strings.ContainsFunc(line, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == unicode.ReplacementChar }) {
			t.Errorf("raw: %q", line)
		}
	}
}

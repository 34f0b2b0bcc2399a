package top

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/plugin"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
)

// script is a halonctl that does what a shell says.
func script(t *testing.T, body string) *Halonctl {
	t.Helper()
	path := filepath.Join(t.TempDir(), "halonctl")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Halonctl{Path: path, Plugin: "kafka", Time: time.Minute}
}

const nothing = `{"started":"2026-11-28T07:12:09Z","version":"2.0.0","queues":[]}`

func TestHalonctlAnswers(t *testing.T) {
	s, err := script(t, `[ "$*" = "plugin command kafka status --json" ] && echo '`+nothing+`'`).Read(t.Context(), "")
	if err != nil || len(s.Queues) != 0 || s.Version != "2.0.0" || s.Started.Year() != 2026 {
		t.Errorf("%+v, %v", s, err)
	}
}

// What can go wrong with the child is one sentence each time, and says what was wrong.
func TestHalonctlSentences(t *testing.T) {
	for _, tt := range []struct{ sentence, body, want string }{
		{"the mail server does not run", "echo 'halonctl: connect: no such file' >&2; exit 2", "status failed (exit status 2): halonctl: connect: no such file"},
		{"the original plugin knows dump only", "echo 'dump <id>'; exit 1", "it is older than this program, or another one (it says: dump <id>)"},
		{"another plugin", `echo 'there is no command "status"'; exit 1`, "it is older than this program"},
		{"an error of the plugin", `printf '%s\n' '{"error":"No such id\nthere are no queues"}'; exit 1`, "kafka status: No such id"},
		{"an answer that is no JSON", "echo; echo 'Hello\033[2J'", `it is no JSON: Hello\x1b[2J`},
		{"an answer of another form", `echo '{"response":1}'`, `it has no "queues"`},
		{"an older plugin, whose queues lack a field", `echo '{"queues":[{"queue":"q","state":"ok","reason":""}]}'`, `it has no "since": the plugin is older than this program`},
		{"a field of another type", `echo '{"queues":[7]}'`, "a queue of it cannot be read"},
		{"no answer at all", "exit 0", "it is no JSON: nothing"},
		{"a child that was killed", "kill -9 $$", "status failed (signal: killed)"},
	} {
		s, err := script(t, tt.body).Read(t.Context(), "")
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\n\x1b") || s != nil {
			t.Errorf("%s: %v, want %q", tt.sentence, err, tt.want)
		}
	}
}

func TestHalonctlThatIsNotThere(t *testing.T) {
	_, err := (&Halonctl{Path: "/nowhere/halonctl", Plugin: "kafka", Time: time.Second}).Read(t.Context(), "")
	if err == nil || err.Error() != "/nowhere/halonctl cannot be run: no such file or directory: --halonctl has its path" {
		t.Error(err)
	}
	_, err = (&Halonctl{Path: "halonctl-that-is-nowhere", Plugin: "kafka", Time: time.Second}).Read(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "executable file not found in $PATH: --halonctl has its path") {
		t.Error(err)
	}
}

// A child that does not end is ended, with its own children, and the answer that is too long is not kept.
func TestHalonctlThatHangs(t *testing.T) {
	h := script(t, "sleep 1000 & sleep 1000")
	h.Time = 50 * time.Millisecond
	if _, err := h.Read(t.Context(), ""); err == nil || !strings.HasSuffix(err.Error(), "status has not answered within 50ms") {
		t.Error(err)
	}
	if _, err := script(t, "cat /dev/zero").Read(t.Context(), ""); err == nil || !strings.HasSuffix(err.Error(), "is longer than 32 MiB") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := script(t, "sleep 1000").Read(ctx, ""); err == nil {
		t.Error("the end of the view does not end its child")
	}
}

func TestListenerSentences(t *testing.T) {
	answers := ""
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, answers)
	}))
	address := strings.TrimPrefix(server.URL, "http://")
	l, err := NewListener(address, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sentence, answer, want string
		status                 int
	}{
		{"a page", "<html>\n", "it serves no metrics: <html>", 200},
		{"another program", "node_cpu_seconds_total{cpu=\"0\"} 1\n", "another program, or an older plugin", 200},
		{"an older plugin", "halon_kafka_accepted_messages_total{queue=\"q\"} 1\n", "it serves no halon_kafka_queue_state", 200},
		{"a refusal", "too many requests at once\n", "answers 503 Service Unavailable: too many requests at once", 503},
	} {
		answers, status = tt.answer, tt.status
		if _, err := l.Read(t.Context(), ""); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.sentence, err, tt.want)
		}
	}
	server.Close()
	if _, err := l.Read(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "cannot be reached: connection refused: the mail server does not run") {
		t.Error(err)
	}
	for address, want := range map[string]string{"9184": "http://127.0.0.1:9184/metrics", ":9184": "http://127.0.0.1:9184/metrics", "[::1]:9184": "http://[::1]:9184/metrics", "localhost:": ""} {
		l, err := NewListener(address, time.Second)
		if want == "" && err == nil || want != "" && (err != nil || l.Name() != want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// What report writes is read back: labels with all that must be escaped, and values of each kind.
func TestMetricsAreReadBack(t *testing.T) {
	f := report.Family{Name: "x", Type: report.Counter, Help: "x"}
	for i, label := range []string{`plain`, `"quoted"`, `back\slash`, "line\nend", `,"}{`, `\n`} {
		f.Add(float64(i)*1.5, "queue", label, "topic", "")
	}
	lines, err := parseMetrics(string(report.Exposition([]report.Family{f}, report.OpenMetricsText)))
	if err != nil || len(lines) != len(f.Samples) {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, line := range lines {
		if want := f.Samples[i]; line.name != "x_total" || line.value != want.Value || line.labels["queue"] != want.Labels[0].Value || line.labels["topic"] != "" {
			t.Errorf("%+v, want %+v", line, want)
		}
	}
	for _, bad := range []string{"x", "x{", `x{a`, `x{a="`, `x{a="b`, `x{a="b"`, `x{a="b"}`, "x y", "{} {}"} {
		if lines, err := parseMetrics(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, lines)
		}
	}
}

// Both ways ask a real plugin, one queue of which reaches a broker, and another nobody; they say the same of it.
func TestBothSourcesAskAPlugin(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	p := plugin.New(slog.New(slog.DiscardHandler), nil)
	if err := p.Start(configuration(cluster.ListenAddrs()[0]), nil); err != nil {
		t.Fatal(err)
	}
	defer func() {
		p.Command([]string{"purge", "away", "away"}) // or the stop waits a minute for a broker
		p.Stop()
	}()
	for range 3 {
		p.Find([]byte("up")).Offer(&record.Record{Topic: "mail", Partition: 0, Value: []byte("value")})
		p.Find([]byte("away")).Offer(&record.Record{Topic: "mail", Partition: -1, Value: []byte("value")})
	}
	folder := t.TempDir()
	ask := func(args ...string) string {
		out, ok := p.Command(append(args, "--json"))
		if !ok {
			t.Fatalf("%v: %s", args, out)
		}
		return out
	}
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			fmt.Fprint(w, "up: ok\naway: degraded: the reason\n")
			return
		}
		out, _ := p.Command([]string{"metrics"})
		fmt.Fprint(w, out)
	}))
	defer metrics.Close()
	listener, err := NewListener(strings.TrimPrefix(metrics.URL, "http://"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		for name, text := range map[string]string{"status": ask("status"), "stats": ask("stats", "up")} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		a, err := script(t, "cat "+folder+"/$4").Read(t.Context(), "up")
		if err != nil {
			t.Fatal(err)
		}
		b, err := listener.Read(t.Context(), "up")
		if err != nil {
			t.Fatal(err)
		}
		wrong := differences(a, b)
		if wrong == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(wrong)
		}
	}
}

// differences says what differs from what both must say in the end.
func differences(a, b *Sample) string {
	for name, s := range map[string]*Sample{"halonctl": a, "listener": b} {
		if len(s.Queues) != 2 || s.Stats == nil || s.Started.IsZero() || s.Version == "" {
			return fmt.Sprintf("%s: %+v", name, s)
		}
		up, away := s.Queues[0], s.Queues[1]
		if up.ID != "up" || up.Delivered != 3 || up.State != "ok" || away.State != "degraded" || away.Reason == "" || away.depth() != 3 || away.OldestAge <= 0 {
			return fmt.Sprintf("%s: %+v %+v", name, up, away)
		}
		if up.SpoolLimit != 0 || away.LimitMessages != 10 || up.LimitBytes != 1<<30 {
			return fmt.Sprintf("%s: limits of %+v, %+v", name, up, away)
		}
		brokers := 0
		for _, broker := range s.Stats.Brokers {
			if broker.State == "UP" && broker.Tx > 0 {
				brokers++
			}
		}
		if brokers == 0 || s.Stats.Topics["mail"].PartitionCnt != 2 {
			return fmt.Sprintf("%s: %+v", name, s.Stats)
		}
	}
	if a.Stats.Topics["mail"].Partitions["0"].TxMsgs != 3 || a.Queues[1].LastError == nil {
		return fmt.Sprintf("halonctl: %+v", a)
	}
	if !a.Started.Truncate(time.Millisecond).Equal(b.Started.Truncate(time.Millisecond)) {
		return fmt.Sprintf("started %v and %v", a.Started, b.Started)
	}
	return ""
}

func configuration(broker string) *queueconf.Node {
	text := func(s string) *queueconf.Node { return &queueconf.Node{Scalar: true, Text: s} }
	queue := func(id string, pairs ...string) *queueconf.Node {
		config := &queueconf.Node{}
		for i := 0; i < len(pairs); i += 2 {
			config.Object = append(config.Object, queueconf.Field{Key: pairs[i], Value: text(pairs[i+1])})
		}
		return &queueconf.Node{Object: []queueconf.Field{{Key: "id", Value: text(id)}, {Key: "config", Value: config}}}
	}
	return &queueconf.Node{Object: []queueconf.Field{{Key: "queues", Value: &queueconf.Node{List: []*queueconf.Node{
		queue("up", "bootstrap.servers", broker),
		queue("away", "bootstrap.servers", "127.0.0.1:1", "queue.buffering.max.messages", "10"),
	}}}}}
}

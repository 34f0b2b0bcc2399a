package plugin

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

func text(s string) *Node { return &Node{Scalar: true, Text: s} }

func object(pairs ...any) *Node {
	n := &Node{}
	for i := 0; i < len(pairs); i += 2 {
		n.Object = append(n.Object, Field{Key: pairs[i].(string), Value: pairs[i+1].(*Node)})
	}
	return n
}

func list(ns ...*Node) *Node { return &Node{List: ns} }

func queue(id string, config ...any) *Node {
	return object("id", text(id), "config", object(config...))
}

func TestAConfigurationStartsOrIsRefusedInOneLine(t *testing.T) {
	down := []any{"bootstrap.servers", text("127.0.0.1:1")}
	for _, test := range []struct {
		sentence string
		config   *Node
		want     string
		queues   int
	}{
		{"no configuration at all is no queues", nil, "", 0},
		{"a configuration without queues is no queues", object(), "", 0},
		{"an empty list is no queues", object("queues", list()), "", 0},
		{"one queue, with Kafka down", object("queues", list(queue("kafka1", down...))), "", 1},
		{"two queues", object("queues", list(queue("a", down...), queue("b", down...))), "", 2},
		{"a queue without properties", object("queues", list(queue("kafka1"))), "", 1},
		{"a value that is no scalar is left out", object("queues", list(queue("kafka1", "acks", list(text("1"))))), "", 1},
		{"the id is missing", object("queues", list(object("config", object()))), "Missing id", 0},
		{"the config is missing", object("queues", list(object("id", text("kafka1")))), "Missing config", 0},
		{
			"an unknown property", object("queues", list(queue("kafka1", "nosuch", text("1")))),
			`kafka1: No such configuration property: "nosuch"`, 0,
		},
		{
			"the second queue is bad, the first is closed again",
			object("queues", list(queue("a", down...), queue("b", "acks", text("many")))),
			`b: Invalid value for configuration property "request.required.acks"`, 0,
		},
		{
			"a range error keeps librdkafka's newline", object("queues", list(queue("kafka1", "queue.buffering.max.messages", text("-1")))),
			"kafka1: Configuration property \"queue.buffering.max.messages\" value -1 is outside allowed range 0..2147483647\n", 0,
		},
		{"two queues with one id", object("queues", list(queue("a"), queue("a"))), "a: two queues have this id, give each its own", 0},
		{
			"properties that do not go together",
			object("queues", list(queue("kafka1", "enable.idempotence", text("true"), "acks", text("1")))),
			"kafka1: `acks` must be set to `all` when `enable.idempotence` is true", 0,
		},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // the broker of another test may be ending
			p := New(slog.New(slog.DiscardHandler), nil)
			err := p.Start(test.config, nil)
			switch {
			case err == nil && test.want != "":
				t.Errorf("started, want %q", test.want)
			case err != nil && err.Error() != test.want:
				t.Errorf("refused with %q, want %q", err, test.want)
			}
			if n := len(p.queues.Load().live); n != test.queues {
				t.Errorf("%d queues, want %d", n, test.queues)
			}
			p.Stop()
		})
	}
}

func TestStartTwiceLeavesTheFirst(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // the broker of another test may be ending
	p := New(slog.New(slog.DiscardHandler), nil)
	config := object("queues", list(queue("kafka1")))
	if err := p.Start(config, nil); err != nil {
		t.Fatal(err)
	}
	first := p.Find([]byte("kafka1"))
	if err := p.Start(config, nil); err == nil || p.Find([]byte("kafka1")) != first {
		t.Errorf("the second start says %v", err)
	}
	p.Stop()
	if p.Find([]byte("kafka1")) != nil {
		t.Error("a stopped plugin still finds its queue")
	}
	if err := p.Start(config, nil); err != nil {
		t.Errorf("a start after a stop says %v", err)
	}
	p.Stop()
	p.Stop()
}

func TestCommands(t *testing.T) {
	p := New(slog.New(slog.DiscardHandler), nil)
	if err := p.Start(object("queues", list(queue("kafka1", "bootstrap.servers", text("127.0.0.1:1")))), nil); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	for _, test := range []struct {
		args []string
		want string
		ok   bool
	}{
		{[]string{"dump", "kafka1"}, "queue kafka1: rdkafka#producer-1\n producer.msg_cnt 0 (0 parked)\n", true},
		{[]string{"dump", "kafka1", "and more"}, "queue kafka1", true},
		{[]string{"dump", "nosuch"}, "No such id\nthere is no queue \"nosuch\", the queues are: kafka1", false},
		{[]string{"dump"}, "usage: dump <id>", false},
		{nil, "dump <id>", false},
		{[]string{"junk"}, "there is no command \"junk\"\ndump <id>", false},
		{[]string{"list"}, "queue   storage  state  queued", true},
		{[]string{"config", "kafka1"}, "queue kafka1: rdkafka#producer-1\n metadata.broker.list", true},
		{[]string{"last-errors", "kafka1"}, "no warnings and no errors since the start\n", true},
		{[]string{"log", "err"}, "OK: lines are logged from err on\n", true},
		{[]string{"log"}, "lines are logged from err on\n", true},
		{[]string{"version"}, "kafka development\n", true},
		{[]string{"metrics"}, "# HELP halon_kafka_build_info ", true},
	} {
		got, ok := p.Command(test.args)
		if ok != test.ok || !strings.HasPrefix(got, test.want) {
			t.Errorf("%q answers %q, %t", test.args, got, ok)
		}
	}
}

func TestWarningsKeepTheirLevelAndForm(t *testing.T) {
	var out bytes.Buffer
	p := New(slog.New(slog.NewTextHandler(&out, nil)), nil)
	if err := p.Start(object("queues", list(queue("kafka1", "client.id", text("c")))), nil); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	want := "CONFWARN(5): c#producer-1: [thrd:app]: No `bootstrap.servers` configured: client will not be able to connect to Kafka cluster"
	if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "level=INFO+2") {
		t.Errorf("logged %s", out.String())
	}
}

// Each queue holds one message back until the stop, and the broker answers none of them before it has all four: queues that stop one after
// the other would never end the first.
func TestAllQueuesStopSideBySide(t *testing.T) {
	ids := []string{"a", "b", "c", "d"}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	var waiting atomic.Int32
	all := make(chan struct{})
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if waiting.Add(1) == int32(len(ids)) {
			close(all)
		}
		cluster.SleepControl(func() {
			select {
			case <-all:
			case <-t.Context().Done():
			}
		})
		return nil, nil, false
	})
	p := New(slog.New(slog.DiscardHandler), nil)
	var queues []*Node
	for _, id := range ids {
		queues = append(queues, queue(id, "bootstrap.servers", text(cluster.ListenAddrs()[0]), "linger.ms", text("900000"), "message.timeout.ms", text("1000000")))
	}
	if err := p.Start(object("queues", list(queues...)), nil); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if code := p.Find([]byte(id)).Offer(&record.Record{Topic: "mail", Partition: -1, Value: []byte(id)}); code != resperr.NoError {
			t.Fatal(code)
		}
	}
	p.Stop()
	if got := arrived(t, cluster.ListenAddrs()[0], len(ids)); !slices.Equal(got, ids) {
		t.Errorf("%q arrived, want %q", got, ids)
	}
}

func TestWhatIsHardlyMeantIsLogged(t *testing.T) {
	var out bytes.Buffer
	p := New(slog.New(slog.NewTextHandler(&out, nil)), nil)
	config := object("queues", list(queue("kafka1", "bootstrap.servers", text("127.0.0.1:1"), "linger.ms", text("5ms"), "security.protocol", list(text("ssl")))))
	if err := p.Start(config, nil); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	for _, want := range []string{
		`level=WARN msg="linger.ms: \"5ms\" is read as 5 milliseconds: what stands behind the number is left out" queue=kafka1`,
		`level=WARN msg="security.protocol needs one text, and its value is a list: it is left out" queue=kafka1`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in\n%s", want, out.String())
		}
	}
}

func TestTheListener(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // the broker of another test may be ending
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	config := object("queues", list(queue("kafka1", "bootstrap.servers", text("127.0.0.1:1"))), "metrics", object("listen", text(address)))
	out := &output{}
	p := New(slog.New(slog.NewTextHandler(out, nil)), nil)
	if err := p.Start(config, nil); err != nil {
		t.Fatal(err) // an address that is taken must not stop the mail server
	}
	await(t, func() bool { return strings.Contains(out.String(), "metrics cannot be served at "+address) })
	p.Stop()
	taken.Close()
	if err := p.Start(config, nil); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return strings.Contains(out.String(), "metrics are served at http://"+address+"/metrics") })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path, accept string) (int, string, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", accept)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header.Get("Content-Type"), string(body)
	}
	if status, kind, body := get("/metrics", ""); status != 200 || kind != "text/plain; version=0.0.4; charset=utf-8" ||
		!strings.Contains(body, `halon_kafka_accepted_messages_total{queue="kafka1"} 0`) || strings.Contains(body, "# EOF") {
		t.Errorf("/metrics: %d %s\n%s", status, kind, body)
	}
	if status, kind, body := get("/metrics", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"); status != 200 ||
		!strings.HasPrefix(kind, "application/openmetrics-text; version=1.0.0") || !strings.HasSuffix(body, "# EOF\n") {
		t.Errorf("/metrics as OpenMetrics: %d %s\n%s", status, kind, body)
	}
	if status, _, body := get("/healthz", ""); status != 200 || body != "kafka1: ok\n" {
		t.Errorf("/healthz: %d %s", status, body)
	}
	if status, _, _ := get("/", ""); status != 404 {
		t.Errorf("/: %d", status)
	}
	p.Stop()
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("it listens after the stop")
	}
}

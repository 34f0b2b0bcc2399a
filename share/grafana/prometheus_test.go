package grafana

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/plugin"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// quiet are the queries that have data only while something is wrong that this run does not have; and the times of calls, which are taken in C, and no host is here.
var quiet = []string{"Stalled topics A", "annotation Starts", "Call A", "Call B"}

// A real Prometheus scrapes a plugin that works, and one whose Kafka is away, and has data for each panel.
func TestPrometheusHasDataForEachPanel(t *testing.T) {
	server, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed (Debian: prometheus)")
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	scraped, asked := freeAddress(t), freeAddress(t)
	p := plugin.New(slog.New(slog.DiscardHandler), nil)
	if err := p.Start(settings(scraped, cluster.ListenAddrs()[0], t.TempDir()), nil); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go produce(ctx, p)
	defer scrape(t, server, asked, scraped)()
	missing := read(t).queries()
	for _, name := range quiet {
		delete(missing, name)
	}
	end := time.Now().Add(time.Minute)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var last error
	for len(missing) > 0 && time.Now().Before(end) {
		<-tick.C
		for name, expr := range missing {
			n, err := results(asked, variables(expr, "5s"))
			if err != nil {
				last = err
			}
			if n > 0 {
				delete(missing, name)
			}
		}
	}
	for name, expr := range missing {
		t.Errorf("%s has no data: %s (%v)", name, expr, last)
	}
}

// settings are a queue in memory, one on disk, and one that reaches nobody.
func settings(listen, broker, folder string) *queueconf.Node {
	text := func(s string) *queueconf.Node { return &queueconf.Node{Scalar: true, Text: s} }
	object := func(pairs ...any) *queueconf.Node {
		n := &queueconf.Node{}
		for i := 0; i < len(pairs); i += 2 {
			value, ok := pairs[i+1].(*queueconf.Node)
			if !ok {
				value = text(pairs[i+1].(string))
			}
			n.Object = append(n.Object, queueconf.Field{Key: pairs[i].(string), Value: value})
		}
		return n
	}
	return object(
		"metrics", object("listen", listen),
		"queues", &queueconf.Node{List: []*queueconf.Node{
			object("id", "memory", "config", object("bootstrap.servers", broker)),
			object("id", "disk", "config", object("bootstrap.servers", broker), "spool", object("path", folder)),
			object("id", "away", "config", object("bootstrap.servers", "127.0.0.1:1", "queue.buffering.max.messages", "10", "message.timeout.ms", "1000")),
		}},
	)
}

func produce(ctx context.Context, p *plugin.Plugin) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, id := range []string{"memory", "disk", "away"} {
			r := &record.Record{Topic: "mail", Partition: -1, Value: []byte("value")}
			if q := p.Find([]byte(id)); q.Spooled() {
				q.Store(r, false, func(resperr.Code) {})
			} else {
				q.Offer(r)
			}
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scrape starts a Prometheus and returns what ends it.
func scrape(t *testing.T, server, listen, scraped string) func() {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: halon-kafka\n  static_configs:\n  - targets: [%q]\n", scraped)
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(server, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+listen, "--log.level=error")
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := c.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = c.Wait() // it was killed
	}
}

// results asks Prometheus and returns how many series it has for an expression.
func results(server, expr string) (int, error) {
	response, err := http.Get("http://" + server + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Status string
		Error  string
		Data   struct{ Result []struct{ Value []any } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s", answer.Error)
	}
	// A quantile of nothing is not a number.
	answer.Data.Result = slices.DeleteFunc(answer.Data.Result, func(r struct{ Value []any }) bool { return r.Value[1] == "NaN" })
	return len(answer.Data.Result), nil
}

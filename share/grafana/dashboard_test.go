package grafana

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/admin"
	"github.com/halon-extras/kafka/internal/report"
)

// A dashboard is what the tests know of Grafana's format.
type dashboard struct {
	UID         string
	Panels      []panel
	Annotations struct{ List []struct{ Name, Expr string } }
	Templating  struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Targets                  []target
	GridPos                  struct{ X, Y, W, H int }
}

type target struct{ RefID, Expr, LegendFormat string }

func read(t *testing.T) *dashboard {
	t.Helper()
	text, err := os.ReadFile("kafka.json")
	if err != nil {
		t.Fatal(err)
	}
	d := new(dashboard)
	if err := json.Unmarshal(text, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// variables are what Grafana puts into an expression.
func variables(expr, interval string) string {
	return strings.NewReplacer("$instance", ".*", "$queue", ".*", "$__rate_interval", interval).Replace(expr)
}

// queries returns every expression with what it stands in.
func (d *dashboard) queries() map[string]string {
	all := map[string]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all[p.Title+" "+target.RefID] = target.Expr
		}
	}
	for _, a := range d.Annotations.List {
		all["annotation "+a.Name] = a.Expr
	}
	return all
}

// families are the metrics of the plugin, as queries name them.
func families(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, f := range admin.Families(admin.Deps{Queues: func() []admin.Queue { return nil }, Calls: func() []report.CallTimes { return nil }, Scrape: report.NewHistogram()}) {
		switch f.Type {
		case report.Counter:
			names = append(names, f.Name+"_total")
		case report.HistogramFamily:
			names = append(names, f.Name, f.Name+"_bucket", f.Name+"_sum", f.Name+"_count")
		default:
			names = append(names, f.Name)
		}
	}
	return names
}

func TestEachMetricIsThePlugins(t *testing.T) {
	known := families(t)
	metric := regexp.MustCompile(`\bhalon_kafka_[a-z_]+`)
	d := read(t)
	queries := d.queries()
	for _, v := range d.Templating.List {
		queries["variable "+v.Name] = string(v.Query)
	}
	used := map[string]bool{}
	for where, expr := range queries {
		for _, name := range metric.FindAllString(expr, -1) {
			used[strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_total")] = true
			if !slices.Contains(known, name) {
				t.Errorf("%s: the plugin has no metric %s", where, name)
			}
		}
	}
	// Nobody needs all of them, but a metric that is forgotten should be so on purpose.
	left := []string{
		"halon_kafka_queues", "halon_kafka_build_info", "halon_kafka_queue_limit_bytes", "halon_kafka_queue_state_timestamp_seconds", "halon_kafka_broker_connects",
		"halon_kafka_topic_partitions", "halon_kafka_spool_pending_messages", "halon_kafka_spool_oldest_message_timestamp_seconds",
	}
	for _, name := range known {
		base := strings.TrimSuffix(name, "_total")
		if strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count") {
			continue
		}
		if !used[base] && !slices.Contains(left, base) {
			t.Errorf("no panel has %s: give it one, or name it here", name)
		}
	}
}

func TestEachPanelIsWhole(t *testing.T) {
	d := read(t)
	if d.UID != "halon-kafka" {
		t.Errorf("the uid, which links name, is %q", d.UID)
	}
	ids := map[int]bool{}
	byLabels := regexp.MustCompile(`\bby \(([a-z, ]+)\)`)
	legendLabel := regexp.MustCompile(`\{\{([a-z]+)\}\}`)
	for _, p := range d.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 {
			t.Errorf("%s: the id %d or its place is not its own", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d: the title, the description or the query is missing", p.ID)
		}
		for _, target := range p.Targets {
			by := byLabels.FindStringSubmatch(target.Expr)
			for _, label := range legendLabel.FindAllStringSubmatch(target.LegendFormat, -1) {
				if by != nil && !slices.Contains(strings.Split(by[1], ", "), label[1]) {
					t.Errorf("%s: the legend names %s, which the query drops", p.Title, label[1])
				}
			}
		}
	}
}

// Prometheus itself parses each expression.
func TestEachExpressionIsOneOfPrometheus(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	n := 0
	for _, expr := range read(t).queries() {
		n++
		fmt.Fprintf(&rules, "  - record: query:%d\n    expr: %q\n", n, variables(expr, "1m"))
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d rules found", n)) || n < 50 {
		t.Errorf("%d expressions: %v\n%s\n%s", n, err, out, rules.String())
	}
}

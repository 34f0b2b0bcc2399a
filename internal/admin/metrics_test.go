package admin

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// full is a plugin in which every series has a sample.
func full(t *testing.T) Deps {
	t.Helper()
	memory, disk := newFake(t, "mem\"ory\n", "bootstrap.servers", "kafka:9092"), newFake(t, "disk")
	memory.topics = []report.Topic{{Name: "a\\b\xff", Partitions: 3, InClient: 1, Waiting: 1, Stalled: true}, {Name: "mail"}}
	disk.counts.Fail(resperr.Code(-7777))
	disk.spool = &report.Spool{Mode: "durable", Bytes: 100, MaxBytes: 1000, Segments: 1, Pending: 3, Oldest: time.UnixMilli(1234), Syncs: 7, SyncMax: time.Millisecond, Degraded: "no space"}
	return depsOf(memory, disk)
}

func TestMetricsAreWhatPromtoolWants(t *testing.T) {
	text := report.Exposition(Families(full(t)), report.PrometheusText)
	if promtool, err := exec.LookPath("promtool"); err == nil {
		check := exec.Command(promtool, "check", "metrics")
		check.Stdin = bytes.NewReader(text)
		if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	} else {
		t.Log("promtool is not installed (Debian: prometheus); only our own rules are held")
	}
}

var (
	headLine   = regexp.MustCompile(`^# (HELP|TYPE|UNIT) ([a-z_]+) (.+)$`)
	sampleLine = regexp.MustCompile(`^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([0-9.e+-]+|\+Inf)$`)
)

// TestMetricsFollowTheRules holds promlint's rules, where there is no promtool too.
func TestMetricsFollowTheRules(t *testing.T) {
	for _, format := range []report.Format{report.PrometheusText, report.OpenMetricsText} {
		families := Families(full(t))
		text := string(report.Exposition(families, format))
		var name, kind, unit, help string
		seen, series := map[string]bool{}, map[string]bool{}
		for line := range strings.Lines(strings.TrimSuffix(text, "# EOF\n")) {
			line = strings.TrimSuffix(line, "\n")
			if head := headLine.FindStringSubmatch(line); head != nil {
				switch head[1] {
				case "HELP":
					if seen[head[2]] {
						t.Errorf("%s is there twice", head[2])
					}
					seen[head[2]] = true
					name, kind, unit, help = head[2], "", "", head[3]
				case "TYPE":
					kind = head[3]
				case "UNIT":
					unit = head[3]
				}
				if head[2] != name {
					t.Errorf("%q is in the family %s", line, name)
				}
				continue
			}
			sample := sampleLine.FindStringSubmatch(line)
			if sample == nil {
				t.Errorf("this is no sample: %q", line)
				continue
			}
			if series[sample[1]+sample[2]] {
				t.Errorf("one series twice: %s", line)
			}
			series[sample[1]+sample[2]] = true
			base := strings.TrimSuffix(name, "_total")
			switch {
			case help == "" || !strings.HasSuffix(help, "."):
				t.Errorf("%s: the help is %q", name, help)
			case kind == "counter" && sample[1] != base+"_total":
				t.Errorf("%s: a counter must end in _total", sample[1])
			case kind == "counter" && format == report.PrometheusText && name == base, kind == "counter" && format == report.OpenMetricsText && name != base:
				t.Errorf("%s: the head of a counter", name)
			case kind == "gauge" && (sample[1] != name || strings.HasSuffix(name, "_total")):
				t.Errorf("%s: a gauge must not end in _total", sample[1])
			case kind == "histogram" && !strings.HasPrefix(sample[1], name+"_"):
				t.Errorf("%s in the histogram %s", sample[1], name)
			case unit != "" && !strings.HasSuffix(base, "_"+unit):
				t.Errorf("%s must end in its unit, %s", base, unit)
			case unit == "" && regexp.MustCompile(`_(seconds|bytes|messages)$`).MatchString(base):
				t.Errorf("%s names a unit that it does not say", base)
			case !strings.HasPrefix(name, "halon_kafka_"):
				t.Errorf("%s has no prefix", name)
			}
		}
		if len(seen) < 30 {
			t.Errorf("there are %d families", len(seen))
		}
	}
}

func TestTopicsAreBounded(t *testing.T) {
	q := newFake(t, "kafka1")
	for i := range 3 * mostTopics {
		q.topics = append(q.topics, report.Topic{Name: fmt.Sprintf("topic-%d", i), InClient: i})
	}
	q.topics[0].Stalled = true
	text := string(report.Exposition(Families(depsOf(q)), report.PrometheusText))
	if n := strings.Count(text, "halon_kafka_topic_stalled{"); n != mostTopics {
		t.Errorf("%d topics have series", n)
	}
	for _, want := range []string{`halon_kafka_topics{queue="kafka1"} 300`, `halon_kafka_topic_stalled{queue="kafka1",topic="topic-0"} 1`, `topic="topic-299"} 299`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

// Whoever adds up the series of one scrape finds each message once.
func TestEveryScrapeAddsUp(t *testing.T) {
	q := newFake(t, "kafka1")
	d := depsOf(q)
	stop := make(chan struct{})
	var load sync.WaitGroup
	for i := range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				q.counts.Admit(1)
				switch i {
				case 0:
					q.counts.Fail(resperr.MsgTimedOut)
				case 1:
					q.counts.Fail(resperr.MsgSizeTooLarge)
				default:
					q.counts.Deliver()
				}
			}
		})
	}
	var last float64
	for range 1000 {
		sums := map[string]float64{}
		for line := range strings.Lines(string(report.Exposition(Families(d), report.PrometheusText))) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				family, _, _ := strings.Cut(name, "{")
				sums[strings.TrimPrefix(family, namePrefix)] += n
			}
		}
		in := sums["accepted_messages_total"]
		if in != sums["delivered_messages_total"]+sums["failed_messages_total"]+sums["queued_messages"] || in < last || sums["queued_messages"] < 0 {
			t.Fatalf("it does not add up: %v", sums)
		}
		last = in
	}
	close(stop)
	load.Wait()
	if last < 1000 {
		t.Errorf("there was no load: %v messages", last)
	}
}

// An alert on a metric that does not exist never fires.
func TestAlertsNameMetricsThatExist(t *testing.T) {
	rules, err := os.ReadFile("../../share/prometheus/kafka.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(report.Exposition(Families(full(t)), report.PrometheusText))
	names := regexp.MustCompile(namePrefix+`[a-z_]+`).FindAllString(string(rules), -1)
	for _, name := range names {
		if !strings.Contains(text, "# TYPE "+name+" ") {
			t.Errorf("there is no metric %s", name)
		}
	}
	if len(names) < 12 {
		t.Errorf("the rules name %d metrics", len(names))
	}
}

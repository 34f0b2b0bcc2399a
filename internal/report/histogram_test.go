package report

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAHistogramCountsUpToItsBounds(t *testing.T) {
	h := NewHistogram(time.Millisecond, 10*time.Millisecond, time.Second)
	for _, d := range []time.Duration{0, time.Millisecond, time.Millisecond + 1, 10 * time.Millisecond, time.Second, time.Second + 1, time.Hour} {
		h.Observe(d)
	}
	f := Family{Name: "call_duration_seconds", Type: HistogramFamily, Unit: "seconds", Help: "How long\na call \\ takes.", Samples: h.Samples("queue", "a\"b\nc")}
	want := `# HELP call_duration_seconds How long\na call \\ takes.
# TYPE call_duration_seconds histogram
# UNIT call_duration_seconds seconds
call_duration_seconds_bucket{queue="a\"b\\x0ac",le="0.001"} 2
call_duration_seconds_bucket{queue="a\"b\\x0ac",le="0.01"} 4
call_duration_seconds_bucket{queue="a\"b\\x0ac",le="1.0"} 5
call_duration_seconds_bucket{queue="a\"b\\x0ac",le="+Inf"} 7
call_duration_seconds_sum{queue="a\"b\\x0ac"} 3602.012000002
call_duration_seconds_count{queue="a\"b\\x0ac"} 7
`
	if got := string(Exposition([]Family{f}, PrometheusText)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAHistogramAddsUpUnderLoad(t *testing.T) {
	h := NewHistogram(time.Millisecond)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 10000 {
				h.Observe(time.Duration(i%2) * time.Second)
			}
		})
	}
	for range 1000 {
		s := h.Samples()
		if s[1].Value != s[len(s)-1].Value || s[0].Value > s[1].Value {
			t.Fatalf("%+v", s)
		}
	}
	all.Wait()
	if got := fmt.Sprint(h.Samples()); !strings.Contains(got, "20000") || !strings.Contains(got, "40000") {
		t.Error(got)
	}
}

func TestTheFormats(t *testing.T) {
	counter := Family{Name: "failed_messages", Type: Counter, Unit: "messages", Help: "Given up."}
	counter.Add(3, "queue", "a")
	gauge := Family{Name: "queued_messages", Type: Gauge, Help: "Queued."}
	gauge.Add(1.5)
	gauge.Add(1e18)
	empty := Family{Name: "nothing", Type: Gauge, Help: "None."}
	all := []Family{counter, gauge, empty}
	if got, want := string(Exposition(all, PrometheusText)), `# HELP failed_messages_total Given up.
# TYPE failed_messages_total counter
# UNIT failed_messages_total messages
failed_messages_total{queue="a"} 3
# HELP queued_messages Queued.
# TYPE queued_messages gauge
queued_messages 1.5
queued_messages 1e+18
`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := string(Exposition(all[:1], OpenMetricsText)), `# HELP failed_messages Given up.
# TYPE failed_messages counter
# UNIT failed_messages messages
failed_messages_total{queue="a"} 3
# EOF
`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

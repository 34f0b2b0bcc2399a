package main

import (
	"fmt"
	"testing"
	"time"
)

// What the broker is sent, and what the ledger makes of it when life 1 of two workers has accepted 2 and 1 messages, and life 2 of one worker those of the row.
func TestLedger(t *testing.T) {
	for _, test := range []struct {
		sentence string
		second   int // messages that life 2 has accepted
		sent     []id
		want     string // lost, invented, delivered twice, out of order
	}{
		{"all in order", 0, []id{{1, 0, 1}, {1, 1, 1}, {1, 0, 2}}, "0 0 0 0"},
		{"one is missing", 0, []id{{1, 0, 1}, {1, 1, 1}}, "1 0 0 0"},
		{"a worker is missing", 0, []id{{1, 0, 1}, {1, 0, 2}}, "1 0 0 0"},
		{"one is delivered twice", 0, []id{{1, 0, 1}, {1, 0, 2}, {1, 0, 1}, {1, 1, 1}}, "0 0 1 0"},
		{"a newer one comes first", 0, []id{{1, 0, 2}, {1, 0, 1}, {1, 1, 1}}, "0 0 0 1"},
		{"a kill hides the answer of the last", 0, []id{{1, 0, 1}, {1, 0, 2}, {1, 0, 3}, {1, 1, 1}}, "0 0 0 0"},
		{"nobody has produced it", 0, []id{{1, 0, 1}, {1, 0, 2}, {1, 0, 4}, {1, 1, 1}}, "0 1 0 0"},
		{"of a worker that is none", 0, []id{{1, 0, 1}, {1, 0, 2}, {1, 1, 1}, {1, 2, 1}}, "0 1 0 0"},
		{"an older life comes late", 1, []id{{1, 0, 1}, {2, 0, 1}, {1, 0, 2}, {1, 1, 1}}, "0 0 0 1"},
	} {
		l := newLedger()
		l.accepted[1], l.accepted[2] = []int{2, 1}, []int{test.second}
		for _, i := range test.sent {
			l.arrive([]byte(i.value()))
		}
		_, lost, invented := l.judge()
		if got := fmt.Sprint(lost, invented, l.duplicates, len(l.order)); got != test.want || len(l.wrong) > 0 {
			t.Errorf("%s: %s %q, want %s", test.sentence, got, l.wrong, test.want)
		}
	}
	l := newLedger()
	for _, value := range []string{"", "1/2:", "1/2/3:other", "1/2/-3:" + padding} {
		l.arrive([]byte(value))
	}
	if len(l.wrong) != 4 || l.arrived != 0 {
		t.Errorf("what no worker has produced: %q", l.wrong)
	}
}

func TestGrowth(t *testing.T) {
	for _, test := range []struct {
		sentence string
		memory   func(period int) float64
		grown    int
	}{
		{"flat", func(int) float64 { return 100e6 }, 0},
		{"the first period warms up", func(p int) float64 { return min(50e6*float64(p+1), 100e6) }, 0},
		{"within a tenth and the allowance", func(p int) float64 { return 100e6 + 4e6*float64(p) }, 0},
		{"a leak", func(p int) float64 { return 100e6 + 6e6*float64(p) }, 1},
	} {
		r := &run{plan: plan{total: 6 * time.Minute, period: time.Minute}}
		for second := range 360 {
			for host := range kinds {
				s := sample{at: time.Duration(second) * time.Second, host: host}
				if host == memory {
					s.series[resident] = test.memory(second / 60)
				}
				r.samples = append(r.samples, s)
			}
		}
		if grown := r.growth(); len(grown) != test.grown {
			t.Errorf("%s: %q, want %d series that grow", test.sentence, grown, test.grown)
		}
	}
}

func TestOnlyAReloadExcusesTheOrderAndOnlyInMemory(t *testing.T) {
	begun := time.Now()
	at := func(second int) time.Time { return begun.Add(time.Duration(second) * time.Second) }
	r := &run{broker: &broker{ledgers: [2]*ledger{newLedger(), newLedger()}}, changes: []span{{at(10), at(10)}, {at(100), at(130)}}}
	for host := range kinds {
		for _, second := range []int{9, 11, 24, 26, 99, 101, 131, 146} {
			l := r.broker.ledgers[host]
			l.order = append(l.order, at(second))
		}
	}
	for host, want := range []string{memory: "4 4", durable: "8 0"} {
		order, excused := r.disorder(host)
		if got := fmt.Sprint(order, excused); got != want {
			t.Errorf("%s queue: %s out of order and excused, want %s", kinds[host], got, want)
		}
	}
}

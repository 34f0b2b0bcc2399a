package plugin

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Each step is a second of load in lingers of 5 ms; the processors are those at its end.
func TestTheProcessorsFollowTheLoad(t *testing.T) {
	type second struct {
		records, valueBytes int
		want                int
	}
	for _, test := range []struct {
		sentence string
		needs    needs
		seconds  []second
	}{
		{"a few thousand messages a second need one", needs{}, []second{{2000, 400_000, 1}, {20_000, 4_000_000, 1}}},
		{"many messages leave one to the host", needs{}, []second{{60_000, 600_000, 3}}},
		{"so do few large messages", needs{}, []second{{1000, 10 << 20, 3}}},
		{"calm is believed after two seconds", needs{}, []second{{60_000, 0, 3}, {2000, 0, 3}, {2000, 0, 3}, {2000, 0, 1}}},
		{"between calm and busy, what is stays", needs{}, []second{
			{40_000, 0, 1}, {40_000, 0, 1}, {60_000, 0, 3}, {40_000, 0, 3}, {40_000, 0, 3}, {40_000, 0, 3}, {40_000, 0, 3},
		}},
		{"codecs need all", needs{compressed: true}, []second{{2000, 0, 1}, {60_000, 0, 4}, {2000, 0, 4}, {2000, 0, 4}, {2000, 0, 1}}},
		{"a queue behind a spool needs all at any load", needs{spooled: true}, []second{{10, 0, 4}, {10, 0, 4}, {10, 0, 4}, {10, 0, 4}}},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				processors := 4
				p := &scaling{set: func(n int) { processors = n }, all: 4, processors: 4}
				p.start(test.needs)
				for i, s := range test.seconds {
					for range 200 {
						time.Sleep(5 * time.Millisecond)
						p.worked(s.records/200, s.valueBytes/200)
					}
					if processors != s.want {
						t.Errorf("after second %d there are %d processors, want %d", i+1, processors, s.want)
					}
				}
			})
		})
	}
}

func TestABurstIsNotWaitedOut(t *testing.T) {
	var set []int
	p := &scaling{set: func(n int) { set = append(set, n) }, all: 4, processors: 4}
	p.start(needs{})
	p.worked(6000, 0)
	if !slices.Equal(set, []int{1, 3}) {
		t.Errorf("the processors were set to %v", set)
	}
}

func TestAllProcessorsAreThereWhileQueuesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		processors := 4
		p := &scaling{set: func(n int) { processors = n }, all: 4, processors: 4}
		load := func(records int) int {
			for range 600 { // three seconds
				time.Sleep(5 * time.Millisecond)
				p.worked(records/200, 0)
			}
			return processors
		}
		p.start(needs{})
		busy := load(60_000)
		p.cross()
		crossing := processors
		if after, calm := load(60_000), load(2000); busy != 3 || crossing != 4 || after != 3 || calm != 1 {
			t.Errorf("%d processors before, %d while queues change, %d afterwards and %d with a small load, want 3, 4, 3 and 1", busy, crossing, after, calm)
		}
	})
}

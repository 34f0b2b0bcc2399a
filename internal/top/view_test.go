package top

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/halon-extras/kafka/internal/report"
)

func TestTheListShowsTheWorstQueueFirst(t *testing.T) {
	play(t, healthy, func(s *stage) {
		s.shows("queues")
		s.press("<down>")
		s.shows("queues-degraded")
	})
}

func TestPanesOfOneQueue(t *testing.T) {
	play(t, healthy, func(s *stage) {
		s.press("<down>", "<enter>")
		s.shows("queue")
		s.press("<right>")
		s.shows("brokers")
		s.press(">")
		s.shows("topics")
		s.press("n")
		s.has("[topics] kafka1")
		s.press("N", "<right>")
		s.has("[queues]")
		if want := []string{"", "audit", "kafka1", "audit"}; !slices.Equal(s.asked, want) {
			t.Errorf("it was asked for %q, want %q", s.asked, want)
		}
	})
}

// As in halontop, what has changed since the last answer stands beside a counter.
func TestChangesStandBesideCounters(t *testing.T) {
	q := Queue{ID: "q", State: "ok", In: 5000, Delivered: 4000, Queued: 1000}
	play(t, func(string) (*Sample, error) { return &Sample{Queues: []Queue{q}}, nil }, func(s *stage) {
		s.press("<enter>")
		s.has("in 5,000, delivered 4,000, queued 1,000, on disk 0")
		s.change(func() { q.In, q.Delivered, q.Queued = 5010, 4510, 500 })
		s.pass(2 * time.Second)
		s.has("in 5,010 +10, delivered 4,510 +510, queued 500 -500, on disk 0")
	})
}

func TestHelpHasEachKey(t *testing.T) {
	for l := range strings.Lines(Keys) {
		if len(strings.TrimSuffix(l, "\n")) > 80 {
			t.Errorf("wider than the screen: %s", l)
		}
	}
	play(t, healthy, func(s *stage) {
		s.press("?")
		s.shows("help")
		s.press("<down>", "<down>", "<end>")
		s.has("gets smaller, a bar has the share that is done")
		s.press("?")
		s.has("[queues]")
	})
}

func TestTheListIsSortedByEachColumn(t *testing.T) {
	play(t, healthy, func(s *stage) {
		for _, want := range []string{
			"state: events audit kafka1", "queue: audit events kafka1", "in/s: kafka1 audit events", "out/s: kafka1 events audit", "depth: events audit kafka1",
			"disk: audit kafka1 events", "oldest: events audit kafka1", "errors: events audit kafka1",
		} {
			key, names, _ := strings.Cut(want, ": ")
			s.has("sorted by " + key)
			order := func() string {
				var all []string
				for _, l := range strings.Split(s.text(), "\n")[4:7] {
					all = append(all, strings.Fields(strings.TrimLeft(l, " >"))[0])
				}
				return strings.Join(all, " ")
			}
			if got := order(); got != names {
				t.Errorf("by %s: %s, want %s", key, got, names)
			}
			s.press("r")
			s.has("sorted by " + key + ", reversed")
			reversed := strings.Fields(names)
			slices.Reverse(reversed)
			if got := order(); key != "disk" && got != strings.Join(reversed, " ") { // two have no disk
				t.Errorf("by %s, reversed: %s", key, got)
			}
			s.press("r", "s")
		}
		s.has("sorted by state")
		s.press("S")
		s.has("sorted by errors")
	})
}

// A pause keeps the screen, whatever the plugin says, and asks nothing.
func TestPause(t *testing.T) {
	state := "ok"
	play(t, func(string) (*Sample, error) { return &Sample{Queues: []Queue{{ID: "q", State: state}}}, nil }, func(s *stage) {
		s.press("p")
		s.has("PAUSED")
		asked := s.questions()
		s.change(func() { state = "degraded" })
		s.pass(time.Minute)
		s.has("1 ok")
		if n := s.questions() - asked; n != 0 {
			t.Errorf("it was asked %d times during a pause", n)
		}
		s.press(" ")
		s.has("1 degraded")
	})
}

func TestTheIntervalFollowsItsKeys(t *testing.T) {
	play(t, healthy, func(s *stage) {
		asked := func(d time.Duration) int {
			before := s.questions()
			s.pass(d)
			return s.questions() - before
		}
		if n := asked(time.Minute); n != 30 {
			t.Errorf("every 2s: %d questions a minute", n)
		}
		s.press("+", "+")
		s.has("every 500ms")
		if n := asked(time.Minute); n != 120 {
			t.Errorf("every 500ms: %d questions a minute", n)
		}
		s.press("+", "-", "-", "-")
		s.has("every 5s")
		for range 10 {
			s.press("-")
		}
		s.has("every 1m0s")
	})
}

// Each failure is a sentence, and the view goes on.
func TestErrorsAreSentences(t *testing.T) {
	failure := errAway
	play(t, func(detail string) (*Sample, error) {
		if failure != nil {
			return nil, failure
		}
		return healthy(detail)
	}, func(s *stage) {
		s.shows("not-reachable")
		s.change(func() { failure = nil })
		s.pass(2 * time.Second)
		s.has("3 queues: 1 failed")
		s.change(func() { failure = errAway })
		s.pass(60 * time.Second)
		s.shows("gone")
		s.change(func() { failure = nil })
		s.pass(2 * time.Second)
		if strings.Contains(s.text(), "halonctl:") {
			t.Errorf("the error stays:\n%s", s.text())
		}
	})
}

func TestAnErrorOfTheDetailStandsInItsPlace(t *testing.T) {
	play(t, func(detail string) (*Sample, error) {
		s, err := healthy("")
		if detail != "" {
			s.Why = "halonctl plugin command kafka stats audit failed: no such thing"
		}
		return s, err
	}, func(s *stage) {
		s.press("<enter>")
		s.has("refused calls 48,211")
		s.has("stats audit failed: no such thing")
	})
}

// A restart shows in the start time of the plugin, or in counters that start from zero.
func TestARestartIsSaid(t *testing.T) {
	for _, knows := range []bool{true, false} {
		t.Run(fmt.Sprintf("start known: %v", knows), func(t *testing.T) {
			again := false
			play(t, func(string) (*Sample, error) {
				s := &Sample{Queues: []Queue{{ID: "q", State: "ok", In: 5000}}}
				if again {
					s.Queues[0].In = 3
				}
				if knows {
					s.Started = start.Add(-time.Hour)
					if again {
						s.Started = start.Add(3 * time.Second)
					}
				}
				return s, nil
			}, func(s *stage) {
				if strings.Contains(s.text(), "restarted") {
					t.Error("a restart is said that was none")
				}
				s.change(func() { again = true })
				s.pass(4 * time.Second)
				s.has("The plugin was restarted; seen at 2000-01-01T00:00:02Z.")
				if knows {
					s.has("up 1s")
				}
				s.pass(time.Minute)
				if strings.Contains(s.text(), "restarted") {
					t.Error("it is said for longer than a minute")
				}
			})
		})
	}
}

// A queue that a reload removed is a sentence in its panes, and the list goes on.
func TestAQueueThatGoes(t *testing.T) {
	gone := false
	play(t, func(detail string) (*Sample, error) {
		s, err := healthy(detail)
		if gone {
			s.Queues = s.Queues[:2]
		}
		return s, err
	}, func(s *stage) {
		s.press("<enter>")
		s.has("[queue]")
		s.change(func() { gone = true })
		s.pass(2 * time.Second)
		s.has("The queue events is not there any more.")
		s.press("<esc>")
		s.has("2 queues: 1 degraded 1 ok")
		s.press("<down>")
		s.has(">audit")
	})
}

func TestNoQueues(t *testing.T) {
	play(t, func(string) (*Sample, error) { return &Sample{}, nil }, func(s *stage) {
		s.has("The plugin runs, and has no queues.")
		s.press("<down>", "<enter>", "<right>", "s", "?", "?", "n")
		s.has("The plugin runs, and has no queues.")
	})
}

// Names come from a configuration, and reasons from brokers: nothing of them moves the cursor.
func TestHostileTextIsEscaped(t *testing.T) {
	play(t, func(detail string) (*Sample, error) {
		s := &Sample{Queues: []Queue{{ID: "a\x1b[2J\nb中文", State: "degraded", Reason: "refused\r\nkafka1: ok\x9b", Problems: []report.StatusProblem{{Kind: "login", Text: "x"}}}}}
		if detail != "" {
			s.Stats = twoBrokers()
			s.Stats.Topics["\x1b]0;title\x07"] = s.Stats.Topics["mail"]
		}
		return s, nil
	}, func(s *stage) {
		s.shows("hostile")
		s.press("<left>")
		s.has(`\x1b]0;title\x07`)
	})
}

func TestManyQueuesScroll(t *testing.T) {
	play(t, func(string) (*Sample, error) {
		s := &Sample{}
		for i := range 50 {
			s.Queues = append(s.Queues, Queue{ID: fmt.Sprintf("q%02d", i), State: "ok"})
		}
		return s, nil
	}, func(s *stage) {
		s.has(">q00")
		s.press("<end>")
		s.has(">q49")
		s.has("q36")
		s.press("<up>", "<up>")
		s.has(">q47")
		s.press("<pgup>", "<home>")
		s.has(">q00")
	})
}

// Any size is drawn without a fault, and a larger one is used.
func TestSizes(t *testing.T) {
	play(t, healthy, func(s *stage) {
		for _, size := range [][2]int{{132, 50}, {80, 24}, {40, 10}, {41, 11}, {20, 5}, {1, 1}, {300, 12}} {
			s.screen.SetSize(size[0], size[1])
			for _, key := range []string{"<right>", "<right>", "<right>", "<right>", "?", "?"} {
				s.press(key)
			}
			s.pass(time.Second)
			if size[0] == 132 {
				s.shows("large")
			}
			if size[0] == 20 && !strings.Contains(strings.Join(strings.Fields(s.text()), " "), "The terminal is too small") {
				t.Errorf("20 x 5:\n%s", s.text())
			}
		}
	})
}

func TestTheWaysOut(t *testing.T) {
	for name, leave := range map[string]func(s *stage){
		"q":      func(s *stage) { s.press("q") },
		"Ctrl-C": func(s *stage) { s.press("<ctrl-c>") },
		"a signal": func(s *stage) {
			s.end()
			s.pass(0)
		},
		"a terminal that is gone": func(s *stage) { s.screen.Fini() },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, healthy, func(s *stage) {
				leave(s)
				s.pass(0)
				select {
				case err := <-s.ended:
					s.ended <- err
				default:
					t.Error("the view goes on")
				}
				if name != "a terminal that is gone" {
					return
				}
				s.screen.SimulationScreen = tcell.NewSimulationScreen("") // for the q of play
				_ = s.screen.Init()
			})
		})
	}
}

// docs/operations.md shows this screen: after an outage, while the backlog of a queue is sent.
func TestTheScreenOfTheManual(t *testing.T) {
	at := 0
	play(t, func(string) (*Sample, error) {
		s, _ := healthy("")
		q := &s.Queues[1]
		*q = Queue{ID: "audit", State: "ok", Since: start.Add(-time.Minute), Storage: "durable", SpoolLimit: 10 << 30, In: 9_204_000 + int64(at)*420, LimitMessages: 100_000, InRate: 210.4, OutRate: 8410.4}
		q.OnDisk = 1_204_311 - int64(at)*16_400
		q.Delivered, q.SpoolBytes, q.OldestAge = q.In-q.OnDisk, q.OnDisk*1060, float64(1720-at*23)
		for i, name := range []string{"bounces", "clicks", "inbound", "outbound", "policy", "reports", "suppress"} {
			n := int64(i + 3)
			s.Queues = append(s.Queues, Queue{ID: name, State: "ok", Since: start.Add(-26 * time.Hour), In: n * 71_003, Delivered: n*71_003 - n, Queued: n, OldestAge: 0.004, InRate: float64(n) * 31.3, OutRate: float64(n) * 31.1})
		}
		at++
		return s, nil
	}, func(s *stage) {
		s.press("<down>")
		for range 20 {
			s.pass(2 * time.Second)
		}
		s.shows("manual")
		page, err := os.ReadFile("../../docs/operations.md")
		if err != nil {
			t.Fatal(err)
		}
		if screen := "```text\n" + s.text() + "```\n"; !strings.Contains(string(page), screen) {
			t.Errorf("docs/operations.md has another screen than this:\n%s", screen)
		}
	})
}

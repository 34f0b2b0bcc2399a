package plugin

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/resperr"
)

// A trap is a log that panics at a line, and keeps the others.
type trap struct {
	at    string
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (l *trap) Enabled(context.Context, slog.Level) bool { return true }

func (l *trap) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, l.at) {
		panic("a fault of ours")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Message)
	return nil
}

func (l *trap) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *trap) WithGroup(string) slog.Handler { return l }

// said waits for a line.
func (l *trap) said(t *testing.T, text string) {
	t.Helper()
	await(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return strings.Contains(strings.Join(l.lines, "\n"), text)
	})
}

// A goroutine of the plugin that fails ends neither the mail server nor the plugin: what comes behind it is done, and nobody waits for it for ever.
func TestAPanicInAGoroutineOfThePluginEndsNothingElse(t *testing.T) {
	for _, test := range []struct {
		sentence, at, said string
		do                 func(t *testing.T, p *Plugin, log *trap)
	}{
		{"the end of a queue", "lost in queue", "internal error in the end of a queue", func(t *testing.T, p *Plugin, _ *trap) {
			if err := p.Start(config(queue("a", "bootstrap.servers", text("127.0.0.1:1")), queue("b", "bootstrap.servers", text("127.0.0.1:1"))), nil); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"a", "b"} {
				if code := call(p, id, "v"); code != resperr.NoError {
					t.Fatal(code)
				}
			}
			p.stopAll(p.queues.Load().all(), time.Millisecond)
		}},
		{"a queue that is removed", "the removed queue is empty", "internal error in the end of a removed queue", func(t *testing.T, p *Plugin, _ *trap) {
			if err := p.Start(nil, config(queue("a"))); err != nil {
				t.Fatal(err)
			}
			reload(t, p, nil)
		}},
		{"a queue that a reload opens", "calls are answered with -189", "internal error in a reload", func(t *testing.T, p *Plugin, log *trap) {
			folder := t.TempDir()
			app := func(dead string) *Node {
				return config(object("id", text("a"), "config", object(), "spool", object("path", text(folder), "dead_letter", text(dead))))
			}
			if err := p.Start(nil, app("false")); err != nil {
				t.Fatal(err)
			}
			other := New(discard(), nil)
			if err := other.Start(config(stored("o", filepath.Join(folder, "dead"))), nil); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(other.Stop)
			reload(t, p, app("true"))
			log.said(t, "internal error in a reload") // until then the queue that it had takes calls, or they wait
			if code := call(p, "a", "v"); code != resperr.FS {
				t.Errorf("a call that waits for the queue is answered %v", code)
			}
		}},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			log := &trap{at: test.at}
			p := New(slog.New(log), nil)
			test.do(t, p, log)
			log.said(t, test.said)
			p.Stop()
		})
	}
}

package plugin

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/halon-extras/kafka/internal/spool"
)

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(open)
}

// A start that fails, wherever it does, leaves no descriptor and no goroutine behind. Smtpd may try again and again.
func TestAStartThatFailsLeavesNothingOpen(t *testing.T) {
	// What is wrong is found when the queue starts, not before: somebody else has the folder.
	taken := func(path string) func() {
		s, err := spool.Open(spool.Options{Dir: path, MaxBytes: 1 << 20, SegmentBytes: 1 << 16, Log: discard()})
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
	inUse := filepath.Join(t.TempDir(), "in-use")
	defer taken(inUse)()
	queue := func(id, path string) *Node { return withSpool(id, object("path", text(path))) }
	for _, test := range []struct {
		sentence string
		queues   func(folder string) *Node // with a new folder each time: an old one may still be in use
	}{
		{"the spool is in use", func(string) *Node { return list(queue("q1", inUse)) }},
		{"the dead letters are in use", func(folder string) *Node { return list(queue("q2", folder)) }},
		{"the second queue fails when the first one runs", func(folder string) *Node { return list(queue("q3", filepath.Join(folder, "q3")), queue("q4", inUse)) }},
		{"the second queue fails when one in memory runs", func(string) *Node { return list(object("id", text("q5"), "config", object()), queue("q6", inUse)) }},
		{"a property is not known", func(folder string) *Node {
			return list(queue("q7", filepath.Join(folder, "q7")), object("id", text("q8"), "config", object("unknown", text("1"))))
		}},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			start := func() {
				t.Helper()
				folder := t.TempDir()
				defer taken(filepath.Join(folder, "dead"))()
				if p := New(discard(), nil); p.Start(object("queues", test.queues(folder)), nil) == nil {
					p.Stop()
					t.Fatal("it starts")
				}
			}
			start() // the intake of a queue stays with the process
			opened, goroutines := descriptors(t), runtime.NumGoroutine()
			for range 20 {
				start()
			}
			// A goroutine that has been stopped may take a moment to end.
			await(t, func() bool { return descriptors(t) <= opened && runtime.NumGoroutine() <= goroutines })
		})
	}
}

package plugin

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
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
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	deadIsAFile := filepath.Join(folder, "dead-is-a-file")
	if err := os.Mkdir(deadIsAFile, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(deadIsAFile, "dead"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spool := func(id, path string) *Node { return withSpool(id, object("path", text(path))) }
	for _, test := range []struct {
		sentence string
		queues   *Node
	}{
		{"the path of a spool is a file", list(spool("q1", file))},
		{"the folder of the dead letters is a file", list(spool("q2", deadIsAFile))},
		{"the second queue fails when the first one runs", list(spool("q3", filepath.Join(folder, "good")), spool("q4", file))},
		{"the second queue fails when one in memory runs", list(object("id", text("q5"), "config", object()), spool("q6", file))},
		{"a property is not known", list(spool("q7", filepath.Join(folder, "other")), object("id", text("q8"), "config", object("unknown", text("1"))))},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			start := func() {
				t.Helper()
				if p := New(discard(), nil); p.Start(object("queues", test.queues)) == nil {
					p.Stop()
					t.Fatal("it starts")
				}
			}
			start() // the intake of a queue stays with the process
			opened, goroutines := descriptors(t), runtime.NumGoroutine()
			for range 20 {
				start()
			}
			if now := descriptors(t); now > opened {
				t.Errorf("%d descriptors are open after 20 starts, and there were %d", now, opened)
			}
			// A goroutine that has been stopped may take a moment to end.
			if now := runtime.NumGoroutine(); now > goroutines+5 {
				t.Errorf("%d goroutines after 20 starts, and there were %d", now, goroutines)
			}
		})
	}
}

package killpoint_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/halon-extras/kafka/internal/killpoint"
)

// TestMain is also the process that is killed: it comes to a and b in turn, and says so.
func TestMain(m *testing.M) {
	if at := os.Getenv(killpoint.Variable); at != "" {
		at := killpoint.From(at)
		for range 3 {
			for _, point := range []string{"a", "b"} {
				_, _ = os.Stdout.WriteString(point)
				at(point)
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTheProcessEndsAtThePoint(t *testing.T) {
	for at, want := range map[string]string{"a:1": "a", "b:1": "ab", "b:3": "ababab"} {
		host := exec.CommandContext(t.Context(), os.Args[0])
		host.Env = append(os.Environ(), killpoint.Variable+"="+at)
		out, err := host.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || string(out) != want {
			t.Errorf("%s: it came to %q and ended with %v, want %q and a kill", at, out, err, want)
		}
	}
}

func TestOtherTextKillsNobody(t *testing.T) {
	for _, text := range strings.Split("|a|a:|:1|a:0|a:-1|a:x|a:1:2", "|") {
		if killpoint.From(text) != nil {
			t.Errorf("%q names a point", text)
		}
	}
	if at := killpoint.From("a:2"); at == nil {
		t.Error("a:2 names none")
	} else {
		at("a")
		at("b")
		at("b")
	}
}

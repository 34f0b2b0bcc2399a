package top

import (
	"os/exec"
	"strings"
	"testing"
)

// The mail server gets no terminal: nothing of this package is linked into kafka.so, nor into hslrun.
func TestThePluginHasNoTerminal(t *testing.T) {
	for program, has := range map[string]bool{"../../cmd/kafka": false, "../../cmd/hslrun": false, "../../cmd/halon-kafka": true} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", program).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"github.com/gdamore/tcell/", "golang.org/x/term\n", "github.com/halon-extras/kafka/internal/top\n"} {
			if strings.Contains(string(out), name) != has {
				t.Errorf("%s imports %q: %v, want %v", program, name, !has, has)
			}
		}
	}
}

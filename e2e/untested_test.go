package e2e

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A machine without Java must not look as if Kafka had been tried.
func TestNothingIsTestedWithoutJava(t *testing.T) {
	command := exec.CommandContext(t.Context(), "./test-kafka")
	command.Env = append(os.Environ(), "JAVA_HOME="+t.TempDir())
	text, err := command.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.HasPrefix(lines[len(lines)-1], "NOT TESTED") {
		t.Errorf("test-kafka without Java: %v\n%s", err, text)
	}
}

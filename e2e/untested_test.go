package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A machine without Java, or without librdkafka's consumer, must not look as if that had been tried. In the gate the consumer is no
// choice.
func TestWhatIsMissingIsNotTested(t *testing.T) {
	for _, test := range []struct {
		sentence string
		programs map[string]string // in place of those of the machine
		ci       string
		exit     int
		want     string
	}{
		{"no Java", map[string]string{"java": "exit 127"}, "", 3, "NOT TESTED on a real Apache Kafka: there is no Java"},
		{"an old Java", map[string]string{"java": `echo 'openjdk version "1.8.0_402"'`}, "", 3, "NOT TESTED on a real Apache Kafka: java is Java 8"},
		{"no pip", map[string]string{"java": `echo 'openjdk version "17.0.1"'`, "mvn": "", "python3": "exit 1"}, "", 3, "NOT TESTED with librdkafka's consumer: Python cannot install confluent-kafka=="},
		{"no pip in the gate", map[string]string{"java": `echo 'openjdk version "17.0.1"'`, "mvn": "", "python3": "exit 1"}, "true", 1, "NOT TESTED with librdkafka's consumer: Python cannot install confluent-kafka=="},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			programs := t.TempDir()
			for name, text := range test.programs {
				if err := os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			command := exec.CommandContext(t.Context(), "./test-kafka")
			command.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "JAVA_HOME=", "CI="+test.ci, "GO=true", "BUILD="+t.TempDir())
			text, err := command.CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != test.exit || !strings.HasPrefix(lines[len(lines)-1], test.want) {
				t.Errorf("test-kafka: %v\n%s", err, text)
			}
		})
	}
}

func TestOnceIsNotTestedWithoutJava(t *testing.T) {
	programs := t.TempDir()
	if err := os.WriteFile(filepath.Join(programs, "java"), []byte("#!/bin/sh\nexit 127\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "./once", "true")
	command.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "JAVA_HOME=")
	text, err := command.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.HasPrefix(string(text), "NOT TESTED on a real Apache Kafka: there is no Java") {
		t.Errorf("once: %v\n%s", err, text)
	}
}

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestProgram runs what is delivered: the program built without C, with the bytes and statuses of a process.
func TestProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "halon-kafka")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	const refused = `{"verdict":"INVALID","errstr":"Configuration property \"queue.buffering.max.ms\" value -1 is outside allowed range 0..900000\n","values":{},"warnings":[]}` + "\n"
	text, err := exec.CommandContext(t.Context(), program, "version").Output()
	if err != nil || !regexp.MustCompile(`^halon-kafka development\nfranz-go v1\.[0-9.]+\ngo1\..*\n$`).Match(text) {
		t.Errorf("version prints %q, %v", text, err)
	}
	for _, test := range []struct {
		sentence string
		args     []string
		stdout   string
		status   int
	}{
		{
			"a setting that is taken",
			[]string{"check", "--json", "--set", "bootstrap.servers=x:9092", "--set", "client.id=<\n\xff>"},
			`{"verdict":"OK","errstr":"","values":{"bootstrap.servers":"x:9092","client.id":"<\n\udcff>"},"warnings":[]}` + "\n", 0,
		},
		{"a setting that is refused", []string{"check", "--json", "--set", "linger.ms=-1"}, refused, 1},
		{"the example", []string{"check", "-c", "../../examples/smtpd.yaml"}, "../../examples/smtpd.yaml: 1 queue, no problems, no warnings, no notes\n", 0},
		{"a file that is not there", []string{"check", "-c", "nosuch.yaml"}, "", 2},
		{"no arguments", nil, "", 2},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), program, test.args...).Output()
			status := 0
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				status = exit.ExitCode()
				if status == 2 && len(exit.Stderr) == 0 {
					t.Error("nothing says why")
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if string(out) != test.stdout || status != test.status {
				t.Errorf("status %d, printed %q; want %d, %q", status, out, test.status, test.stdout)
			}
		})
	}
}

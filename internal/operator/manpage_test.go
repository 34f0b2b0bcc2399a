package operator

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, diagnostics bytes.Buffer
	if status := Run(context.Background(), args, Terminal{Out: &out, Err: &diagnostics}); status != exitFine {
		t.Fatalf("halon-kafka %v: status %d\n%s", args, status, diagnostics.String())
	}
	return out.String()
}

// The page must show each command's help as it is, which groff proves where it is installed.
func TestManpage(t *testing.T) {
	page := printed(t, "manpage")
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("needs groff (Debian: groff-base)")
	}
	command := exec.CommandContext(t.Context(), "groff", "-man", "-Tascii", "-ww", "-rLL=200n", "-P-cbou")
	command.Stdin = strings.NewReader(page)
	var diagnostics bytes.Buffer
	command.Stderr = &diagnostics
	text, err := command.Output()
	if err != nil || diagnostics.Len() > 0 {
		t.Fatalf("groff: %v\n%s", err, diagnostics.String())
	}
	shown := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		shown[strings.TrimSpace(line)] = true
	}
	for _, c := range commands() {
		for line := range strings.Lines(c.help) {
			if !shown[strings.TrimSpace(line)] {
				t.Errorf("the page does not show this line of %s's help:\n%s", c.name, line)
			}
		}
	}
}

func TestBashCompletion(t *testing.T) {
	folder := t.TempDir()
	script := filepath.Join(folder, "completion")
	if err := os.WriteFile(script, []byte(printed(t, "completion", "bash")), 0o600); err != nil {
		t.Fatal(err)
	}
	// Names of properties come from the program itself.
	program := "#!/bin/sh\nprintf '[{\"name\":\"linger.ms\",\"aliases\":[\"queue.buffering.max.ms\"]},{\"name\":\"acks\"}]'\n"
	if err := os.WriteFile(filepath.Join(folder, "halon-kafka"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ line, want string }{
		{"ch", "check"},
		{"sp", "spool"},
		{"to", "top"},
		{"top --", "--halonctl --plugin --every --listen"},
		{"spool re", "requeue repair"},
		{"spool check --", "--json"},
		{"spool repair -", "--apply"},
		{"check --s", "--strict --set"},
		{"check --connect --t", "--topic --timeout"},
		{"check --set li", "linger.ms="},
		{"properties a", "acks"},
		{"properties --", "--json"},
		{"completion ", "bash"},
		{"check -c comp", "completion"},
		{"version -", ""},
	} {
		words := strings.Split(tt.line, " ")
		run := `source "$1"; shift; COMP_WORDS=(./halon-kafka "$@"); COMP_CWORD=$#; _halon_kafka; echo "${COMPREPLY[*]}"`
		command := exec.CommandContext(t.Context(), "bash", append([]string{"-c", run, "bash", script}, words...)...)
		command.Dir = folder
		text, err := command.CombinedOutput()
		if got := strings.TrimSpace(string(text)); err != nil || got != tt.want {
			t.Errorf("halon-kafka %s<TAB> offers %q, %v; want %q", tt.line, got, err, tt.want)
		}
	}
}

package docs_test

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// The scripts of the manual are those that a test runs.
func TestTheScriptsOfTheManualAreRun(t *testing.T) {
	text := page(t, "operations.md")
	run, err := txtar.ParseFile("../e2e/testdata/script/kafka-status.txtar")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range run.Files {
		if f.Name != "safe.hsl" && f.Name != "metrics.hsl" {
			continue
		}
		found++
		want := ""
		for line := range strings.Lines(strings.TrimSpace(string(f.Data)) + "\n") {
			if line != "\n" {
				line = "    " + line
			}
			want += line
		}
		if !strings.Contains(text, want) {
			t.Errorf("the manual has another %s than the test runs:\n%s", f.Name, want)
		}
	}
	if found != 2 {
		t.Errorf("%d scripts are run", found)
	}
}

// The example of an outage is a test, command for command.
func TestTheExampleOfAnOutageIsRun(t *testing.T) {
	_, example, found := strings.Cut(page(t, "operations.md"), "\n### An example\n")
	example, _, _ = strings.Cut(example, "\n## ")
	run, err := txtar.ParseFile("../e2e/testdata/script/outage.txtar")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	commands := 0
	for line := range strings.Lines(example) {
		if command := strings.TrimSpace(line); strings.HasPrefix(command, "halonctl ") {
			commands++
			if !strings.Contains(string(run.Comment), command+"\n") {
				t.Errorf("no test runs %s", command)
			}
		}
	}
	if commands < 5 {
		t.Errorf("the example has %d commands", commands)
	}
}

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

package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// source returns the text of all Go files that are no tests.
func source(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("../internal", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Who looks for a line of the log in the manual must find the words that the log has.
func TestTheManualQuotesTheLogAsItIs(t *testing.T) {
	text, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| line | level |")
	if !found {
		t.Fatal("the table of log lines is gone")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	code := source(t)
	lines := 0
	for _, row := range strings.Split(table, "\n")[2:] {
		quoted := strings.Split(row, "`")
		if len(quoted) < 3 {
			t.Errorf("no line is quoted: %s", row)
			continue
		}
		lines++
		for _, part := range strings.Split(quoted[1], "…") {
			if part = strings.TrimSpace(part); len(part) > 8 && !strings.Contains(code, part) {
				t.Errorf("the log has no %q", part)
			}
		}
	}
	if lines < 20 {
		t.Errorf("it has %d lines only", lines)
	}
}

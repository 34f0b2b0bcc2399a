package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
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

var (
	logged = regexp.MustCompile(`\.(?:Warn|Error|Info|LogAttrs|Log)\([^"\n]*"([^"\n]+)"`)
	client = regexp.MustCompile(`\.say\(logsink\.(?:Err|Warning|Notice|Info), "[A-Z]+",[^"]*(?:"(?:connected)?",[^"]*)?"([^"\n]+)"`)
	said   = regexp.MustCompile(`\bs\.say\("[a-z-]+", (?:"([^"\n]+)"|([a-zA-Z]+))`)
)

// Each line that a queue, its spool or a reload logs is in the table.
func TestTheManualHasEachLineOfTheLog(t *testing.T) {
	_, table, _ := strings.Cut(page(t, "operations.md"), "| line | level |")
	table, _, _ = strings.Cut(table, "\n\n")
	var known []string
	for _, row := range strings.Split(table, "\n")[2:] {
		for i, quoted := range strings.Split(strings.Split(row, "|")[1], "`") {
			if i%2 == 0 {
				continue
			}
			for _, part := range strings.Split(quoted, "…") {
				if part = strings.TrimSpace(part); len(part) > 8 {
					known = append(known, part)
				}
			}
		}
	}
	lines := 0
	for _, name := range tree(t) {
		if folder := path.Dir(name); folder != "internal/spool" && folder != "internal/producer" && folder != "internal/plugin" ||
			!strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range slices.Concat(logged.FindAllStringSubmatch(string(text), -1), said.FindAllStringSubmatch(string(text), -1), client.FindAllStringSubmatch(string(text), -1)) {
			line := m[1]
			if !strings.Contains(line, " ") {
				continue // a constant, or an attribute
			}
			lines++
			if !slices.ContainsFunc(known, func(part string) bool { return strings.Contains(line, part) }) {
				t.Errorf("%s logs %q, and the table has no row for it", name, line)
			}
		}
	}
	if lines < 40 {
		t.Errorf("only %d lines are found", lines)
	}
}

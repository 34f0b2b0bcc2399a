package parity

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// document is what people read about the differences.
const document = "../docs/compatibility.md"

// Between these lines the document is made from the table.
const (
	madeFrom = `<!-- Made from parity/differences.tsv by "go generate ./parity". Do not edit. -->`
	madeTo   = "<!-- Here the made part ends. -->"
)

// TestDocument holds the document against the table, and needs no librdkafka.
func TestDocument(t *testing.T) {
	rows, err := readDifferences(table)
	if err != nil {
		t.Fatal(err)
	}
	certs, err := readDifferences(certTable)
	if err != nil {
		t.Fatal(err)
	}
	rows = append(rows, certs...)
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(content), madeFrom+"\n")
	_, tail, ended := strings.Cut(rest, madeTo+"\n")
	if !found || !ended {
		t.Fatalf("%s lacks the lines\n%s\n%s", document, madeFrom, madeTo)
	}
	want := head + madeFrom + "\n" + describe(rows) + madeTo + "\n" + tail
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(content) != want {
		t.Errorf("%s is not what %s says: run go generate ./parity", document, table)
	}
}

// describe is the rows for people: those with one reason together, in the order of the table.
func describe(rows []difference) string {
	var reasons []string
	by := make(map[string][]difference)
	for _, d := range rows {
		if by[d.reason] == nil {
			reasons = append(reasons, d.reason)
		}
		by[d.reason] = append(by[d.reason], d)
	}
	var b strings.Builder
	for _, reason := range reasons {
		words := reason
		if rest, ok := strings.CutPrefix(reason, fault); ok {
			words = "Not as it should be: " + rest
		}
		fmt.Fprintf(&b, "\n%s.\n\n| when | what | librdkafka | here |\n|---|---|---|---|\n", strings.TrimSuffix(words, "."))
		for _, d := range by[reason] {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(d.scenario), cell(d.step), cell(d.librdkafka), cell(d.here))
		}
	}
	b.WriteString("\n")
	return b.String()
}

func cell(text string) string {
	if text == "" {
		return "nothing"
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\\", `\\`).Replace(text)
}

// marked finds a mark in a source file and the path of one in the document's table.
var (
	marked  = regexp.MustCompile(`(?m)^\s*(?://|/?\*).*\bCompat: `)
	pointer = regexp.MustCompile("(?m)\\| `([^`]+\\.(?:go|c|h))` \\|$")
)

// TestMarksAreDocumented holds that every place of the source that differs on purpose has its row, and that no row is left of a place
// that is gone.
func TestMarksAreDocumented(t *testing.T) {
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]int)
	for _, m := range pointer.FindAllStringSubmatch(string(content), -1) {
		rows[m[1]]++
	}
	marks := make(map[string]int)
	for _, root := range []string{"../internal", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.Contains(".go.c.h", filepath.Ext(path)) || filepath.Ext(path) == "" {
				return err
			}
			source, err := os.ReadFile(path)
			if n := len(marked.FindAll(source, -1)); n > 0 {
				marks[filepath.ToSlash(strings.TrimPrefix(path, "../"))] = n
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, n := range marks {
		if rows[path] != n {
			t.Errorf("%s marks %d differences with Compat:, and %s has %d rows for it", path, n, document, rows[path])
		}
		delete(rows, path)
	}
	for path := range rows {
		t.Errorf("%s has a row for %s, which marks nothing", document, path)
	}
}

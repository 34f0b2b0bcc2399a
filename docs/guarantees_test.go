// Package docs_test holds the documents against the project: what they name must be there.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName   = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]*)`")
	scriptName = regexp.MustCompile("`([a-z0-9-]+\\.txtar)`")
	testDef    = regexp.MustCompile(`(?m)^func (Test[A-Z][A-Za-z0-9]*)\(t \*testing\.T\)`)
)

// tests returns the names of all tests and scripts of the project.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(path, ".txtar"):
			found[filepath.Base(path)] = true
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range testDef.FindAllStringSubmatch(string(text), -1) {
				found[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTheGuaranteesNameTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	known := tests(t)
	named := 0
	for _, name := range []*regexp.Regexp{testName, scriptName} {
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			named++
			if !known[m[1]] {
				t.Errorf("there is no test %s", m[1])
			}
		}
	}
	if named < 30 {
		t.Errorf("it names %d tests only", named)
	}
}

// A row that nothing shows is a promise that nobody holds, except where all is lost.
func TestEachRowOfTheGuaranteesHasAProof(t *testing.T) {
	text, err := os.ReadFile("guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	proof := false
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		switch {
		case !strings.HasPrefix(line, "|"):
			proof = false
		case strings.HasSuffix(line, "| shown by |"):
			proof = true
		case proof && !strings.HasPrefix(line, "|---"):
			rows++
			if len(cells) != 3 && !strings.HasPrefix(cells[1], "all ") {
				t.Errorf("no test shows: %s", line)
			}
		}
	}
	if rows < 20 {
		t.Errorf("it has %d rows only", rows)
	}
}

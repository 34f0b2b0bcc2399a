package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// section returns the part of the design under a heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(page(t, "design.md"), "\n## "+heading)
	if !found {
		t.Fatalf("design.md has no %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

func TestTheFileMapHasEachPackage(t *testing.T) {
	files := section(t, "Packages")
	seen := map[string]bool{}
	for _, name := range tree(t) {
		folder := path.Dir(name)
		parts := strings.SplitN(folder, "/", 3)
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || folder == "." {
			continue
		}
		if parts[0] == "internal" || parts[0] == "cmd" {
			parts = parts[:2]
		} else {
			parts = parts[:1]
		}
		if at := strings.Join(parts, "/"); !seen[at] && !strings.Contains(files, "\n    "+at+"/") {
			t.Errorf("the file map has no %s", at)
		} else {
			seen[at] = true
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d packages are found", len(seen))
	}
}

func TestTheDesignNamesTestsThatExist(t *testing.T) {
	known := tests(t)
	named := testName.FindAllStringSubmatch(page(t, "design.md"), -1)
	for _, m := range named {
		if !known[m[1]] {
			t.Errorf("there is no test %s", m[1])
		}
	}
	if len(named) < 12 {
		t.Errorf("it names %d only", len(named))
	}
}

// What the table of owners names is in the code.
func TestTheOwnersAreThoseOfTheCode(t *testing.T) {
	var code strings.Builder
	for _, name := range tree(t) {
		if strings.HasPrefix(name, "internal/") && (strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".h")) && !strings.HasSuffix(name, "_test.go") {
			text, err := os.ReadFile(filepath.Join("..", name))
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	named := regexp.MustCompile("`(?:[a-zA-Z]+\\.)?([a-zA-Z_]+)`").FindAllStringSubmatch(section(t, "Who owns what"), -1)
	for _, m := range named {
		if !regexp.MustCompile(`(?m)^\s*(type |func (\([^)]*\) )?|(struct|void|bool) )?([a-zA-Z]+, )*` + m[1] + `\b`).MatchString(code.String()) {
			t.Errorf("the code has no %s", m[0])
		}
	}
	if len(named) < 40 {
		t.Errorf("it names %d only", len(named))
	}
}

// A comment or a page that sends its reader to a file of Go sends him to one that is there.
func TestEachFileThatIsNamedExists(t *testing.T) {
	paths := tree(t)
	known := map[string]bool{}
	for _, name := range paths {
		known[path.Base(name)] = true
	}
	file := regexp.MustCompile(`[a-zA-Z0-9_*]+\.go\b`)
	named := 0
	for _, name := range paths {
		switch filepath.Ext(name) {
		case ".go", ".c", ".h", ".md", ".mk":
		default:
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range file.FindAllString(string(text), -1) {
			if strings.HasPrefix(m, "_") || strings.Contains(m, "*") { // a suffix, or several
				continue
			}
			if named++; !known[m] {
				t.Errorf("%s names %s, and there is none", name, m)
			}
		}
	}
	if named < 100 {
		t.Errorf("only %d names are found", named)
	}
}

// A package that lists its files lists all of them.
func TestTheListsOfFilesAreWhole(t *testing.T) {
	for _, list := range []string{"internal/producer/producer.go", "internal/spool/doc.go"} {
		text, err := os.ReadFile(filepath.Join("..", list))
		if err != nil {
			t.Fatal(err)
		}
		comment, _, _ := strings.Cut(string(text), "\npackage ")
		for _, name := range tree(t) {
			base := path.Base(name)
			if path.Dir(name) != path.Dir(list) || name == list || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
				continue
			}
			if !regexp.MustCompile(`[\s:]` + regexp.QuoteMeta(base) + `\b`).MatchString(comment) {
				t.Errorf("%s does not list %s", list, base)
			}
		}
	}
}

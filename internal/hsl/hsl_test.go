package hsl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

// A case file holds many cases. A case is a line "# what it shows", a script, "== name" lines that
// begin further files, then lines "> " with what it echoes and at most one line "! " with the error
// that ends it.
type testCase struct {
	name   string
	line   int
	files  map[string]string
	output []string
	err    string
}

const mainFile = "t.hsl"

func readCases(t testing.TB, path string) []testCase {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []testCase
	var c *testCase
	file := mainFile
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		line := s.Text()
		switch {
		case strings.HasPrefix(line, "# "):
			cases = append(cases, testCase{name: line[2:], line: n, files: map[string]string{}})
			c, file = &cases[len(cases)-1], mainFile
		case c == nil:
			if line != "" {
				t.Fatalf("%s:%d: text before the first case", path, n)
			}
		case strings.HasPrefix(line, "== "):
			file = line[3:]
		case strings.HasPrefix(line, ">"):
			c.output = append(c.output, strings.TrimPrefix(line[1:], " "))
		case strings.HasPrefix(line, "! "):
			c.err = line[2:]
		case len(c.output) > 0 || c.err != "":
			if line != "" {
				t.Fatalf("%s:%d: text after the result of a case", path, n)
			}
		default:
			c.files[file] += line + "\n"
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func caseFiles(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	return paths
}

// testEnv echoes into out and has a plugin.
func testEnv(files map[string]string, out func(string)) *Env {
	return &Env{
		Modules: map[string]map[string]Native{"extras://test": {
			"give": func(_ context.Context, args []Value) (Value, error) { return NewArray(args...), nil },
			"fail": func(_ context.Context, args []Value) (Value, error) {
				msg, err := Text(NewArray(args...))
				if len(args) == 1 {
					msg, err = Text(args[0])
				}
				if err != nil {
					return nil, err
				}
				return nil, Throw(msg)
			},
			"broken": func(context.Context, []Value) (Value, error) {
				return nil, errors.New("the plugin is gone")
			},
			"nothing": func(context.Context, []Value) (Value, error) { return nil, nil },
		}},
		ReadFile: func(path string) ([]byte, error) {
			if src, ok := files[path]; ok {
				return []byte(src), nil
			}
			return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
		},
		Echo:   out,
		Log:    func(priority int, message string) { out(fmt.Sprintf("log %d: %s", priority, message)) },
		Limits: Limits{Steps: 20_000, Bytes: 1 << 20},
	}
}

// run runs the files in a time of their own, which begins with the year 2000.
func run(t *testing.T, files map[string]string) (output []string, err error) {
	synctest.Test(t, func(t *testing.T) { output, err = runNow(t, files) })
	return output, err
}

func runNow(t *testing.T, files map[string]string) (output []string, err error) {
	env := testEnv(files, func(s string) { output = append(output, strings.Split(s, "\n")...) })
	p, err := Parse(mainFile, []byte(files[mainFile]), env)
	if err != nil {
		return nil, err
	}
	return output, p.Run(t.Context(), env)
}

func TestCases(t *testing.T) {
	for _, path := range caseFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			for _, c := range readCases(t, path) {
				output, err := run(t, c.files)
				got, want := strings.Join(output, "\n"), strings.Join(c.output, "\n")
				if got != want {
					t.Errorf("%s:%d: %s: echoed\n%s\nwant\n%s", path, c.line, c.name, got, want)
				}
				msg := ""
				if err != nil {
					msg = err.Error()
				}
				if msg != c.err {
					t.Errorf("%s:%d: %s: ended with\n%s\nwant\n%s", path, c.line, c.name, msg, c.err)
				}
			}
		})
	}
}

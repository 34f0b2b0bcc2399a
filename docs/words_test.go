package docs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the project does not say, and what it says instead; "Words" of design.md has the list for names. Each is one of a kind: a
// sentence of that kind is to be written plainly, too.
var unused = []struct{ pattern, instead string }{
	{`\bfor good\b`, "permanently"},
	{`\b(end(s|ed)?|stop(s|ped)?|did not end|end) in order\b`, "shut down normally; unclean shutdown"},
	{`\b(message|record|messages|records) comes? twice\b`, "is delivered twice"},
	{`\bg[eo]ts? on\b`, "makes progress"},
	{`\bat work\b`, "active"},
	{`\bin words\b`, "explicitly; in a sentence"},
	{`\banew\b`, "again; recreated"},
	{`\bnobody (was told|chose)\b`, "never acknowledged; not consistent"},
	{`\b(was|is|are|were) told\b`, "gets an error that says; is called with"},
	{`\bmidst\b`, "middle"},
	{`\bdone with\b`, "acknowledged"},
	{`\bbrought back\b`, "recovered"},
	{`\btells? more\b`, "see --help"},
	{`\bnuisance\b`, "harmless"},
	{`\bmend(s|ed|ing)?\b`, "fix"},
	{`\bwhich else\b`, "which otherwise"},
	{`\bport is meant\b`, "wrong port or protocol"},
	{`\bspeaks no\b`, "is not a TLS listener"},
	{`\bexpects no login\b`, "does not use SASL"},
	{`\bposition is lost\b`, "the checkpoint is unreadable"},
	{`\bwatchman\b`, "sysmon"},
	{`\blos(t|es) its processor\b`, "is preempted"},
	{`\bnot honou?red\b`, "ignored"},
	{`\bnever in the way\b`, "does not block"},
	{`\bhold(s|ing)? up\b|\bheld up\b`, "delays"},
	{`\b(has|have|with|without|give|gives|giving|takes) leave\b|\bleave (of|for|to) (a|the|so)\b`, "grant"},
	{`\blanes?\b`, "topic queue, partition queue"},
	{`\bslabs?\b|\bslab[A-Z]|\bbatch ?buffer`, "record buffer"},
	{`\bscouts?\b`, "metadata probe"},
	{`\bmourn`, "log what was lost"},
	{`\bbur(y|ied|ies)\b`, "write a dead letter"},
	{`\bsoiled\b`, "dirty"},
	{`\bdoomed\b`, "deletable"},
	{`\breclaim`, "requeue"},
	{`\bdrawIn\b`, "take the intake"},
	{`\bturnLanes\b|\bintake_(turn|wait)\b`, "spill topics; rotate; set_has_waiters"},
	{`\b(un)?settle[ds]?\b|\bsettle[A-Z]|\bsettling\b`, "released"},
	{`\b(lest|hitherto|whence|thereof|whither)\b`, "a word of today"},
}

// Where a word has another meaning, or is another's: path and line, as regular expressions.
var quoted = []struct{ path, line, why string }{
	{`docs/words_test\.go`, ``, "this list"},
	{`docs/design\.md`, `^\|.*\|`, "its table of words"},
}

// The whole tree says one thing in one way: Go, C, scripts, tests and documents.
func TestTheTreeUsesTheWordsOfTheDesign(t *testing.T) {
	allowed := make([][2]*regexp.Regexp, len(quoted))
	for i, q := range quoted {
		allowed[i] = [2]*regexp.Regexp{regexp.MustCompile("^(" + q.path + ")$"), regexp.MustCompile(q.line)}
	}
	patterns := make([]*regexp.Regexp, len(unused))
	all := make([]string, len(unused))
	for i, u := range unused {
		patterns[i], all[i] = regexp.MustCompile(u.pattern), u.pattern
	}
	some := regexp.MustCompile(strings.Join(all, "|")) // most lines have none, and one look is enough
	paths := tree(t)
	if len(paths) < 500 {
		t.Fatalf("only %d files are found", len(paths))
	}
	for _, path := range paths {
		text, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue
		}
		for number, line := range strings.Split(string(text), "\n") {
			if !some.MatchString(line) {
				continue
			}
			for i, p := range patterns {
				if found := p.FindString(line); found != "" && !excepted(allowed, path, line) {
					t.Errorf("%s:%d: %q: say %s\n\t%.160s", path, number+1, found, unused[i].instead, strings.TrimSpace(line))
				}
			}
		}
	}
}

func excepted(allowed [][2]*regexp.Regexp, path, line string) bool {
	for _, a := range allowed {
		if a[0].MatchString(path) && a[1].MatchString(line) {
			return true
		}
	}
	return false
}

// tree lists the files of the project: those that git knows, or, without git, all but what is built.
func tree(t *testing.T) []string {
	t.Helper()
	command := exec.Command("git", "ls-files", "-co", "--exclude-standard")
	command.Dir = ".."
	if out, err := command.Output(); err == nil {
		var paths []string
		for path := range strings.Lines(string(out)) {
			path = strings.TrimSuffix(path, "\n")
			if info, err := os.Stat(filepath.Join("..", path)); err == nil && info.Mode().IsRegular() && !made.MatchString(path) {
				paths = append(paths, path)
			}
		}
		return paths
	}
	var paths []string
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path, _ = filepath.Rel("..", path)
		if d.IsDir() && (path == "build" || path == ".git") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() && !made.MatchString(path) {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// made are files that no one has written.
var made = regexp.MustCompile(`\.(sum|svg|png|pgo|pem|key|crt)$`)

package docs_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/docs/blocks"
	"github.com/halon-extras/kafka/internal/operator"
)

// read returns all blocks and commands of all pages.
func read(t *testing.T) (all []blocks.Block, commands []blocks.Command) {
	t.Helper()
	pages, err := blocks.Pages("..")
	if err != nil || len(pages) < 15 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		b, c, err := blocks.Read("..", page)
		if err != nil {
			t.Fatal(err)
		}
		all, commands = append(all, b...), append(commands, c...)
	}
	return all, commands
}

// Each configuration starts, and nothing is amiss with it.
func TestEachConfigurationOfThePagesPassesCheck(t *testing.T) {
	folder := keyPair(t)
	all, _ := read(t)
	found := map[string]int{}
	for _, b := range all {
		if b.Kind != blocks.YAML {
			continue
		}
		found[b.Page]++
		flag := "-c"
		if strings.HasPrefix(b.Text, "monitor:") {
			// It is another part of smtpd-app.yaml, and declares what the script beside it sets.
			flag = "-A"
			for _, name := range regexp.MustCompile(`(?m)^  - name: (\w+)$`).FindAllStringSubmatch(b.Text, -1) {
				if !strings.Contains(page(t, "../e2e/testdata/script/kafka-status.txtar"), `metrics_set("`+name[1]+`", `) {
					t.Errorf("%s:%d: no script sets %s", b.Page, b.Line, name[1])
				}
			}
			b.Text += "plugins: [{id: kafka, config: {queues: [{id: kafka1, config: {bootstrap.servers: kafka}}]}}]\n"
		}
		text := strings.NewReplacer("/etc/halon/kafka", folder, "/var/spool/halon", folder, ":PORT", ":9092").Replace(b.Text)
		var out, diagnostics bytes.Buffer
		status := operator.Run(context.Background(), []string{"check", "--strict", flag, "-"},
			operator.Terminal{In: strings.NewReader(text), Out: &out, Err: &diagnostics})
		if status != 0 {
			t.Errorf("%s:%d: check ends with %d:\n%s%s\n%s", b.Page, b.Line, status, out.String(), diagnostics.String(), text)
		}
	}
	for page, least := range map[string]int{"README.md": 1, "docs/recipes.md": 7, "docs/operations.md": 4} {
		if found[page] < least {
			t.Errorf("%s has %d configurations", page, found[page])
		}
	}
}

// samples are the blocks that nothing runs, by page and first line, with the reason.
var samples = map[string]string{
	"README.md: []": "e2e/testdata/script/readme.txtar compares it",
	"docs/design.md: README.md  CHANGELOG.md  CONTRIBUTING.md  SECURITY.md  LICENSE  Makefile":          "a list of files",
	"docs/design.md: script  kafka_producer(id, topic, value, key, headers, partition, block)":          "a drawing",
	"docs/design.md: producer/keep.go            durable: into the spool":                               "a drawing",
	"docs/design.md: Plugin.stop -> Plugin.mu":                                                          "a drawing",
	"docs/design.md: cmd/kafka -> abi -> plugin -> { binding, admin, producer }":                        "a drawing",
	"docs/fields.md: in = delivered + failed + dropped + expired + dead + queued + on_disk":             "a formula",
	"docs/fields.md: kafka1: degraded since":                                                            "what a command prints in an outage; its times and numbers are made up",
	"docs/fields.md: queue kafka1: rdkafka#producer-1":                                                  "what a command prints; its times and numbers are made up",
	"docs/operations.md: messages a second * (bytes of a message + 60) * seconds without Kafka":         "a formula",
	"docs/operations.md: accepted_messages_total = delivered_messages_total":                            "a formula",
	"docs/operations.md: minutes left = (max_bytes - bytes)":                                            "a formula",
	"docs/operations.md: kafka1: degraded since":                                                        "outage.txtar compares what is printed, but for the numbers",
	"docs/operations.md: kafka: CONNECT(5): ":                                                           "outage.txtar compares the line, but for the numbers",
	"docs/operations.md: spool /var/spool/halon/kafka/kafka1: it is in use by process":                  "an error, as an example of all",
	"docs/spool-format.md: 0000000012-00000000000000001234.seg":                                         "a drawing",
	"docs/spool-format.md: 0        1        2":                                                         "a drawing",
	"docs/spool-format.md: 0000000012.plans":                                                            "a drawing",
	"docs/spool-format.md: 0  length n of the reason":                                                   "a drawing",
	"docs/spool-format.md: +---------+-------+-----------+-----------+-------+-----+-------+---------+": "a drawing",
	"bench/README.md: CELLS=topics,threads":                                                             "variables of make",
	"bench/README.md: {\"machine\":":                                                                    "what a command writes",
}

func TestABlockThatNothingRunsHasAReason(t *testing.T) {
	all, _ := read(t)
	used := map[string]bool{}
	for _, b := range all {
		if b.Kind != blocks.Sample {
			continue
		}
		known := false
		for begin := range samples {
			if strings.HasPrefix(b.Page+": "+strings.TrimSpace(b.Text), begin) {
				known, used[begin] = true, true
			}
		}
		if !known {
			t.Errorf("%s:%d: nothing runs this block: let it be yaml, hsl or commands, or give the reason in samples\n%s", b.Page, b.Line, b.Text)
		}
	}
	for begin := range samples {
		if !used[begin] {
			t.Errorf("there is no block %q", begin)
		}
	}
}

// Each make has its target, and each variable that is given to it is one that it knows; each go command finds what it names.
func TestEachCommandOfTheProjectDoesSomething(t *testing.T) {
	makefiles := ""
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && (filepath.Ext(path) == ".mk" || filepath.Base(path) == "Makefile") {
			var text []byte
			text, err = os.ReadFile(path)
			makefiles += string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	uses := func(variable string) bool {
		if strings.Contains(makefiles, "$("+variable+")") || regexp.MustCompile(`(?m)^(export )?`+variable+` *[?:]?=|\$\(or \$\(`+variable+`\)`).MatchString(makefiles) {
			return true
		}
		for _, name := range []string{"../packaging/build", "../bench/run/main.go", "../bench/run/cells.go"} {
			if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), variable) {
				return true
			}
		}
		return false
	}
	_, commands := read(t)
	made, gone := 0, 0
	for _, c := range commands {
		words := strings.Fields(c.Text)
		var given []string
		for len(words) > 0 && strings.Contains(words[0], "=") {
			given, words = append(given, words[0]), words[1:]
		}
		switch words[0] {
		case "make":
			made++
			for _, word := range words[1:] {
				if strings.Contains(word, "=") {
					given = append(given, word)
				} else if !regexp.MustCompile(`(?m)^(\.PHONY:.*[ :])?` + regexp.QuoteMeta(word) + `( [a-z -]*)?:`).MatchString(makefiles) {
					t.Errorf("%s:%d: %s: there is no target %s", c.Page, c.Line, c.Text, word)
				}
			}
			for _, word := range given {
				if variable, _, _ := strings.Cut(word, "="); !uses(variable) {
					t.Errorf("%s:%d: %s: nothing reads %s", c.Page, c.Line, c.Text, variable)
				}
			}
		case "go":
			gone++
			goes(t, c)
		}
	}
	if made < 20 || gone < 3 {
		t.Errorf("%d and %d commands are found", made, gone)
	}
}

// goes runs a go command as far as shows that it does something.
func goes(t *testing.T, c blocks.Command) {
	t.Helper()
	words := strings.Fields(c.Text)
	fail := func(why string) { t.Errorf("%s:%d: %s: %s", c.Page, c.Line, c.Text, why) }
	switch words[1] {
	case "test":
		if len(words) == 2 {
			return // named in a sentence
		}
		run, place := "", ""
		for i, word := range words {
			switch {
			case word == "-run":
				run, _, _ = strings.Cut(words[i+1], "/")
			case strings.HasPrefix(word, "./"):
				place = word
			}
		}
		if run == "NAME" {
			return // guarantees_test.go runs through what the page puts there
		}
		found := false
		files, err := filepath.Glob(filepath.Join("..", place, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			found = found || regexp.MustCompile(`(?m)^func Test\w*`).MatchString(page(t, name)) && regexp.MustCompile(`(?m)^func (Test)?\w*`+run).MatchString(page(t, name))
		}
		if !found {
			fail("there is no such test")
		}
		if _, name, ok := strings.Cut(c.Text, "TestScripts/"); ok {
			name, _, _ = strings.Cut(name, " ")
			if _, err := os.Stat("../e2e/testdata/script/" + name + ".txtar"); err != nil {
				fail(err.Error())
			}
		}
	case "generate":
		out, err := exec.Command("grep", "-rl", "//go:generate", filepath.Join("..", words[2])).Output()
		if err != nil || len(out) == 0 {
			fail("there is nothing to generate")
		}
	case "run":
		if files, err := filepath.Glob(filepath.Join("..", words[2], "*.go")); err != nil || len(files) == 0 {
			fail("there is no such program")
		}
	default:
		fail("nothing runs it")
	}
}

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/halon-extras/kafka/docs/blocks"
)

// notRun are the commands of the pages that this test does not run, by how they begin, with the reason.
var notRun = map[string]string{
	"make ":                  "docs/blocks_test.go finds their targets",
	"go ":                    "docs/blocks_test.go finds what they name",
	"apt-get ":               "packaging/life_test.go installs, upgrades, rolls back and removes in clean roots",
	"dnf ":                   "the same",
	"systemctl restart ":     "there is no systemd in a test; restart-in-between.txtar restarts the host",
	"install -o halon ":      "it is of the system, and needs a user of that name",
	"halonctl config reload": "reload.txtar does it with hslrun --reload",
	"halon-kafka top":        "top.txtar runs it in a terminal, by halonctl and by the metrics",
}

// named are commands that a page only names, without what they need. Their help shows that they exist.
var named = []string{"halon-kafka check", "halon-kafka check --connect", "halon-kafka spool status", "halon-kafka spool check"}

// places puts files of the test where a page has others, or a word for any.
var places = strings.NewReplacer("/opt/halon/bin/", "", "build/hslrun", "hslrun", "/etc/halon/smtpd.yaml", "smtpd.yaml", "/etc/halon/smtpd-app.yaml", "app.yaml",
	"/var/spool/halon/kafka/kafka1", "spool/kafka1", "DIR", "spool/kafka1", ">FILE", ">exported", "NAME", "linger.ms")

// option is one that may be left out.
var option = regexp.MustCompile(` \[(--[a-z]+)\]`)

// commandLines returns the lines of a page's command: with its options, and without.
func commandLines(text string) []string {
	if slices.Contains(named, text) {
		text += " --help"
	}
	text = places.Replace(text)
	lines := []string{option.ReplaceAllString(text, "")}
	if option.MatchString(text) {
		lines = append(lines, option.ReplaceAllString(text, " $1"))
	}
	return lines
}

// ofTheTable are the commands of the running plugin, with an argument for each that they take.
func ofTheTable(t *testing.T) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n| command | |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	arguments := strings.NewReplacer("<id>", "kafka1", "[id]", "kafka1", "[--all]", "--all", "[topic]", "mail", "[seconds]", "5", "[number]", "5", "[level]", "info", "[command]", "status")
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			lines = append(lines, "halonctl plugin command kafka "+arguments.Replace(m[1]))
		}
	}
	if len(lines) < 20 {
		t.Fatalf("the table has %d commands", len(lines))
	}
	return lines
}

// TestTheManual runs what README and the pages of docs tell an operator to run: each script in the stand-in host, the commands of
// halonctl against a plugin that runs, and those of halon-kafka on its configuration and its spool.
func TestTheManual(t *testing.T) {
	if under.broker == apache {
		t.Skip("the commands are the same")
	}
	pages, err := blocks.Pages("..")
	if err != nil {
		t.Fatal(err)
	}
	var running, stopped, scripts, files []string
	used := map[string]bool{}
	for _, page := range pages {
		all, commands, err := blocks.Read("..", page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			if b.Kind == blocks.HSL {
				name := fmt.Sprintf("script%d.hsl", len(scripts))
				text := b.Text
				if !strings.Contains(text, "import ") {
					text = "import { kafka_producer } from \"extras://kafka\";\n$text = \"text\";\n" + text
				}
				files = append(files, fmt.Sprintf("-- %s --\n%s", name, text))
				scripts = append(scripts, fmt.Sprintf("# %s:%d\nexec hslrun -c smtpd.yaml -p kafka --broker $BROKER %s", b.Page, b.Line, name))
			}
		}
		for _, c := range commands {
			if reasoned(c.Text, used) {
				continue
			}
			lines := commandLines(c.Text)
			if c.Text == "halonctl plugin command kafka COMMAND" {
				lines = ofTheTable(t)
			}
			for _, line := range lines {
				line = fmt.Sprintf("# %s:%d\nexec sh -c '%s'", c.Page, c.Line, line)
				if strings.HasPrefix(c.Text, "halonctl ") {
					running = append(running, line)
				} else {
					stopped = append(stopped, line)
				}
			}
		}
	}
	for begin := range notRun {
		if !used[begin] {
			t.Errorf("no page has a command %q", begin)
		}
	}
	if len(running) < 30 || len(stopped) < 20 || len(scripts) < 5 {
		t.Errorf("there are %d commands of halonctl, %d others and %d scripts", len(running), len(stopped), len(scripts))
	}
	dir := t.TempDir()
	text := "kafka start topic=mail\nexec sh -c 'sed -i \"s/kafka:9092/$BROKER/; s#SPOOL#$WORK/spool#\" smtpd.yaml app.yaml'\nexec mkdir spool\n" +
		theBegin + strings.Join(scripts, "\n") + "\n" + theHost + strings.Join(running, "\n") + "\n" + theEnd + strings.Join(stopped, "\n") + "\n" +
		theFiles + strings.Join(files, "")
	if err := os.WriteFile(filepath.Join(dir, "manual.txtar"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, params(dir))
}

// reasoned says whether there is a reason not to run a command, and notes it in used.
func reasoned(text string, used map[string]bool) bool {
	for begin := range notRun {
		if begins(text, begin) {
			used[begin] = true
			return true
		}
	}
	return false
}

// begins says whether a command, without the variables before it, begins so.
func begins(text, begin string) bool {
	for {
		word, rest, ok := strings.Cut(text, " ")
		if !ok || !strings.Contains(word, "=") {
			return strings.HasPrefix(text+" ", begin)
		}
		text = rest
	}
}

// The script around the commands: a spool with a dead letter, and a host that sends.
const (
	theBegin = "exec hslrun -c smtpd.yaml -p kafka --broker $BROKER refused.hsl\n"
	theHost  = `! exec sh -c 'exec hslrun -c smtpd.yaml -A app.yaml -p kafka --broker $BROKER --control control load.hsl 2>log' &host&
within 20 '^kafka1' halonctl plugin command kafka list
within 20 '^kafka1: ok since' halonctl plugin command kafka status kafka1
`
	theEnd = `kill -INT host
wait host
`
	theFiles = `
-- smtpd.yaml --
plugins:
- id: kafka
  config:
    queues:
    - id: kafka1
      config:
        bootstrap.servers: kafka:9092
        allow.auto.create.topics: false
        topic.metadata.propagation.max.ms: 1000
      spool:
        path: SPOOL/kafka1
-- app.yaml --
plugins:
- id: kafka
  config:
    queues:
    - id: audit
      config:
        bootstrap.servers: kafka:9092
      spool:
        path: SPOOL/audit
-- refused.hsl --
import { kafka_deliver } from "extras://kafka";
echo kafka_deliver("kafka1", "nosuch", "refused");
-- load.hsl --
import { kafka_producer } from "extras://kafka";
forever {
    kafka_producer("kafka1", "mail", "message");
    sleep(0.05);
}
`
)

package conf

import (
	"flag"
	"os"
	"strings"
	"testing"
)

//go:generate go test -run TestManualIsCurrent -update

var update = flag.Bool("update", false, "write docs/configuration.md")

func TestManualIsCurrent(t *testing.T) {
	const path = "../../docs/configuration.md"
	want := Manual()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the table says: run go generate ./internal/conf", path)
	}
}

// TestFewAreNotHonoured holds the promise that is made to who moves from librdkafka.
func TestFewAreNotHonoured(t *testing.T) {
	const most = 7
	var not []string
	for _, p := range Properties() {
		if p.ofProducer() && (p.How == NotHonoured || p.How == Refused && p.Unsupported == "") {
			not = append(not, p.Name)
		}
	}
	if len(not) > most {
		t.Errorf("%d properties are ignored, at most %d may be: %q", len(not), most, not)
	}
}

// TestTable checks what the rows promise each other.
func TestTable(t *testing.T) {
	if got := len(Properties()); got != 209 {
		t.Errorf("the table has %d rows, librdkafka 209", got)
	}
	for i, p := range Properties() {
		if p.Kind == Alias {
			if target := find(p.Scope, p.Alias); target < 0 || properties[target].Kind == Alias {
				t.Errorf("%s: the alias leads nowhere", p.Name)
			}
			continue
		}
		if p.Doc == "" || !strings.HasSuffix(p.Doc, ".") || strings.Contains(p.Doc, "\n") {
			t.Errorf("%s: the manual needs one sentence, not %q", p.Name, p.Doc)
		}
		if p.Why == "" && (p.How == NotHonoured || p.How == Refused || p.How == NothingToDo) {
			t.Errorf("%s: %s without a reason", p.Name, p.How)
		}
		if (p.Deprecated || p.Experimental) && p.Notice == "" && p.Kind != Pointer {
			t.Errorf("%s: librdkafka warns about it, with which words?", p.Name)
		}
		if p.Default == "" || p.Unsupported != "" {
			continue
		}
		// A default that Set would not take would be a row with a slip in it.
		c := New()
		if p.Name != "builtin.features" {
			if err := c.set(i, p.Default); err != nil {
				t.Errorf("%s: its default: %v", p.Name, err)
			}
			if got, _ := c.print(i); got != p.Default {
				t.Errorf("%s: its default %q prints as %q", p.Name, p.Default, got)
			}
		}
	}
}

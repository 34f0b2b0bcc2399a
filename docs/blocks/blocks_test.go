package blocks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	root := t.TempDir()
	text := strings.ReplaceAll(`# Title

Run 'halon-kafka check -c FILE', not 'halon-kafka' alone.

    make run          # or: make test
    halonctl config reload   an explanation

'''yaml
plugins: []
'''

1. A step:

       $r = 1;

       $s = 2;

   and on.
    not a block, as it follows a line

'''text
what is printed
'''

    a drawing
`, "'", "`")
	if err := os.WriteFile(filepath.Join(root, "page.md"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	blocks, commands, err := Read(root, "page.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range blocks {
		got = append(got, fmt.Sprintf("%d %s %q", b.Line, b.Kind, b.Text))
	}
	for _, c := range commands {
		got = append(got, fmt.Sprintf("%d %s", c.Line, c.Text))
	}
	want := []string{
		`5 shell "make run          # or: make test\nhalonctl config reload   an explanation\n"`, `9 yaml "plugins: []\n"`,
		`14 hsl "$r = 1;\n\n$s = 2;\n"`, `22 sample "what is printed\n"`, `25 sample "a drawing\n"`,
		"3 halon-kafka check -c FILE", "5 make run", "5 make test", "6 halonctl config reload",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

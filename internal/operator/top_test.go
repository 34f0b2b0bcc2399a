package operator

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
)

func TestTopNeedsATerminal(t *testing.T) {
	controller, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer controller.Close()
	defer terminal.Close()
	for _, tt := range []struct {
		sentence, name string
		stdin, stdout  any
		want           string
	}{
		{"no terminal for output", "xterm", terminal, new(bytes.Buffer), "it needs a terminal as its input and output: use \"halonctl plugin command kafka status\""},
		{"no terminal for input", "xterm", new(bytes.Buffer), terminal, "it needs a terminal as its input and output"},
		{"a terminal without a name", "", terminal, terminal, `the terminal cannot place text, by its name TERM=""`},
		{"a dumb terminal", "dumb", terminal, terminal, `the terminal cannot place text, by its name TERM="dumb"`},
		{"a terminal that nobody knows", "no-such-terminal", terminal, terminal, `the terminal TERM="no-such-terminal" is not known here`},
	} {
		t.Setenv("TERM", tt.name)
		var diagnostics bytes.Buffer
		io := Terminal{Err: &diagnostics}
		switch in := tt.stdin.(type) {
		case *os.File:
			io.In = in
		case *bytes.Buffer:
			io.In = in
		}
		switch out := tt.stdout.(type) {
		case *os.File:
			io.Out = out
		case *bytes.Buffer:
			io.Out = out
		}
		status := Run(context.Background(), []string{"top"}, io)
		said := diagnostics.String()
		if status != exitUsage || !strings.HasPrefix(said, "halon-kafka top: "+tt.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: status %d, %q, want %q", tt.sentence, status, said, tt.want)
		}
	}
}

func TestTopArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"kafka1"}, `it takes no argument, and "kafka1" was given`},
		{[]string{"--listen", "9184", "--halonctl", "x"}, "--listen and --halonctl are two ways to ask: give one"},
		{[]string{"--every", "0s"}, "--every 0s is not between 100ms and 1h0m0s"},
		{[]string{"--every", "2"}, `invalid value "2" for flag -every`},
		{[]string{"--listen", "a:b:c"}, `--listen: "a:b:c" is no address such as 127.0.0.1:9184`},
		{[]string{"--nosuch"}, "there is no flag --nosuch"},
	} {
		var diagnostics bytes.Buffer
		status := Run(context.Background(), append([]string{"top"}, tt.args...), Terminal{Out: &diagnostics, Err: &diagnostics})
		if status != exitUsage || !strings.Contains(diagnostics.String(), tt.want) {
			t.Errorf("%v: status %d, %q, want %q", tt.args, status, diagnostics.String(), tt.want)
		}
	}
}

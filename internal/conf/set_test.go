package conf

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// readCases returns the rows of a table in testdata, without its head.
func readCases(t *testing.T, file string) [][]string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n")[1:] {
		row := strings.Split(line, "\t")
		for len(row) < 12 {
			row = append(row, "")
		}
		rows = append(rows, row)
	}
	return rows
}

// unescape undoes the C escapes of the tables.
func unescape(t *testing.T, s string) string {
	t.Helper()
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			out.WriteByte('\n')
		case 't':
			out.WriteByte('\t')
		case 'r':
			out.WriteByte('\r')
		case 'v':
			out.WriteByte('\v')
		case 'f':
			out.WriteByte('\f')
		case '\\', '"', '\'':
			out.WriteByte(s[i])
		case 'x':
			out.WriteByte(byte(digit(s[i+1])<<4 | digit(s[i+2])))
			i += 2
		default:
			t.Fatalf("unknown escape in %q", s)
		}
	}
	return out.String()
}

// TestSet replays what librdkafka 2.15.0 said to one property after the other.
func TestSet(t *testing.T) {
	rows := readCases(t, "set.tsv")
	if len(rows) < 819 {
		t.Fatalf("testdata has %d cases, want at least 819", len(rows))
	}
	for _, row := range rows {
		name, text := unescape(t, row[0]), unescape(t, row[1])
		c := New()
		verdict, words := "OK", ""
		if err := c.Set(name, text); err != nil {
			var e *SetError
			if !errors.As(err, &e) {
				t.Fatalf("Set(%q, %q) returned a %T", name, text, err)
			}
			verdict, words = string(e.Verdict), e.Text
		}
		if verdict != row[2] || words != unescape(t, row[3]) {
			t.Errorf("Set(%q, %q): %s %q, want %s %q", name, text, verdict, words, row[2], unescape(t, row[3]))
			continue
		}
		if verdict != "OK" {
			continue
		}
		got, ok := c.Get(name)
		if !ok {
			got = "<unset>"
		}
		if want := unescape(t, row[4]); got != want {
			t.Errorf("after Set(%q, %q): Get is %q, want %q", name, text, got, want)
		}
	}
}

func settingsFor(t *testing.T, properties ...string) *Settings {
	t.Helper()
	c := New()
	for i := 0; i < len(properties); i += 2 {
		if err := c.Set(properties[i], properties[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	s, _, err := c.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

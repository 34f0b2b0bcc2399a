package conf

import (
	"os"
	"strings"
	"testing"
)

func TestBlacklist(t *testing.T) {
	for _, c := range []struct {
		list, topic string
		want        bool
	}{
		{"", "t", false},
		{"x,y", "aya", true},
		{"x,y", "a", false},
		{"x,", "a", false},
		{"x,,y", "anything", true}, // the item between the commas is empty
		{"^foo$", "foo", true},
		{"^foo$", "foobar", false},
		{"oo", "foobar", true},
		{"^a|b$", "xb", true},
		{"^(a|b)$", "xb", false},
		{"^a{2}$", "aa", true},
		{"^a{2}$", "aaa", false},
		{"^(ab)+$", "ababab", true},
		{"^(a*)*$", "aaaa", true},
		{"[[:digit:]]+", "no", false},
		{"[[:digit:]]+", "no1", true},
		{"^[^a-c]$", "d", true},
		{"^[^a-c]$", "b", false},
		{"^[a-]$", "-", true},
		{"mail[.]log", "mail.log", true},
		{"mail[.]log", "mail-log", false},
		{`a\.b`, "axb", false},
		{"^.$", "x", true},
		{"a|", "b", true},
		{"Mail", "mail", false},
	} {
		if got := settingsFor(t, "topic.blacklist", c.list).Blacklisted(c.topic); got != c.want {
			t.Errorf("%q on %q: %v, want %v", c.list, c.topic, got, c.want)
		}
	}
}

// The words are glibc's, taken from its regcomp and regerror.
func TestPatternsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"[": "Invalid regular expression", "^[": "Invalid regular expression", "a[^": "Invalid regular expression",
		"[a": "Unmatched [, [^, [:, [., or [=", "[]": "Unmatched [, [^, [:, [., or [=", "[[": "Unmatched [, [^, [:, [., or [=", "[[:a": "Unmatched [, [^, [:, [., or [=",
		"(": `Unmatched ( or \(`, "^((a)": `Unmatched ( or \(`,
		"*a": "Invalid preceding regular expression", "(+a)": "Invalid preceding regular expression", "{1}": "Invalid preceding regular expression",
		"a{": `Unmatched \{`, "a{1": `Unmatched \{`, "a{x}": `Invalid content of \{\}`, "a{}": `Invalid content of \{\}`,
		"a{32768}": "Regular expression too big",
		`a\`:       "Trailing backslash",
		"[b-a]":    "Invalid range end",
		"[[:no:]]": "Invalid character class name",
	} {
		if _, got := compilePattern(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestPatternsThatDiffer has an example of each difference from the C library that docs/compatibility.md lists.
func TestPatternsThatDiffer(t *testing.T) {
	page, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		row, text string
		refused   bool // here; the C library does the opposite
	}{
		{"an escape that GNU has added, or of a letter or digit", `\w`, true},
		{"an escape that GNU has added, or of a letter or digit", `\<mail\>`, true},
		{"an escape that GNU has added, or of a letter or digit", "\\`a", true},
		{"an escape that GNU has added, or of a letter or digit", `(a)\1`, true},
		{"an escape that GNU has added, or of a letter or digit", `\y`, true},
		{"a name or a class of a character in brackets", "[[.-.]]", true},
		{"a name or a class of a character in brackets", "[a[=b=]]", true},
		{"a backslash at the end of brackets", `[\]`, true},
		{"a closing parenthesis alone", "a)b", true},
		{"a repeated anchor", "^*a", false},
		{"a count above 1000", "a{1001}", true},
		{"bytes that are not UTF-8", "a\xff", true},
	} {
		if _, reason := compilePattern(c.text); (reason != "") != c.refused {
			t.Errorf("%q: %q", c.text, reason)
		}
		if !strings.Contains(string(page), "| `topic.blacklist`: "+c.row) {
			t.Errorf("docs/compatibility.md has no row for %q", c.row)
		}
	}
}

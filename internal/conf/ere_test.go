package conf

import "testing"

func TestPatternsMatch(t *testing.T) {
	for _, c := range []struct {
		text, topic string
		want        bool
	}{
		{"^foo$", "foo", true},
		{"^foo$", "foobar", false},
		{"oo", "foobar", true},
		{"^a|b$", "xb", true},
		{"^(a|b)$", "xb", false},
		{"a{2,3}", "xaax", true},
		{"^a{2,3}$", "aaaa", false},
		{"^a{,2}$", "", true},
		{"^a{32767}$", "aaa", false},
		{"^a{0,32767}b$", "aaab", true},
		{"^(ab)+$", "ababab", true},
		{"^(a*)*$", "aaaa", true},
		{"^(a*)+b$", "aaaac", false},
		{"[[:digit:]]+", "no", false},
		{"[[:digit:]]+", "no1", true},
		{"^[^a-c]$", "d", true},
		{"^[^a-c]$", "b", false},
		{"^[]a]$", "]", true},
		{"^[a-]$", "-", true},
		{"^[[.-.]a]$", "-", true},
		{"^[[=b=]]$", "b", true},
		{`\<mail\>`, "my mail", true},
		{`\<mail\>`, "mailing", false},
		{`\bx\B`, "xy", true},
		{`^\w+\s\W$`, "ab !", true},
		{`a\.b`, "axb", false},
		{"^.$", "x", true},
		{")", "a)b", true},
		{"a}", "a}", true},
		{"", "anything", true},
		{"x,y", "x,y", true},
		{"a|", "b", true},
		{"(a)(b)\\2", "abb", false}, // references never match, see pattern.matches
	} {
		p, reason := compilePattern(c.text)
		if reason != "" {
			t.Errorf("%q: %s", c.text, reason)
			continue
		}
		if got := p.matches(c.topic); got != c.want {
			t.Errorf("%q on %q: %v, want %v", c.text, c.topic, got, c.want)
		}
	}
}

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
	} {
		if got := settingsFor(t, "topic.blacklist", c.list).Blacklisted(c.topic); got != c.want {
			t.Errorf("%q on %q: %v, want %v", c.list, c.topic, got, c.want)
		}
	}
}

// TestPatternsTakeTheirTime holds a match to polynomial time: what takes for ever elsewhere must end.
func TestPatternsTakeTheirTime(t *testing.T) {
	p, reason := compilePattern("^((a*)*)*(a|a|a)*(a{1,100}){1,100}b$")
	if reason != "" {
		t.Fatal(reason)
	}
	topic := make([]byte, 249)
	for i := range topic {
		topic[i] = 'a'
	}
	if p.matches(string(topic)) {
		t.Error("a text without b matches")
	}
}

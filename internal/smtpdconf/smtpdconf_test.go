package smtpdconf

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/halon-extras/kafka/share/plugins"
	"go.yaml.in/yaml/v3"
)

// show writes a node with the type of each scalar and the place of each node.
func show(n *Node) string {
	var b strings.Builder
	var walk func(n *Node)
	walk = func(n *Node) {
		switch n.Form {
		case List:
			b.WriteString("[")
			for i, item := range n.Items {
				if i > 0 {
					b.WriteString(" ")
				}
				walk(item)
			}
			b.WriteString("]")
		case Object:
			b.WriteString("{")
			for i, m := range n.Members {
				if i > 0 {
					b.WriteString(" ")
				}
				b.WriteString(m.Key.Text + ":")
				walk(m.Value)
			}
			b.WriteString("}")
		case Scalar:
			b.WriteString(map[Type]string{String: "str", Number: "num", Boolean: "bool", Null: "null"}[n.Type] + "(" + n.Text + ")")
		}
	}
	walk(n)
	return b.String()
}

func TestConfigKeepsTheTextOfScalars(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"plain and quoted strings", `{a: kafka:9092, b: "1", c: '', d: "a\nb"}`, "{a:str(kafka:9092) b:str(1) c:str() d:str(a\nb)}"},
		{"numbers as written", `[1, 1e3, 0x1F, 1_000, 007, .5, -0, .inf, 0o17]`, "[num(1) num(1e3) num(0x1F) num(1_000) num(007) num(.5) num(-0) num(.inf) num(0o17)]"},
		{"booleans as written", `[true, TRUE, False, yes]`, "[bool(true) bool(TRUE) bool(False) str(yes)]"},
		{"null in its forms", `{a: null, b: ~, c: }`, "{a:null(null) b:null(~) c:null()}"},
		{"dates are strings", `[2026-10-19]`, "[str(2026-10-19)]"},
		{"an explicit type", `[!!str 5]`, "[str(5)]"},
		{"the order of keys", `{z: 1, a: 2, m: 3}`, "{z:num(1) a:num(2) m:num(3)}"},
		{"a block of text", "|\n        one\n        two\n", "str(one\ntwo\n)"},
	} {
		f, err := Parse("smtpd.yaml", []byte("plugins:\n- id: kafka\n  config: "+c.config+"\n"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := show(f.Plugins[0].Config); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	const src = `
defaults: &defaults
  acks: all
  linger.ms: 5
more: &more { acks: 1, client.id: more }
plugins:
- id: kafka
  config:
    queues:
    - &first
      id: kafka1
      config:
        <<: *defaults
        linger.ms: 10
    - <<: *first
      id: kafka2
    - id: kafka3
      config:
        bootstrap.servers: &servers kafka:9092
        <<: [*defaults, *more]
    - id: kafka4
      config:
        bootstrap.servers: *servers
`
	f, err := Parse("smtpd.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	want := "{queues:[" +
		"{id:str(kafka1) config:{acks:str(all) linger.ms:num(10)}} " +
		"{config:{acks:str(all) linger.ms:num(10)} id:str(kafka2)} " +
		"{id:str(kafka3) config:{bootstrap.servers:str(kafka:9092) acks:str(all) linger.ms:num(5) client.id:str(more)}} " +
		"{id:str(kafka4) config:{bootstrap.servers:str(kafka:9092)}}]}"
	if diff := cmp.Diff(want, show(f.Plugins[0].Config)); diff != "" {
		t.Error(diff)
	}
}

func TestPlugins(t *testing.T) {
	const src = `
version: "6.5"
environment: { rootpath: /opt/halon }
plugins:
- id: kafka
  path: ./kafka.so
  config: {}
- id: other
- id: third
  config:
`
	f, err := Parse("smtpd.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Plugins) != 3 || f.Plugin("nobody") != nil {
		t.Fatalf("read %d plugins", len(f.Plugins))
	}
	kafka := f.Plugin("kafka")
	if kafka.Path != "./kafka.so" || kafka.Config == nil || kafka.Config.Form != Object {
		t.Errorf("read %+v", kafka)
	}
	for _, id := range []string{"other", "third"} {
		if p := f.Plugin(id); p.Path != "" || p.Config != nil {
			t.Errorf("%s has a path or a configuration: %+v", id, p)
		}
	}
	for _, src := range []string{"", "# nothing\n", "~", "a: 1", "plugins:", "plugins: []"} {
		if f, err := Parse("smtpd.yaml", []byte(src)); err != nil || len(f.Plugins) != 0 {
			t.Errorf("%q: %v", src, err)
		}
	}
}

func TestErrorsHaveTheirPlace(t *testing.T) {
	multiply := "a0: &a0 [x]\n"
	for i := range 40 {
		a, b := string(rune('a'+i/10))+string(rune('0'+i%10)), string(rune('a'+(i+1)/10))+string(rune('0'+(i+1)%10))
		multiply += b + ": &" + b + " [*" + a + ", *" + a + "]\n"
	}
	for _, c := range []struct{ name, src, want string }{
		{"a list at the top", "- 1", "f.yaml:1:1: the file must be an object with the key plugins"},
		{"plugins that are no list", "plugins:\n  kafka: 1", "f.yaml:2:3: plugins: plugins must be a list"},
		{"a plugin that is no object", "plugins:\n- kafka", "f.yaml:2:3: plugins[0]: a plugin must be an object with an id"},
		{"a plugin without an id", "plugins:\n- path: x", "f.yaml:2:3: plugins[0]: the plugin has no id"},
		{"an id that is a number", "plugins:\n- id: 5", "f.yaml:2:7: plugins[0].id: the id of a plugin must be a string that is not empty"},
		{"a path that is a list", "plugins:\n- id: kafka\n  path: [x]", "f.yaml:3:9: plugins[0].path: the path of a plugin must be a string that is not empty"},
		{"one id twice", "plugins:\n- id: kafka\n- id: kafka", "f.yaml:3:7: plugins[1].id: the plugin kafka is configured twice"},
		{"a key twice", "plugins:\n- id: kafka\n  config:\n    a: 1\n    a: 2", "f.yaml:5:5: plugins[0].config.a: the key is written twice: first in line 4"},
		{"a key twice outside of plugins", "a.b: 1\n'a.b': 2", `f.yaml:2:1: ["a.b"]: the key is written twice: first in line 1`},
		{"a key that is a list", "plugins:\n- id: kafka\n  config:\n    ? [a]\n    : 1", "f.yaml:4:7: plugins[0].config: a key must be a scalar"},
		{"malformed YAML", "plugins:\n- id: kafka\n  config: a: b", "f.yaml:3:3: malformed YAML: mapping values are not allowed in this context"},
		{"a tab", "plugins:\n\t- id: kafka", "f.yaml:2:1: malformed YAML: there is a tab here, and YAML takes only spaces where a line is indented"},
		{"a tab after spaces", "plugins:\n- id: kafka\n  config:\n    queues:\n  \t- id: a\n", "f.yaml:5:3: malformed YAML: there is a tab here, and YAML takes only spaces where a line is indented"},
		{"a tab behind a dash", "plugins:\n- id: kafka\n  config:\n    queues:\n    -\tid: a\n    \tconfig: {}\n", "f.yaml:5:6: malformed YAML: there is a tab here, and YAML takes only spaces where a line is indented"},
		{"the second tab is to blame", "text: |\n  a\n  \tb\nplugins:\n\t- id: kafka", "f.yaml:5:1: malformed YAML: there is a tab here, and YAML takes only spaces where a line is indented"},
		{"a tab that is not to blame", "a: |\n x\n \ty\nb: c: d", "f.yaml:4:1: malformed YAML: mapping values are not allowed in this context"},
		{"Latin-1", "plugins:\n- id: k\xe4fka", "f.yaml:2:8: malformed YAML: the byte 0xE4 is not UTF-8: write the file in UTF-8"},
		{"a character cut short", "a: \xc3\xa4\xe2\x82", "f.yaml:1:5: malformed YAML: the byte 0xE2 is not UTF-8: write the file in UTF-8"},
		{"a NUL", "\ufeffa: 1\r\n# \x00", "f.yaml:2:3: malformed YAML: the character U+0000 is not allowed: in double quotes, an escape can stand for it"},
		{"a control character", "a: |\n  x\n\n  \x7f", "f.yaml:4:3: malformed YAML: the character U+007F is not allowed: in double quotes, an escape can stand for it"},
		{"an unknown alias", "plugins: *nobody", "f.yaml:1:1: malformed YAML: unknown anchor 'nobody' referenced"},
		{"two documents", "a: 1\n---\nb: 2", "f.yaml:2:1: the file has more than one document"},
		{"an alias inside of itself", "a: &a\n  b: *a", "f.yaml:2:6: a.b: the alias *a stands inside of what it names"},
		{"a merge of a scalar", "a:\n  <<: 5", "f.yaml:2:7: a: << takes an object or a list of objects"},
		{"two merges", "a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a", "f.yaml:4:3: b: the merge key << is written twice: give it a list"},
		{"aliases that multiply", multiply, "f.yaml:1:10: b5[1][1][1][1][1][0][1][0][0][0][0][0][0][1][1][0]: the document is too large: its aliases multiply"},
		{"deep nesting", "a: " + strings.Repeat("[", 101) + strings.Repeat("]", 101), "f.yaml:1:103: a" + strings.Repeat("[0]", 99) + ": the document is nested too deep"},
	} {
		_, err := Parse("f.yaml", []byte(c.src))
		var placed *Error
		if !errors.As(err, &placed) {
			t.Errorf("%s: got %v, want an Error", c.name, err)
			continue
		}
		if c.name == "aliases that multiply" {
			// Where the count runs out says nothing; that it does is the point.
			if !strings.HasSuffix(err.Error(), ": the document is too large: its aliases multiply") {
				t.Errorf("%s: got %v", c.name, err)
			}
			continue
		}
		if err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", c.name, err, c.want)
		}
	}
}

// TestCharacters holds which characters are refused against the YAML reader, which does not know where.
func TestCharacters(t *testing.T) {
	for char := rune(0); char <= 0x11000; char++ {
		src := []byte("# " + string(char))
		var doc any
		want := yaml.Unmarshal(src, &doc)
		if got := checkCharacters("f.yaml", src); (got == nil) != (want == nil) {
			t.Errorf("%U: %v, the reader: %v", char, got, want)
		}
	}
	for _, src := range []string{"\xff\xfea\x00:\x00 \x001\x00", "\xfe\xff\x00a\x00:\x00 \x001", "\ufeffa: 1", "a: \ufeff1"} {
		if _, err := Parse("f.yaml", []byte(src)); err != nil {
			t.Errorf("%q: %v", src, err)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"the README's", "queues:\n    - id: kafka1\n      config:\n        bootstrap.servers: kafka:9092", ""},
		{"no queues", "queues: []", ""},
		{"an empty object", "{}", ""},
		{"values of every type", "queues: [{id: a, config: {a: 1, b: true, c: x, d: ~, e: .inf, f: [1], g: 0x1F}}]", ""},
		{"no list of queues", "queues: 5", "s.yaml:4:13: plugins[0].config.queues: must be null or array or object, not number"},
		{"an unknown key", "queue: []", "s.yaml:4:5: plugins[0].config.queue: there is no such key"},
		{"a configuration that is text", "kafka:9092", "s.yaml:4:5: plugins[0].config: must be null or array or object, not string"},
		{"an id that is a list", "queues:\n    - id: [5]\n      config: {}", "s.yaml:5:11: plugins[0].config.queues[0].id: must be boolean or number or string, not array"},
		{"no id and no config", "queues:\n    - {}", "s.yaml:5:7: plugins[0].config.queues[0]: the key id is missing\ns.yaml:5:7: plugins[0].config.queues[0]: the key config is missing"},
		{"several at once, in the order of the file", "queues:\n    - id: a\n      cfg: {}\n    - id: []\n      config: x", "s.yaml:5:7: plugins[0].config.queues[0]: the key config is missing\n" +
			"s.yaml:6:7: plugins[0].config.queues[0].cfg: there is no such key\n" +
			"s.yaml:7:11: plugins[0].config.queues[1].id: must be boolean or number or string, not array\n" +
			"s.yaml:8:15: plugins[0].config.queues[1].config: maxLength: got 1, want 0"},
	} {
		f, err := Parse("s.yaml", []byte("plugins:\n- id: kafka\n  config:\n    "+c.config+"\n"))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := ""
		if err := f.Plugins[0].Validate(plugins.Schema); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// A schema with a reference to a file or a host is an error of its own, and is not followed.
func TestSchemasThatCannotBeUsed(t *testing.T) {
	f, err := Parse("s.yaml", []byte("plugins:\n- id: kafka\n  config: {}\n- id: bare\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range []string{"{", `{"type": 5}`, `{"$ref": "file:///etc/passwd"}`, `{"$ref": "http://127.0.0.1:1/x.json"}`, `{"$ref": "#/definitions/x"}`} {
		err := f.Plugin("kafka").Validate([]byte(schema))
		var invalid Errors
		if err == nil || errors.As(err, &invalid) {
			t.Errorf("%s: %v", schema, err)
		}
		if err := f.Plugin("bare").Validate([]byte(schema)); err != nil {
			t.Errorf("%s: a plugin without a configuration: %v", schema, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{
		"plugins:\n- id: kafka\n  config:\n    queues:\n    - id: a\n      config: {acks: all}\n",
		"a: &a {x: 1}\nb: {<<: [*a, *a], y: *a}\n", "a: &a [*a]", "- ? [x]\n  : 1", "--- 1\n--- 2", "a: !!binary x", "\xff", "{a: 1, a: 2}",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := Parse("f.yaml", src)
		var placed *Error
		switch {
		case err == nil:
			for _, p := range file.Plugins {
				_ = p.Validate(plugins.Schema) // must not panic, whatever it finds
			}
		case !errors.As(err, &placed):
			t.Fatalf("the error is no Error: %v", err)
		case placed.Line < 1 || placed.Column < 1:
			t.Fatalf("the error has no place: %v", err)
		}
	})
}

func TestEnv(t *testing.T) {
	t.Setenv("SMTPDCONF_SET", "value")
	t.Setenv("SMTPDCONF_EMPTY", "")
	for _, c := range []struct{ value, want, unset string }{
		{`!Env "${SMTPDCONF_SET}"`, "value", ""},
		{`!Env "a${SMTPDCONF_SET}b${SMTPDCONF_NOSUCH:c:d}"`, "avaluebc:d", ""},
		{`!Env "${SMTPDCONF_EMPTY:default}"`, "", ""},
		{`!Env "${SMTPDCONF_NOSUCH:}"`, "", ""},
		{`!Env "$SMTPDCONF_SET $ ${} ${1} $${SMTPDCONF_SET}"`, "$SMTPDCONF_SET $ ${} ${1} $value", ""},
		{`!Env "${SMTPDCONF_NOSUCH}x"`, "x", "SMTPDCONF_NOSUCH"},
		{`"${SMTPDCONF_SET}"`, "${SMTPDCONF_SET}", ""},
	} {
		f, err := Parse("s.yaml", []byte("plugins:\n- id: kafka\n  config:\n    key: "+c.value+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		p := f.Plugins[0]
		n := p.Config.Get("key")
		tagged, unset := p.Env()
		if n.Text != c.want || n.Type != String || n.Unset != c.unset || len(unset) != min(1, len(c.unset)) || (len(tagged) == 1) != strings.HasPrefix(c.value, "!Env") {
			t.Errorf("%s: %+v, %d tagged, unset %v", c.value, n, len(tagged), unset)
		}
	}
}

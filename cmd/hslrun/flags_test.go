package main

import (
	"errors"
	"flag"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want options
	}{
		{"a script alone", []string{"a.hsl"}, options{plugin: "kafka", threads: 1, repeat: 1, script: "a.hsl"}},
		{"standard input", []string{"-"}, options{plugin: "kafka", threads: 1, repeat: 1, script: "-"}},
		{
			"everything, also after the script",
			[]string{
				"-c", "s.yaml", "-p", "other", "--plugin-path", "x.so", "--broker", "127.0.0.1:9092", "a.hsl", "--consume", "t1", "--consume=t2",
				"--command", "dump kafka1", "--threads", "8", "--repeat", "64",
			},
			options{
				config: "s.yaml", plugin: "other", pluginPath: "x.so", broker: "127.0.0.1:9092", topics: list{"t1", "t2"},
				commands: list{"dump kafka1"}, threads: 8, repeat: 64, script: "a.hsl",
			},
		},
		{"the long names of hsh", []string{"--config", "s.yaml", "--plugin", "p", "a.hsl"}, options{config: "s.yaml", plugin: "p", threads: 1, repeat: 1, script: "a.hsl"}},
	} {
		got, err := parseFlags(c.args)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, *got, cmp.AllowUnexported(options{})); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

func TestFlagsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "one script is needed, or - for standard input; there are 0"},
		{[]string{"a", "b"}, "one script is needed, or - for standard input; there are 2"},
		{[]string{"--nope", "a"}, "flag provided but not defined: -nope"},
		{[]string{"-p", "a", "-p", "b", "s"}, "only one --plugin can be loaded here"},
		{[]string{"-p", "../x", "s"}, `--plugin "../x": it must be the id of a plugin, such as kafka`},
		{[]string{"--threads", "0", "s"}, "--threads 0: it must be at least 1"},
		{[]string{"--repeat", "-1", "s"}, "--repeat -1: it must be at least 1"},
		{[]string{"--broker", "kafka", "s"}, `--broker "kafka": it must be "embedded" or HOST:PORT`},
		{[]string{"--broker", "", "s"}, "--broker is empty: give it a value, or leave it out"},
		{[]string{"s", "--broker="}, "--broker is empty: give it a value, or leave it out"},
		{[]string{"-c", "", "s"}, "-c is empty: give it a value, or leave it out"},
		{[]string{"-p", "", "s"}, "-p is empty: give it a value, or leave it out"},
		{[]string{"--plugin-path", "", "s"}, "--plugin-path is empty: give it a value, or leave it out"},
		{[]string{"--consume", "", "s"}, "--consume is empty: give it a value, or leave it out"},
		{[]string{"--consume", "t", "--consume", "", "s"}, "--consume needs the name of a topic"},
		{[]string{"--command", " ", "s"}, "--command needs the name of a command"},
	} {
		_, err := parseFlags(c.args)
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: got %v, want %s", c.args, err, c.want)
		}
	}
	if _, err := parseFlags([]string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: got %v", err)
	}
}

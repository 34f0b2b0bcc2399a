package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/halon-extras/kafka/internal/smtpdconf"
	"github.com/halon-extras/kafka/share/plugins"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPluginFile(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for _, file := range []string{"build/kafka.so", "given.so", "etc/beside.so", "here.so"} {
		write(t, file, "")
	}
	for _, c := range []struct {
		name  string
		o     options
		entry string
		want  string
	}{
		{"the flag comes first", options{plugin: "kafka", pluginPath: "given.so"}, "here.so", "given.so"},
		{"then the configuration, from here", options{plugin: "kafka", config: "etc/smtpd.yaml"}, "here.so", "here.so"},
		{"or from its own folder", options{plugin: "kafka", config: "etc/smtpd.yaml"}, "./beside.so", "etc/beside.so"},
		{"an absolute path is one place", options{plugin: "kafka", config: "etc/smtpd.yaml"}, filepath.Join(folder, "here.so"), "here.so"},
		{"then the build", options{plugin: "kafka"}, "", "build/kafka.so"},
	} {
		got, err := pluginFile(&c.o, &smtpdconf.Plugin{Path: c.entry})
		if want := filepath.Join(folder, c.want); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", c.name, got, err, want)
		}
	}
	_, err := pluginFile(&options{plugin: "other"}, &smtpdconf.Plugin{})
	if err == nil || !strings.Contains(err.Error(), "there is no build/other.so and no /") {
		t.Errorf("a plugin that is nowhere: %v", err)
	}
}

func TestValidateUsesTheSchemaOfThePlugin(t *testing.T) {
	t.Chdir(t.TempDir())
	entry := func(id string) *smtpdconf.Plugin {
		f, err := smtpdconf.Parse("s.yaml", []byte("plugins:\n- id: "+id+"\n  config: {color: red}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return f.Plugins[0]
	}
	write(t, "opt/plugins/kafka.so", "")
	if err := validate(entry("other"), "opt/plugins/other.so", "other.schema.json", plugins.Schema); err != nil {
		t.Errorf("a plugin without a schema: %v", err)
	}
	// No schema file is near: the one in the program.
	if err := validate(entry("kafka"), "opt/plugins/kafka.so", "kafka.schema.json", plugins.Schema); err == nil || err.Error() != "s.yaml:3:12: plugins[0].config.color: there is no such key" {
		t.Errorf("kafka: %v", err)
	}
	// The one installed beside the plugin comes before it.
	write(t, "opt/share/plugins/kafka.schema.json", `{"properties": {"color": {"enum": ["blue"]}}}`)
	if err := validate(entry("kafka"), "opt/plugins/kafka.so", "kafka.schema.json", plugins.Schema); err == nil || err.Error() != "s.yaml:3:19: plugins[0].config.color: value must be 'blue'" {
		t.Errorf("kafka with a schema of its own: %v", err)
	}
}

func TestReadConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "smtpd.yaml", "plugins:\n- id: kafka\n  config: {queues: []}\n")
	write(t, "broken.yaml", "plugins: {")
	var log strings.Builder
	term := newTerminal(&log, &log)
	if p, err := readConfig("kafka", "", term); err != nil || p.Config != nil {
		t.Errorf("without a file: %+v, %v", p, err)
	}
	if p, err := readConfig("kafka", "smtpd.yaml", term); err != nil || p.Config == nil {
		t.Errorf("with a file: %+v, %v", p, err)
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
	if p, err := readConfig("other", "smtpd.yaml", term); err != nil || p.ID != "other" || p.Config != nil {
		t.Errorf("another plugin: %+v, %v", p, err)
	}
	if want := "hslrun: smtpd.yaml has no plugin with the id other: it is without a configuration there\n"; log.String() != want {
		t.Errorf("logged %s, want %s", log.String(), want)
	}
	var placed *smtpdconf.Error
	if _, err := readConfig("kafka", "broken.yaml", term); !errors.As(err, &placed) {
		t.Errorf("a broken file: %v", err)
	}
	if _, err := readConfig("kafka", "none.yaml", term); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestReadScript(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.hsl", "echo 1;")
	if s, err := readScript("a.hsl", nil); err != nil || s.name != "a.hsl" || string(s.text) != "echo 1;" {
		t.Errorf("a file: %q, %v", s, err)
	}
	if s, err := readScript("-", strings.NewReader("echo 2;")); err != nil || s.name != "stdin" || string(s.text) != "echo 2;" {
		t.Errorf("standard input: %q, %v", s, err)
	}
	_, err := readScript("b.hsl", nil)
	if want := "hslrun: the script cannot be read: open b.hsl: no such file or directory"; !errors.Is(err, os.ErrNotExist) || err.Error() != want {
		t.Errorf("no file: %v", err)
	}
	const want = "hslrun: the script cannot be read: the pipe broke"
	if _, err := readScript("-", iotest.ErrReader(errors.New("the pipe broke"))); err == nil || err.Error() != want {
		t.Errorf("standard input that fails: %v", err)
	}
}

func TestExitStatusOfPluginFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "text.so", "no library")
	for file, want := range map[string]int{"none.so": exitUsage, ".": exitUsage, "text.so": exitRefused} {
		_, err := setUp(&options{plugin: "other", pluginPath: file, threads: 1}, newTerminal(io.Discard, io.Discard))
		var e *exitError
		if !errors.As(err, &e) || e.status != want || !strings.HasPrefix(err.Error(), "hslrun: ") {
			t.Errorf("--plugin-path %s: %v, want the status %d", file, err, want)
		}
	}
}

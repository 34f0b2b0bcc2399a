package standin

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheLifeOfAPlugin(t *testing.T) {
	for _, order := range []string{"register first", "init first"} {
		t.Run(order, func(t *testing.T) {
			h := load(t, Options{})
			before := ""
			if order == "register first" {
				h.Register()
				before, _ = call(t, h, "life").(string)
			}
			if !h.Init() {
				t.Fatal("Init: false")
			}
			if order == "init first" {
				h.Register()
			}
			h.Ready()
			if before != "" && before == call(t, h, "life") {
				t.Errorf("life is %q before and after Init and Ready", before)
			}
			h.Cleanup()
			h.Cleanup()
			wantNoFaults(t, h)
		})
	}
}

func TestFunctionsAreThoseOfTheLastRegistration(t *testing.T) {
	h := open(t, Options{})
	first := h.Functions()
	h.Register()
	if diff := cmp.Diff(first, h.Functions()); diff != "" {
		t.Errorf("registered twice (-once +twice):\n%s", diff)
	}
	if !slices.Contains(first, "by_name") || slices.Contains(first, "everywhere") {
		t.Errorf("functions of the module: %q", first)
	}
	if diff := cmp.Diff([]string{"everywhere"}, h.Globals()); diff != "" {
		t.Errorf("global functions (-want +got):\n%s", diff)
	}
	if got := call(t, h, "by_name"); got != "by name" {
		t.Errorf("a function found by its symbol: %v", got)
	}
	wantNoFaults(t, h)
}

func TestConfigurationForms(t *testing.T) {
	list := List(Scalar("100000", Number), Scalar("true", Boolean), Scalar("", Null), Scalar("x\n", String), List(), Object())
	for _, c := range []struct {
		name   string
		config *Config
		want   string
	}{
		{"none", nil, "- - "},
		{"empty", Object(), "{} - "},
		{"a list in place of an object", List(Scalar("a", String)), `["a"] - `},
		{
			"scalars read as text, others as NULL", Object(Member{"list", list}, Member{"b", Scalar("y", String)}),
			`{"list":[100000,true,null,"x\n",[],{}],"b":"y"} - 100000|true|NULL|` + "x\n" + `|NULL|NULL|list,b,`,
		},
		{
			"numbers that JSON does not have", List(Scalar("0x1f", Number), Scalar(".5", Number), Scalar("-0.5e+3", Number), Scalar("010", Number)),
			`["0x1f",".5",-0.5e+3,"010"] - `,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, Options{Config: c.config})
			if got := call(t, h, "configuration"); got != c.want {
				t.Errorf("configuration: %q\nwant %q", got, c.want)
			}
			wantNoFaults(t, h)
		})
	}
}

func TestReload(t *testing.T) {
	h := open(t, Options{AppConfig: List(Scalar("1", Number))})
	for _, c := range []struct {
		config *Config
		want   string
	}{{nil, "- - "}, {List(Scalar("2", Number)), "- [2] "}} {
		if err := h.Reload(c.config); err != nil {
			t.Fatal(err)
		}
		if got := call(t, h, "configuration"); got != c.want {
			t.Errorf("configuration: %q, want %q", got, c.want)
		}
	}
	wantNoFaults(t, h)
}

func TestAConfigurationThatYAMLCannotHold(t *testing.T) {
	if testPlugin == "" {
		t.Skip("no gcc")
	}
	for name, config := range map[string]*Config{
		"a nil node":    List(nil),
		"a NUL in text": Scalar("a\x00b", String),
		"a NUL in key":  Object(Member{"a\x00b", List()}),
	} {
		if h, err := Open(testPlugin, Options{Config: config}); err == nil {
			t.Errorf("%s was taken", name)
			h.Close()
		}
	}
}

func TestARefusedStartSaysWhy(t *testing.T) {
	var lines []string
	h := load(t, Options{
		Config: Object(Member{"refuse", Scalar("true", Boolean)}),
		Log:    func(priority int, line string) { lines = append(lines, string(rune('0'+priority))+" "+line) },
	})
	if h.Init() {
		t.Error("Init: true")
	}
	if diff := cmp.Diff([]string{"2 test: told to refuse"}, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	h.Cleanup()
	wantNoFaults(t, h)
}

// The facility is the host's business; a percent sign in the text is no format.
func TestTheLogKeepsPriorityAndText(t *testing.T) {
	var lines []string
	h := open(t, Options{Log: func(priority int, line string) { lines = append(lines, string(rune('0'+priority))+" "+line) }})
	call(t, h, "log_line", 3.0, "100%s\u00e5")
	call(t, h, "log_line", 7.0, "")
	h.Ready()
	if diff := cmp.Diff([]string{"3 100%s\u00e5", "7 "}, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestCommands(t *testing.T) {
	h := open(t, Options{})
	for _, c := range []struct {
		args []string
		out  string
		ok   bool
	}{
		{nil, "", true},
		{[]string{"text"}, "some text", true},
		{[]string{"bytes", "a\x00b"}, "a\x00b", true},
		{[]string{"nothing such"}, "usage", false},
	} {
		if out, ok := h.Command(c.args); string(out) != c.out || ok != c.ok {
			t.Errorf("%q: %q, %v; want %q, %v", c.args, out, ok, c.out, c.ok)
		}
	}
	wantNoFaults(t, h)
	if h.Command([]string{"length alone"}); len(h.Faults()) != 1 {
		t.Errorf("a length without text: faults %q, want one", h.Faults())
	}
}

func TestWhatCannotBeLoadedSaysWhy(t *testing.T) {
	if testPlugin == "" {
		t.Skip("no gcc")
	}
	folder := t.TempDir()
	other := filepath.Join(folder, "other.so")
	if err := compile(other, !AltNumbers()); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(folder, "none.so")
	if out, err := exec.Command("gcc", "-shared", "-x", "c", os.DevNull, "-o", none).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "absent.so"): "No such file",
		none:                               "not a plugin of Halon",
		other:                              "built on another header",
	} {
		h, err := Open(path, Options{PluginID: "kafka"})
		if err == nil {
			h.Close()
			t.Fatalf("%s was loaded", path)
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "plugin kafka ") {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	load(t, Options{})
	if _, err := Open(testPlugin, Options{}); err == nil || !strings.Contains(err.Error(), "open in this process already") {
		t.Errorf("a second plugin: %v", err)
	}
}

func TestGlobalSymbols(t *testing.T) {
	h := open(t, Options{Global: true})
	if got := call(t, h, "echo", "x"); got != "x" {
		t.Errorf("echo: %v", got)
	}
}

// Plugins of others include the header from C, C++ and cgo: it must be clean in each, and hold no definitions.
func TestTheHeaderCompilesInBothLanguagesWithBothNumbers(t *testing.T) {
	if testPlugin == "" {
		t.Skip("no gcc")
	}
	const source = `#include <HalonMTA.h>
HALON_EXPORT bool Halon_init(HalonInitContext *c) { size_t n = 0; (void)c; (void)n; return c != NULL; }
HalonHSLFunction f;
int g(int t); int g(int t) { switch (t) {
case HALONMTA_HSL_TYPE_NONE: case HALONMTA_HSL_TYPE_BOOLEAN: case HALONMTA_HSL_TYPE_NUMBER: case HALONMTA_HSL_TYPE_STRING:
case HALONMTA_HSL_TYPE_ARRAY: case HALONMTA_HSL_TYPE_FILE: case HALONMTA_HSL_TYPE_X509: case HALONMTA_HSL_TYPE_PRIVATEKEY:
case HALONMTA_HSL_TYPE_OBJECT: case HALONMTA_HSL_TYPE_EXCEPTION: case HALONMTA_HSL_TYPE_THIS: return 1; }
return HALONMTA_INIT_CONFIG == HALONMTA_INIT_APPCONFIG; }
`
	for _, language := range []string{"c", "c++"} {
		for _, numbers := range []string{"-UHALONMTA_STANDIN_ALT_NUMBERS", "-DHALONMTA_STANDIN_ALT_NUMBERS"} {
			cmd := exec.Command("gcc", "-x", language, "-fsyntax-only", "-I../../include", "-Wall", "-Wextra", "-Werror", "-pedantic", numbers, "-")
			cmd.Stdin = strings.NewReader(source)
			out, err := cmd.CombinedOutput()
			if err != nil && language == "c++" && strings.Contains(string(out), "cc1plus") {
				t.Skip("this gcc has no C++")
			}
			if err != nil {
				t.Errorf("%s %s: %v\n%s", language, numbers, err, out)
			}
		}
	}
}

package standin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// testPlugin is the path of testplugin, built by TestMain; empty where there is no C compiler.
var testPlugin string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if _, err := exec.LookPath("gcc"); err != nil {
		fmt.Fprintln(os.Stderr, "standin: NO gcc: every test that loads a plugin is skipped")
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "standin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	testPlugin = filepath.Join(folder, "plugin.so")
	if err := compile(testPlugin, AltNumbers()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// compile builds testplugin with the first or the second set of numbers. Fortified, as distributions build: the
// compiler then turns syslog into __syslog_chk, which the host has to catch as well.
func compile(target string, alt bool) error {
	args := []string{"-I../../include", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-fvisibility=hidden", "-shared", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"}
	if alt {
		args = append(args, "-DHALONMTA_STANDIN_ALT_NUMBERS")
	}
	args = append(args, "testplugin/plugin.c", "testplugin/good.c", "testplugin/broken.c", "-o", target, "-lpthread")
	out, err := exec.Command("gcc", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("testplugin does not compile: %w\n%s", err, out)
	}
	return nil
}

// open loads testplugin, registers and starts it. At the end of the test nothing may be left of it.
func open(t *testing.T, options Options) *Host {
	t.Helper()
	h := load(t, options)
	if !h.Register() || !h.Init() {
		t.Fatal("testplugin did not start")
	}
	return h
}

func load(t *testing.T, options Options) *Host {
	t.Helper()
	if testPlugin == "" {
		t.Skip("no gcc")
	}
	h, err := Open(testPlugin, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Cleanup()
		if live, parked := h.Live(), h.Parked(); live != 0 || parked != 0 {
			t.Errorf("%d values live and %d calls parked after Cleanup, want none", live, parked)
		}
		h.Close()
	})
	return h
}

// call runs one call in a script of its own, and fails the test unless it has a result.
func call(t *testing.T, h *Host, name string, args ...any) any {
	t.Helper()
	ret, thrown, err := try(h, name, args...)
	if err != nil || thrown != nil {
		t.Fatalf("%s: exception %v, error %v", name, thrown, err)
	}
	return ret
}

func try(h *Host, name string, args ...any) (ret any, thrown *Exception, err error) {
	err = h.Script(context.Background(), func(s *Script) error {
		var err error
		ret, thrown, err = s.Call(name, args)
		return err
	})
	return ret, thrown, err
}

func wantNoFaults(t *testing.T, h *Host) {
	t.Helper()
	for _, fault := range h.Faults() {
		t.Errorf("fault: %s", fault)
	}
}

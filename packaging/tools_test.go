package packaging

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compiler returns the path of the packages' C compiler, which is installed first where it is missing.
func compiler(t *testing.T, project string) string {
	t.Helper()
	return strings.TrimSpace(output(t, filepath.Join(project, "packaging", "zig")))
}

// buildHost builds hslrun with the packages' compiler, so that it runs where they do, and on the header that stands in
// for Halon's.
func buildHost(t *testing.T, project, arch string) string {
	t.Helper()
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
	file := filepath.Join(t.TempDir(), "hslrun")
	command := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", file, "./cmd/hslrun")
	command.Dir = project
	command.Env = append(os.Environ(), "PATH="+filepath.Join(project, "packaging", "cc")+":"+os.Getenv("PATH"),
		"CC=kafka-cc", "KAFKA_CC="+os.Getenv("ZIG"), "KAFKA_TARGET="+machine+"-linux-gnu.2.28", "GOARCH="+arch,
		"CGO_ENABLED=1", "CGO_CFLAGS=-O2 -DHALONMTA_STANDIN_ALT_NUMBERS", "CGO_LDFLAGS=-O2")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("hslrun for %s: %v\n%s", arch, err, text)
	}
	return file
}

// copyProject copies the files that git knows or would take, and nothing that a build left, into a folder whose name is
// one that a person might choose.
func copyProject(t *testing.T, project string) string {
	t.Helper()
	list := output(t, "git", "-C", project, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	to := filepath.Join(t.TempDir(), "it's a copy")
	for _, name := range strings.Split(strings.TrimRight(list, "\x00"), "\x00") {
		from := filepath.Join(project, name)
		info, err := os.Stat(from)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue // removed and not yet committed, or no file
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, target, string(content), info.Mode().Perm())
	}
	return to
}

func write(t *testing.T, file, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func without(env []string, names ...string) []string {
	var kept []string
	for _, e := range env {
		drop := false
		for _, name := range names {
			drop = drop || strings.HasPrefix(e, name+"=")
		}
		if !drop {
			kept = append(kept, e)
		}
	}
	return kept
}

func digest(t *testing.T, file string) [sha256.Size]byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(content)
}

// output runs a program that must succeed and returns its standard output.
func output(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	var diagnostics bytes.Buffer
	command.Stderr = &diagnostics
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, diagnostics.String())
	}
	return string(out)
}

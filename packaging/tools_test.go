package packaging

import (
	"bytes"
	"crypto/sha256"
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

// copyProject copies the project, without git's folder and what a build left, into a folder whose name is one that a person might
// choose.
func copyProject(t *testing.T, project string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "it's a copy")
	err := filepath.WalkDir(project, func(from string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(project, from)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == ".git" || name == "build"):
			return filepath.SkipDir
		case !entry.Type().IsRegular() || name == ".git" || strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".prof"):
			return nil // a worktree's .git is a file
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		write(t, filepath.Join(to, name), string(content), info.Mode().Perm())
		return nil
	})
	if err != nil {
		t.Fatal(err)
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

package packaging

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Debian's releases in which the packages are installed. The oldest one has glibc 2.31, older than what a compiler of
// today links against; the packages ask for 2.28.
const (
	oldest = "bullseye"
	newest = "trixie"
)

// system makes a Debian root in the build folder, once, from the mirror that apt uses here, and returns its path. Of a
// foreign architecture it is unpacked and not set up, which is enough for its C library.
func system(t *testing.T, suite, arch string) string {
	t.Helper()
	roots := filepath.Join("..", "build", "roots")
	if folder := os.Getenv("BUILD"); folder != "" {
		roots = filepath.Join(folder, "roots")
		if !filepath.IsAbs(roots) {
			roots = filepath.Join("..", roots)
		}
	}
	roots, err := filepath.Abs(roots)
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(roots, suite+"-"+arch)
	if _, err := os.Stat(root); err == nil {
		return root
	}
	if err := os.MkdirAll(roots, 0o755); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--variant=minbase", "--arch=" + arch}
	if arch != runtime.GOARCH {
		arguments = append(arguments, "--foreign")
	}
	// debootstrap cannot work in a path with spaces, so the root is made in a plain folder.
	made, err := os.MkdirTemp("", "root")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(made)
	arguments = append(arguments, suite, made)
	for site := range strings.Lines(output(t, "apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages")) {
		if site = strings.TrimSpace(site); strings.HasSuffix(site, "/debian") {
			arguments = append(arguments, site)
			break
		}
	}
	if text, err := exec.CommandContext(t.Context(), "debootstrap", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("debootstrap %s: %v\n%s", strings.Join(arguments, " "), err, text)
	}
	for _, cache := range []string{"var/cache/apt", "var/lib/apt/lists"} {
		if err := os.RemoveAll(filepath.Join(made, cache)); err != nil {
			t.Fatal(err)
		}
	}
	output(t, "cp", "-a", made, root)
	return root
}

// root is a copy of a system that a test may change.
type root struct{ path string }

func newRoot(t *testing.T, suite string) root {
	t.Helper()
	r := root{filepath.Join(t.TempDir(), "root")}
	output(t, "cp", "-a", system(t, suite, runtime.GOARCH), r.path)
	return r
}

// run runs a command inside and returns what it printed.
func (r root) run(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "chroot", append([]string{r.path}, arguments...)...)
	command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", "HOME=/root"}
	text, err := command.CombinedOutput()
	return string(text), err
}

// take copies a file into the root's /tmp and returns its path there.
func (r root) take(t *testing.T, file string) string {
	t.Helper()
	output(t, "cp", file, filepath.Join(r.path, "tmp"))
	return "/tmp/" + filepath.Base(file)
}

// files lists what is in the root: mode, owner, group, path and link of each, as in testdata/files.txt, with the digest
// of what a file holds by its line. What package managers keep for themselves is left out.
func (r root) files(t *testing.T) map[string]string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(r.path, "opt")); os.IsNotExist(err) {
		// dpkg takes it, too, with the last package that has files in it.
		if err := os.Mkdir(filepath.Join(r.path, "opt"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	kept := []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/var/lib/dpkg", "/var/lib/rpm", "/var/log", "/var/cache", "/etc/ld.so.cache"}
	list := make(map[string]string)
	err := filepath.WalkDir(r.path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, r.path)
		if slices.Contains(kept, name) {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		var link, content string
		mode := info.Mode().String()
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			mode, link = "lrwxrwxrwx", " -> "+target
		case info.Mode().IsRegular():
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = fmt.Sprintf("%x", sha256.Sum256(text))
		}
		owner := fmt.Sprintf("%d %d", info.Sys().(*syscall.Stat_t).Uid, info.Sys().(*syscall.Stat_t).Gid)
		if owner == "0 0" {
			owner = "root root"
		}
		list[fmt.Sprintf("%s %s %s%s", mode, owner, name, link)] = content
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

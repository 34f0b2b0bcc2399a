// Package packaging holds the recipe of the deb and the rpm (nfpm.yaml.in, build) and the tests of what it makes:
// the lists, the dependencies and the scripts of both, that two builds are equal, and that a scratch root with the
// deb installed holds a plugin that loads. It ships no Go code.
//
// The tests build the packages themselves, as development packages where Halon's header is missing, so they run
// behind PACKAGE_TEST=1 (`make package-test`). They work as root and, with fakeroot, without.
package packaging

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// builds is longer than a build on a cold cache takes on two cores.
const builds = 15 * time.Minute

// recipe is one run of packaging/build.
type recipe struct {
	project string // its root folder
	header  string // HALON_INCLUDE
	out     string
	env     []string
}

// run returns what the build printed; an exit status other than 0 is the error.
func (r recipe) run(t *testing.T) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), builds)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(r.project, "packaging", "build"))
	// The time of the test's own packages is fixed: a copy of the sources has no commits to take it from.
	command.Env = append(without(os.Environ(), "DEVELOPMENT_PACKAGE", "HALON_PACKAGE", "CGO_CFLAGS"),
		append([]string{"HALON_INCLUDE=" + r.header, "PACKAGES=" + r.out, "SOURCE_DATE_EPOCH=1790000000"}, r.env...)...)
	var out, diagnostics bytes.Buffer
	command.Stdout, command.Stderr = &out, &diagnostics
	err = command.Run()
	return out.String(), diagnostics.String(), err
}

// build runs the recipe, which must succeed, and returns the two packages.
func (r recipe) build(t *testing.T) (deb, rpm string) {
	t.Helper()
	out, diagnostics, err := r.run(t)
	if err != nil {
		t.Fatalf("packaging/build: %v\n%s", err, diagnostics)
	}
	files := strings.Fields(out)
	if len(files) != 2 {
		t.Fatalf("packaging/build printed %q, want the paths of two packages", out)
	}
	return files[0], files[1]
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

func TestPackages(t *testing.T) {
	if os.Getenv("PACKAGE_TEST") != "1" {
		t.Skip("builds the packages: run `make package-test`, or set PACKAGE_TEST=1")
	}
	project, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"dpkg-deb", "dpkg", "rpm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("PACKAGE_TEST=1 needs Debian's packages dpkg and rpm, and without root fakeroot: %v", err)
		}
	}
	development := recipe{project: project, header: t.TempDir(), out: t.TempDir(), env: []string{"DEVELOPMENT_PACKAGE=1"}}
	deb, rpm := development.build(t)

	t.Run("names", func(t *testing.T) {
		want := names(t, "2.0.0~dev")
		if diff := cmp.Diff(want, []string{filepath.Base(deb), filepath.Base(rpm)}); diff != "" {
			t.Errorf("file names (-want +got):\n%s", diff)
		}
	})
	t.Run("deb", func(t *testing.T) { testDeb(t, deb, "2.0.0~dev") })
	t.Run("rpm", func(t *testing.T) { testRPM(t, rpm, deb) })
	t.Run("library", func(t *testing.T) { testLibrary(t, deb) })
	t.Run("installed", func(t *testing.T) { testInstalled(t, deb) })
	t.Run("development package beside Halon", func(t *testing.T) { testRefusesBesideHalon(t, deb) })
	t.Run("two builds are equal", func(t *testing.T) {
		again := development
		again.project, again.out = copyProject(t, project), t.TempDir()
		deb2, rpm2 := again.build(t)
		for first, second := range map[string]string{deb: deb2, rpm: rpm2} {
			if digest(t, first) != digest(t, second) {
				t.Errorf("%s differs when it is built again in another folder", filepath.Base(first))
			}
		}
	})
	t.Run("no header, no package", func(t *testing.T) {
		refused := recipe{project: project, header: t.TempDir(), out: t.TempDir()}
		_, diagnostics, err := refused.run(t)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(diagnostics, "DEVELOPMENT_PACKAGE=1") {
			t.Errorf("without Halon's header the build ended with %v and said:\n%s", err, diagnostics)
		}
		if left, err := os.ReadDir(refused.out); err != nil || len(left) != 0 {
			t.Errorf("a refused build left %v, %v", left, err)
		}
	})
	t.Run("with Halon's header", func(t *testing.T) { testRelease(t, project, deb) })
}

// testRelease builds with a header that is not marked as the project's own and has other numbers, as Halon's has.
func testRelease(t *testing.T, project, development string) {
	ours, err := os.ReadFile(filepath.Join(project, "include", "HalonMTA.h"))
	if err != nil {
		t.Fatal(err)
	}
	theirs := strings.Replace(string(ours), "#define HALONMTA_STANDIN 1", "#define HALONMTA_STANDIN_ALT_NUMBERS", 1)
	if theirs == string(ours) {
		t.Fatal("include/HalonMTA.h does not define HALONMTA_STANDIN any more: packaging/build tells it by that")
	}
	release := recipe{project: project, header: t.TempDir(), out: t.TempDir()}
	if err := os.WriteFile(filepath.Join(release.header, "HalonMTA.h"), []byte(theirs), 0o600); err != nil {
		t.Fatal(err)
	}
	deb, rpm := release.build(t)
	if diff := cmp.Diff(names(t, "2.0.0"), []string{filepath.Base(deb), filepath.Base(rpm)}); diff != "" {
		t.Errorf("file names (-want +got):\n%s", diff)
	}
	testDeb(t, deb, "2.0.0")
	if text := output(t, "dpkg-deb", "--field", deb, "Description"); strings.Contains(text, "DEVELOPMENT") {
		t.Errorf("a release is described as %q", text)
	}
	if _, ok := controlFiles(t, deb)["preinst"]; ok {
		t.Error("a release has the preinst of a development package")
	}
	if digest(t, deb) == digest(t, development) {
		t.Error("a release equals the development package: Halon's header made no difference")
	}
	release.env = []string{"DEVELOPMENT_PACKAGE=1"}
	if _, _, err := release.run(t); err == nil {
		t.Error("a development package was built with Halon's header")
	}
}

// names are those of the package that this one replaces, for this machine.
func names(t *testing.T, version string) []string {
	t.Helper()
	machine, ok := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if !ok {
		t.Fatalf("no package is made for %s", runtime.GOARCH)
	}
	return []string{
		"halon-extras-kafka_" + version + "_" + runtime.GOARCH + ".deb",
		"halon-extras-kafka-" + version + "-1." + machine + ".rpm",
	}
}

// copyProject copies the files that git knows or would take, and nothing that a build left.
func copyProject(t *testing.T, project string) string {
	t.Helper()
	list := output(t, "git", "-C", project, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	to := t.TempDir()
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
		if err := os.WriteFile(target, content, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	return to
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

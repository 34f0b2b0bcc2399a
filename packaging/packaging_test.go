// Package packaging holds the recipe of the deb and the rpm (nfpm.yaml.in, build, zig) and the tests of what it makes:
// the lists, the dependencies and the scripts of both, what the libraries import and export, that two builds are equal, and
// that the packages can be installed, used, upgraded, rolled back and removed. It ships no Go code.
//
// The tests build the packages themselves, on a header that stands in for Halon's, and make clean roots with debootstrap,
// so they run as root and behind PACKAGE_TEST=1 (`make test-packages`).
package packaging

import (
	"bytes"
	"context"
	"errors"
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
func (r recipe) run(t *testing.T, architectures ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), builds)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(r.project, "packaging", "build"), architectures...)
	// The time of the test's own packages is fixed: a copy of the sources has no commits to take it from.
	command.Env = append(without(os.Environ(), "DEVELOPMENT_PACKAGE", "HALON_PACKAGE", "CGO_CFLAGS"),
		append([]string{"HALON_INCLUDE=" + r.header, "PACKAGES=" + r.out, "SOURCE_DATE_EPOCH=1790000000"}, r.env...)...)
	var out, diagnostics bytes.Buffer
	command.Stdout, command.Stderr = &out, &diagnostics
	err = command.Run()
	return out.String(), diagnostics.String(), err
}

// build runs the recipe, which must succeed, and returns the paths of the packages: a deb and an rpm for each architecture.
func (r recipe) build(t *testing.T, architectures ...string) []string {
	t.Helper()
	out, diagnostics, err := r.run(t, architectures...)
	if err != nil {
		t.Fatalf("packaging/build: %v\n%s", err, diagnostics)
	}
	return strings.Split(strings.TrimSpace(out), "\n")
}

// halonHeader makes a folder with a header that is not marked as the project's own and has other numbers, as Halon's has.
func halonHeader(t *testing.T, project string) string {
	t.Helper()
	ours, err := os.ReadFile(filepath.Join(project, "include", "HalonMTA.h"))
	if err != nil {
		t.Fatal(err)
	}
	theirs := strings.Replace(string(ours), "#define HALONMTA_STANDIN 1", "#define HALONMTA_STANDIN_ALT_NUMBERS", 1)
	if theirs == string(ours) {
		t.Fatal("include/HalonMTA.h does not define HALONMTA_STANDIN any more: packaging/build tells it by that")
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "HalonMTA.h"), theirs, 0o600)
	return folder
}

func TestPackages(t *testing.T) {
	if os.Getenv("PACKAGE_TEST") != "1" {
		t.Skip("builds the packages: run `make test-packages`, or set PACKAGE_TEST=1")
	}
	if os.Geteuid() != 0 {
		t.Fatal("make test-packages needs root: it installs packages in clean roots and works in them with chroot")
	}
	for _, tool := range []string{"dpkg-deb", "dpkg", "rpm", "debootstrap"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("make test-packages needs Debian's packages dpkg, rpm and debootstrap: %v", err)
		}
	}
	project, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZIG", compiler(t, project))

	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	release := recipe{project: project, header: halonHeader(t, project), out: t.TempDir()}
	packages := release.build(t, runtime.GOARCH, other)
	if diff := cmp.Diff(append(names(t, "2.0.0", runtime.GOARCH), names(t, "2.0.0", other)...), base(packages)); diff != "" {
		t.Fatalf("file names (-want +got):\n%s", diff)
	}
	development := recipe{project: project, header: t.TempDir(), out: t.TempDir(), env: []string{"DEVELOPMENT_PACKAGE=1"}}
	forInspection := development.build(t)
	if diff := cmp.Diff(names(t, "2.0.0~dev", runtime.GOARCH), base(forInspection)); diff != "" {
		t.Errorf("file names (-want +got):\n%s", diff)
	}

	const halon, libc = "halon (>= 6.5) | halon-smtpd (>= 6.5)", "libc6 (>= 2.28)"
	for i, arch := range []string{runtime.GOARCH, other} {
		deb, rpm := packages[2*i], packages[2*i+1]
		t.Run("deb "+arch, func(t *testing.T) { testDeb(t, deb, arch, "2.0.0", libc+", "+halon) })
		t.Run("rpm "+arch, func(t *testing.T) { testRPM(t, rpm, deb) })
		t.Run("library "+arch, func(t *testing.T) { testLibrary(t, deb) })
	}
	t.Run("development package", func(t *testing.T) { testDeb(t, forInspection[0], runtime.GOARCH, "2.0.0~dev", libc) })
	t.Run("idle", func(t *testing.T) { testIdle(t, project, forInspection[0]) })
	t.Run("pages", func(t *testing.T) { testPages(t, packages[0]) })
	t.Run("two builds are equal", func(t *testing.T) {
		again := release
		again.project, again.out = copyProject(t, project), t.TempDir()
		// With caches of its own, so that all is really built again.
		again.env = append(again.env, "GOCACHE="+t.TempDir(), "ZIG_GLOBAL_CACHE_DIR="+t.TempDir())
		for i, second := range again.build(t) {
			if digest(t, packages[i]) != digest(t, second) {
				t.Errorf("%s differs when it is built again in another folder", filepath.Base(second))
			}
		}
	})
	t.Run("make in a folder with a space and an apostrophe", func(t *testing.T) {
		// Without its path in the files, most of what is built comes from the cache.
		command := exec.CommandContext(t.Context(), "make", "run", "GOFLAGS=-trimpath -buildvcs=false", "BUILD=build")
		command.Dir = copyProject(t, project)
		text, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(text), "\n[]\n{\"topic\":\"test-topic\"") {
			t.Errorf("make run: %v\n%s", err, text)
		}
	})
	t.Run("header", func(t *testing.T) {
		refused := recipe{project: project, header: t.TempDir(), out: t.TempDir()}
		_, diagnostics, err := refused.run(t)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(diagnostics, "DEVELOPMENT_PACKAGE=1") {
			t.Errorf("without Halon's header the build ended with %v and said:\n%s", err, diagnostics)
		}
		if left, err := os.ReadDir(refused.out); err != nil || len(left) != 0 {
			t.Errorf("a refused build left %v, %v", left, err)
		}
		both := release
		both.env = []string{"DEVELOPMENT_PACKAGE=1"}
		if _, _, err := both.run(t); err == nil {
			t.Error("a development package was built with Halon's header")
		}
	})

	t.Run("on "+other, func(t *testing.T) { testForeign(t, project, packages[2], other) })
	for _, way := range []struct {
		manager manager
		suite   string
		release string
		look    string
	}{
		{debian{}, oldest, packages[0], forInspection[0]},
		{debian{}, newest, packages[0], forInspection[0]},
		{redhat{}, oldest, packages[1], forInspection[1]},
	} {
		t.Run(way.manager.format()+" on "+way.suite, func(t *testing.T) {
			testLife(t, project, way.manager, way.suite, way.release, way.look)
		})
	}
}

// names are those of the package that this one replaces.
func names(t *testing.T, version, arch string) []string {
	t.Helper()
	machine, ok := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
	if !ok {
		t.Fatalf("no package is made for %s", arch)
	}
	return []string{
		"halon-extras-kafka_" + version + "_" + arch + ".deb",
		"halon-extras-kafka-" + version + "-1." + machine + ".rpm",
	}
}

func base(paths []string) []string {
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names
}

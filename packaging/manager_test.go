package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// manager installs packages in a root; an upgrade and a rollback are installations too.
type manager interface {
	format() string
	prepare(t *testing.T, r root)
	install(t *testing.T, r root, pkg string) (string, error)
	remove(t *testing.T, r root, name string) (string, error)
	version(t *testing.T, r root, name string) string // of what is installed and complete, or ""
}

type debian struct{}

func (debian) format() string { return "deb" }

func (debian) prepare(*testing.T, root) {}

func (debian) install(t *testing.T, r root, pkg string) (string, error) {
	return r.run(t, "dpkg", "--install", r.take(t, pkg))
}

func (debian) remove(t *testing.T, r root, name string) (string, error) {
	return r.run(t, "dpkg", "--purge", name)
}

func (debian) version(t *testing.T, r root, name string) string {
	text, _ := r.run(t, "dpkg-query", "-W", "-f", "${Status} ${Version}", name)
	version, _ := strings.CutPrefix(text, "install ok installed ")
	if version == text {
		return ""
	}
	return version
}

// redhat is this machine's rpm on a root, where the packages' scripts find a shell.
type redhat struct{}

func (redhat) format() string { return "rpm" }

// prepare tells rpm's empty list of packages that there is a C library.
func (m redhat) prepare(t *testing.T, r root) {
	pkg := standIn(t, "rpm", "glibc", "2.28", nil, "provides: ['libc.so.6(GLIBC_2.28)(64bit)']\n")
	if text, err := m.install(t, r, pkg); err != nil {
		t.Fatalf("glibc: %v\n%s", err, text)
	}
}

func (redhat) rpm(t *testing.T, r root, arguments ...string) (string, error) {
	command := exec.CommandContext(t.Context(), "rpm", append([]string{"--root", r.path, "--dbpath", "/var/lib/rpm"}, arguments...)...)
	command.Env = append(os.Environ(), "LC_ALL=C")
	text, err := command.CombinedOutput()
	return string(text), err
}

func (m redhat) install(t *testing.T, r root, pkg string) (string, error) {
	return m.rpm(t, r, "--upgrade", "--oldpackage", "--replacepkgs", pkg)
}

func (m redhat) remove(t *testing.T, r root, name string) (string, error) {
	return m.rpm(t, r, "--erase", name)
}

func (m redhat) version(t *testing.T, r root, name string) string {
	text, err := m.rpm(t, r, "-q", "--qf", "%{VERSION}", name)
	if err != nil {
		return ""
	}
	return text
}

// standIn makes a package of the format with the files given, by path in the package.
func standIn(t *testing.T, format, name, version string, files map[string]string, more string) string {
	t.Helper()
	folder := t.TempDir()
	if files != nil {
		more += "contents:\n"
	}
	text := "name: " + name + "\nversion: " + version + "\nversion_schema: none\nplatform: linux\narch: " + runtime.GOARCH +
		"\nmaintainer: a test <test@localhost>\ndescription: stands in for the real one\n" + more
	for path, from := range files {
		text += "- {src: '" + from + "', dst: " + path
		switch from {
		case "dir":
			text = strings.TrimSuffix(text, "{src: 'dir', dst: "+path) + "{type: dir, dst: " + path
		case "/opt/halon/plugins/kafka.so":
			text += ", type: symlink"
		}
		text += "}\n"
	}
	config := filepath.Join(folder, "nfpm.yaml")
	write(t, config, text, 0o600)
	output(t, "go", "tool", "-modfile=../tools/go.mod", "nfpm", "package", "--config", config, "--packager", format, "--target", folder)
	made, err := filepath.Glob(filepath.Join(folder, "*."+format))
	if err != nil || len(made) != 1 {
		t.Fatalf("nfpm made %v, %v", made, err)
	}
	return made[0]
}

// halon stands in for the mail server's package: its folders, and hslrun in the place of hsh.
func halon(t *testing.T, format, host string) string {
	t.Helper()
	return standIn(t, format, "halon", "6.5.0", map[string]string{
		"/opt/halon": "dir", "/opt/halon/bin": "dir", "/opt/halon/plugins": "dir", "/opt/halon/plugins/autoload": "dir",
		"/opt/halon/plugins/autoload/smtpd": "dir", "/opt/halon/plugins/autoload/hsh": "dir", "/opt/halon/bin/hsh": host,
	}, "")
}

// older stands in for version 1.1.0, whose scripts do not look at their arguments.
func older(t *testing.T, format string) string {
	t.Helper()
	folder := t.TempDir()
	file := func(name, text string) string {
		write(t, filepath.Join(folder, name), text, 0o755)
		return filepath.Join(folder, name)
	}
	const link = "/opt/halon/plugins/kafka.so"
	return standIn(t, format, "halon-extras-kafka", "1.1.0", map[string]string{
		link: file("kafka.so", "1.1.0"),
		"/opt/halon/plugins/autoload/smtpd/kafka.so":    link,
		"/opt/halon/plugins/autoload/hsh/kafka.so":      link,
		"/opt/halon/share/plugins/kafka.schema.json":    file("kafka.schema.json", "{}"),
		"/opt/halon/share/plugins/kafka.functions.json": file("kafka.functions.json", "{}"),
		"/opt/halon/share/doc/plugins/kafka/LICENSE":    file("LICENSE", "a licence"),
	}, "scripts: {postinstall: '"+file("postinst", "#!/bin/sh\necho 1.1.0 says: enable it\n")+"', postremove: '"+
		file("postrm", "#!/bin/sh\necho 1.1.0 says: disable it\n")+"'}\n")
}

package packaging

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// scratch is a root folder with an empty package database.
func scratch(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, folder := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

// dpkg runs dpkg on a scratch root. The scripts run outside of it, since there is no shell inside.
func dpkg(t *testing.T, root string, arguments ...string) (string, error) {
	t.Helper()
	arguments = append([]string{
		"dpkg", "--root=" + root, "--log=" + filepath.Join(root, "dpkg.log"),
		"--force-depends", "--force-script-chrootless", "--force-not-root",
	}, arguments...)
	if os.Geteuid() != 0 {
		if _, err := exec.LookPath("fakeroot"); err != nil {
			t.Fatalf("installing a package without root needs Debian's package fakeroot: %v", err)
		}
		arguments = append([]string{"fakeroot"}, arguments...)
	}
	command := exec.CommandContext(t.Context(), arguments[0], arguments[1:]...)
	// dpkg looks for its own helpers in the folders of the administrator.
	command.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin", "LC_ALL=C")
	text, err := command.CombinedOutput()
	return string(text), err
}

func testInstalled(t *testing.T, deb string) {
	root := scratch(t)
	text, err := dpkg(t, root, "--install", deb)
	if err != nil {
		t.Fatalf("dpkg --install: %v\n%s", err, text)
	}
	if !strings.Contains(text, "restart smtpd") {
		t.Errorf("the installation does not say what to do next:\n%s", text)
	}
	halon := filepath.Join(root, "opt/halon")
	plugin := filepath.Join(halon, "plugins/kafka.so")
	for _, host := range []string{"smtpd", "hsh"} {
		link, err := os.Readlink(filepath.Join(halon, "plugins/autoload", host, "kafka.so"))
		if err != nil || filepath.Join(root, link) != plugin {
			t.Errorf("%s autoloads %q, %v; want %s", host, link, err, "/opt/halon/plugins/kafka.so")
		}
	}

	t.Run("the plugin loads and delivers", func(t *testing.T) { runInstalled(t, plugin) })
	t.Run("the operator's program runs", func(t *testing.T) {
		text := output(t, filepath.Join(halon, "bin/halon-kafka"), "version")
		if version := strings.TrimSpace(output(t, "dpkg-deb", "--field", deb, "Version")); !strings.Contains(text, version) {
			t.Errorf("halon-kafka of package %s calls itself:\n%s", version, text)
		}
	})

	if text, err := dpkg(t, root, "--install", deb); err != nil {
		t.Errorf("the same package over itself: %v\n%s", err, text)
	}
	text, err = dpkg(t, root, "--purge", "halon-extras-kafka")
	if err != nil {
		t.Fatalf("dpkg --purge: %v\n%s", err, text)
	}
	if !strings.Contains(text, "restart smtpd") {
		t.Errorf("the removal does not say what to do next:\n%s", text)
	}
	if _, err := os.Stat(halon); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the removal leaves %s: %v", halon, err)
	}
}

// runInstalled runs one script through the installed file, onto the embedded broker.
func runInstalled(t *testing.T, plugin string) {
	hslrun := os.Getenv("HSLRUN")
	if hslrun == "" {
		t.Fatal("HSLRUN must name the built hslrun; `make package-test` sets it")
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"smtpd.yaml": "plugins:\n- id: kafka\n  config:\n    queues:\n    - id: kafka1\n      config:\n        bootstrap.servers: kafka:9092\n",
		"one.hsl":    "import { kafka_producer } from \"extras://kafka\";\necho kafka_producer(\"kafka1\", \"mail\", \"installed\");\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := output(t, hslrun, "--plugin-path", plugin, "-c", filepath.Join(folder, "smtpd.yaml"), "-p", "kafka",
		"--broker", "embedded", "--consume", "mail", filepath.Join(folder, "one.hsl"))
	if !strings.HasPrefix(out, "[]\n") || !strings.Contains(out, `"value":"installed"`) {
		t.Errorf("hslrun with %s printed:\n%s", plugin, out)
	}
}

// A development package must not get into a real smtpd: its preinst looks for signs of one.
func testRefusesBesideHalon(t *testing.T, deb string) {
	root := scratch(t)
	header := filepath.Join(root, "opt/halon/include/HalonMTA.h")
	if err := os.MkdirAll(filepath.Dir(header), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(header, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := dpkg(t, root, "--install", deb)
	if err == nil || !strings.Contains(text, "DEVELOPMENT package") {
		t.Errorf("a development package was installed beside Halon: %v\n%s", err, text)
	}
	if _, err := os.Stat(filepath.Join(root, "opt/halon/plugins/kafka.so")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the refused installation left kafka.so: %v", err)
	}
}

package packaging

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	packageName = "halon-extras-kafka"
	autoload    = "/opt/halon/plugins/autoload/"

	configuration = `plugins:
- id: kafka
  config:
    queues:
    - id: kafka1
      config:
        bootstrap.servers: kafka:9092
      spool:
        path: /var/spool/halon/kafka/kafka1
        mode: durable
`
	script = `import { kafka_producer } from "extras://kafka";
echo kafka_producer("kafka1", "mail", "installed");
`
)

// testLife takes one root from an empty system to the plugin in use, through upgrade, rollback and a refused
// installation, and back to the empty system.
func testLife(t *testing.T, project string, m manager, suite, release, development string) {
	r := newRoot(t, suite)
	m.prepare(t, r)
	host := halon(t, m.format(), buildHost(t, project, architecture(t, release)))
	old := older(t, m.format())
	empty := r.files(t)

	step := func(what string, text string, err error, says ...string) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v\n%s", what, err, text)
		}
		for _, phrase := range says {
			if !strings.Contains(text, phrase) {
				t.Errorf("%s does not say %q:\n%s", what, phrase, text)
			}
		}
		if len(says) == 0 && strings.Contains(text, "The kafka plugin") {
			t.Errorf("%s says something that is not its business:\n%s", what, text)
		}
		if !strings.HasPrefix(what, "the removal") && strings.Contains(text, "take its configuration out") {
			t.Errorf("%s tells to delete the configuration:\n%s", what, text)
		}
	}
	same := func(what string, want map[string]string) {
		t.Helper()
		if diff := cmp.Diff(want, r.files(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}

	text, err := m.install(t, r, release)
	if err == nil || !strings.Contains(text, "halon") || m.version(t, r, packageName) != "" {
		t.Errorf("it was installed where the mail server is not: %v\n%s", err, text)
	}
	if m.format() == "deb" { // dpkg unpacks before it looks; apt does not
		if text, err := m.remove(t, r, packageName); err != nil {
			t.Fatalf("dpkg --purge: %v\n%s", err, text)
		}
	}
	same("a refused installation leaves", empty)

	text, err = m.install(t, r, development)
	step("the installation of a development package", text, err, "The kafka plugin is installed")
	text, err = m.remove(t, r, packageName)
	step("the removal of a development package", text, err, "The kafka plugin is removed")
	same("a removed development package leaves", empty)

	text, err = m.install(t, r, host)
	step("the mail server's installation", text, err)
	server := r.files(t)
	text, err = m.install(t, r, release)
	step("the first installation", text, err, "The kafka plugin is installed. To enable it, add its configuration to smtpd.yaml and then restart smtpd.")
	testList(t, server, r.files(t))
	testUse(t, r)
	text, err = m.install(t, r, release)
	step("the same package over itself", text, err, "Its configuration stays as it is. To load this version, restart smtpd.")
	testUse(t, r)
	spool := filepath.Join(r.path, "var/spool/halon")
	left := filepath.Join(t.TempDir(), "halon")
	output(t, "mv", spool, left)
	text, err = m.remove(t, r, packageName)
	step("the removal", text, err, "The kafka plugin is removed", "Spools stay")
	delete(server, "-rw-r--r-- root root /etc/smtpd.yaml") // the test's own, which use wrote
	wrote := r.files(t)
	maps.DeleteFunc(wrote, func(line, _ string) bool { return strings.Contains(line, " /etc/smtpd.yaml") })
	if diff := cmp.Diff(server, wrote); diff != "" {
		t.Errorf("the removal leaves (-want +got):\n%s", diff)
	}

	text, err = m.install(t, r, old)
	step("1.1.0", text, err)
	output(t, "mv", left, spool)
	before := r.files(t)
	text, err = m.install(t, r, release)
	step("the upgrade", text, err, "Its configuration stays as it is. To load this version, restart smtpd.")
	if lines := strings.Split(strings.TrimSpace(text), "\n"); !strings.HasPrefix(lines[len(lines)-1], "The kafka plugin replaces") {
		t.Errorf("the upgrade does not have the last word:\n%s", text)
	}
	testUse(t, r)
	text, err = m.install(t, r, old)
	step("the rollback", text, err)
	if got := m.version(t, r, packageName); got != "1.1.0" {
		t.Errorf("after the rollback %q is installed", got)
	}
	compareWithoutSpool(t, "the rollback", before, r.files(t))

	text, err = m.install(t, r, development)
	if err == nil || !strings.Contains(text, "nothing was changed") || strings.Contains(text, "The kafka plugin") {
		t.Errorf("a development package beside Halon: %v\n%s", err, text)
	}
	if got := m.version(t, r, packageName); got != "1.1.0" {
		t.Errorf("after a refused installation %q is installed", got)
	}
	compareWithoutSpool(t, "a refused installation", before, r.files(t))

	text, err = m.install(t, r, release)
	step("the second upgrade", text, err, "Its configuration stays as it is.")
	text, err = m.remove(t, r, packageName)
	step("the removal after it", text, err, "The kafka plugin is removed", "Spools stay")
	for _, kept := range []string{"etc/smtpd.yaml", "var/spool/halon/kafka/kafka1"} {
		if _, err := os.Stat(filepath.Join(r.path, kept)); err != nil {
			t.Errorf("the removal took what is the operator's: %v", err)
		}
		output(t, "rm", "-r", filepath.Join(r.path, kept))
	}
	output(t, "rm", "-r", spool)
	same("the removal leaves", server)
}

// compareWithoutSpool compares all but what the plugin, in use, wrote into its spool.
func compareWithoutSpool(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for _, list := range []map[string]string{want, got} {
		maps.DeleteFunc(list, func(line, _ string) bool { return strings.Contains(line, " /var/spool/halon/") })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s leaves (-want +got):\n%s", what, diff)
	}
}

// testList holds what the installation brought to the golden list. The folders of the mail server are not in it here.
func testList(t *testing.T, before, after map[string]string) {
	t.Helper()
	maps.DeleteFunc(after, func(line, _ string) bool { _, ok := before[line]; return ok })
	got := slices.Collect(maps.Keys(after))
	want := slices.DeleteFunc(append(golden(t, "files.txt"), pages(t)...), func(line string) bool { _, ok := before[line]; return ok })
	slices.SortFunc(got, byPath)
	slices.SortFunc(want, byPath)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("installed (-testdata/files.txt and docs, +root):\n%s", diff)
	}
}

// testUse works with what is installed as an operator does: checks a configuration, and sends a message through the
// plugin that each host would load.
func testUse(t *testing.T, r root) {
	t.Helper()
	write(t, filepath.Join(r.path, "etc/smtpd.yaml"), configuration, 0o644)
	write(t, filepath.Join(r.path, "tmp/one.hsl"), script, 0o644)
	spool := filepath.Join(r.path, "var/spool/halon/kafka")
	if err := os.MkdirAll(spool, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"smtpd", "hsh"} {
		text, err := r.run(t, "/opt/halon/bin/hsh", "--plugin-path", autoload+host+"/kafka.so", "-c", "/etc/smtpd.yaml", "-p", "kafka",
			"--broker", "embedded", "--consume", "mail", "/tmp/one.hsl")
		if err != nil || !strings.HasPrefix(text, "[]\n") || !strings.Contains(text, `"value":"installed"`) {
			t.Errorf("the plugin of %s: %v\n%s", host, err, text)
		}
	}
	for _, line := range []string{
		"/opt/halon/bin/halon-kafka check -c /etc/smtpd.yaml",
		"/opt/halon/bin/halon-kafka spool check /var/spool/halon/kafka/kafka1",
		". /usr/share/bash-completion/completions/halon-kafka && complete -p halon-kafka",
		"gzip -dc /usr/share/man/man1/halon-kafka.1.gz | grep -q '^.TH HALON-KAFKA'",
	} {
		if text, err := r.run(t, "bash", "-c", line); err != nil {
			t.Errorf("%s: %v\n%s", line, err, text)
		}
	}
}

// testForeign runs the package of another architecture under qemu, with that one's C library.
func testForeign(t *testing.T, project, deb, arch string) {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
	qemu, err := exec.LookPath("qemu-" + machine + "-static")
	if err != nil {
		t.Fatalf("the packages for %s are run under qemu (Debian: qemu-user-static): %v", arch, err)
	}
	folder := t.TempDir()
	output(t, "dpkg-deb", "-x", deb, folder)
	write(t, filepath.Join(folder, "smtpd.yaml"), strings.Split(configuration, "      spool:")[0], 0o600)
	write(t, filepath.Join(folder, "one.hsl"), script, 0o600)
	command := exec.CommandContext(t.Context(), qemu, "-L", system(t, oldest, arch), buildHost(t, project, arch),
		"--plugin-path", filepath.Join(folder, "opt/halon/plugins/kafka.so"), "-c", filepath.Join(folder, "smtpd.yaml"), "-p", "kafka",
		"--broker", "embedded", "--consume", "mail", filepath.Join(folder, "one.hsl"))
	command.WaitDelay = time.Minute
	var diagnostics bytes.Buffer
	command.Stderr = &diagnostics
	text, err := command.Output()
	if err != nil || !strings.HasPrefix(string(text), "[]\n") || !strings.Contains(string(text), `"value":"installed"`) {
		t.Errorf("the plugin: %v\n%s%s", err, text, diagnostics.String())
	}
	if text := output(t, qemu, filepath.Join(folder, "opt/halon/bin/halon-kafka"), "version"); !strings.HasPrefix(text, "halon-kafka 2.0.0\n") {
		t.Errorf("halon-kafka calls itself:\n%s", text)
	}
}

package packaging

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testRPM holds the rpm to the deb: the same files with the same bytes, modes and links, and the same scripts.
func testRPM(t *testing.T, rpm, deb string) {
	fields := output(t, "rpm", "-qp", "--qf", `%{NAME} %{VERSION} %{RELEASE} %{LICENSE} [%{REQUIRENAME}]`, rpm)
	if want := "halon-extras-kafka 2.0.0~dev 1 MIT (halon >= 6.5 or halon-smtpd >= 6.5)"; fields != want {
		t.Errorf("name, version, release, licence and dependencies: %q, want %q", fields, want)
	}

	var want []string
	for _, f := range debFiles(t, deb) {
		switch f.line[0] {
		case 'd': // folders belong to the host's package
		case 'l':
			want = append(want, f.line)
		default:
			want = append(want, fmt.Sprintf("%s %x", f.line, sha256.Sum256(f.content)))
		}
	}
	var got []string
	query := `[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}|%{FILELINKTOS}|%{FILEDIGESTS}` + "\n]"
	for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", query, rpm)) {
		part := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		switch {
		case part[1] != "":
			got = append(got, "lrwxrwxrwx"+part[0][10:]+" -> "+part[1])
		default:
			got = append(got, part[0]+" "+part[2])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-deb +rpm):\n%s", diff)
	}

	control := controlFiles(t, deb)
	for tag, script := range map[string]string{"PREIN": "preinst", "POSTIN": "postinst", "POSTUN": "postrm"} {
		got := output(t, "rpm", "-qp", "--qf", "%{"+tag+"}", rpm)
		if strings.TrimSpace(got) != strings.TrimSpace(control[script]) {
			t.Errorf("the rpm's %s is not the deb's %s:\n%s", tag, script, got)
		}
	}

	// rpm itself must understand the dependency, not only show it.
	text, err := exec.CommandContext(t.Context(), "rpm", "--dbpath", t.TempDir(), "-i", "--test", rpm).CombinedOutput()
	if err == nil || !strings.Contains(string(text), "(halon >= 6.5 or halon-smtpd >= 6.5) is needed by halon-extras-kafka") {
		t.Errorf("rpm would install it where Halon is not: %v\n%s", err, text)
	}
}

package packaging

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testRPM holds the rpm to the deb: the same files with the same bytes, modes and links, and the same scripts.
func testRPM(t *testing.T, rpm, deb string) {
	fields := output(t, "rpm", "-qp", "--qf", `%{NAME} %{VERSION} %{RELEASE} %{LICENSE} [%{REQUIRENAME}]`, rpm)
	if want := "halon-extras-kafka 2.0.0 1 MIT libc.so.6(GLIBC_2.28)(64bit)(halon >= 6.5 or halon-smtpd >= 6.5)"; fields != want {
		t.Errorf("name, version, release, licence and dependencies: %q, want %q", fields, want)
	}

	var want []string
	for _, f := range debFiles(t, deb) {
		switch f.line[0] {
		case 'd':
			// rpm removes only folders that a package owns; those of the system are not ours.
			if strings.Contains(f.line, " /opt/halon") {
				want = append(want, f.line+" ")
			}
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
	last, err := os.ReadFile(filepath.Join("scripts", "posttrans"))
	if err != nil {
		t.Fatal(err)
	}
	control["posttrans"] = string(last)
	for tag, script := range map[string]string{"PREIN": "preinst", "POSTIN": "postinst", "POSTUN": "postrm", "POSTTRANS": "posttrans"} {
		got, want := output(t, "rpm", "-qp", "--qf", "%{"+tag+"}", rpm), control[script]
		if want == "" {
			want = "(none)"
		}
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("the rpm's %s is not the deb's %s:\n%s", tag, script, got)
		}
	}
}

package packaging

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const documents = "/opt/halon/share/doc/plugins/kafka/"

// entry is one file of a package.
type entry struct {
	line    string // mode, owner, group, path and link, as in testdata/files.txt
	content []byte
}

// debFiles reads the deb's files by path.
func debFiles(t *testing.T, deb string) map[string]entry {
	t.Helper()
	files := make(map[string]entry)
	archive := tar.NewReader(strings.NewReader(output(t, "dpkg-deb", "--fsys-tarfile", deb)))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		info := header.FileInfo()
		path := "/" + strings.Trim(strings.TrimPrefix(header.Name, "."), "/")
		mode := "-" + info.Mode().Perm().String()[1:]
		link := ""
		switch header.Typeflag {
		case tar.TypeDir:
			mode = "d" + mode[1:]
		case tar.TypeSymlink:
			// The mode of a link means nothing; it is what the kernel shows for any.
			mode, link = "lrwxrwxrwx", " -> "+header.Linkname
		}
		if header.ModTime.Unix() != 1790000000 {
			t.Errorf("%s has the time %v, want SOURCE_DATE_EPOCH's", path, header.ModTime)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = entry{fmt.Sprintf("%s %s %s %s%s", mode, header.Uname, header.Gname, path, link), content}
	}
}

// controlFiles reads the deb's control files by name.
func controlFiles(t *testing.T, deb string) map[string]string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "control")
	output(t, "dpkg-deb", "--control", deb, folder)
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range list {
		content, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name()] = string(content)
	}
	return files
}

// golden returns the lines of a file in testdata.
func golden(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// pages returns the lines that the files of docs and examples have. They are not in the golden list: a new page is no
// change of the package's shape.
func pages(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, kind := range []string{"docs/*.md", "docs/*.svg", "docs/*.png", "examples/*.hsl", "examples/*.yaml"} {
		files, err := filepath.Glob("../" + kind)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", kind, files, err)
		}
		for _, f := range files {
			lines = append(lines, "-rw-r--r-- root root "+documents+strings.TrimPrefix(f, "../"))
		}
	}
	return lines
}

// byPath orders lines of the list.
func byPath(a, b string) int { return strings.Compare(strings.Fields(a)[3], strings.Fields(b)[3]) }

// architecture is that of a package's file.
func architecture(t *testing.T, pkg string) string {
	t.Helper()
	for _, arch := range []string{"amd64", "arm64"} {
		if slices.Contains([]string{names(t, "2.0.0", arch)[0], names(t, "2.0.0", arch)[1]}, filepath.Base(pkg)) {
			return arch
		}
	}
	t.Fatalf("%s is for no architecture that is known", pkg)
	return ""
}

func testDeb(t *testing.T, deb, arch, version, depends string) {
	want := map[string]string{
		"Package": "halon-extras-kafka", "Version": version, "Section": "mail", "Architecture": arch,
		"Depends": depends, "Pre-Depends": "", "Conflicts": "",
	}
	for field, value := range want {
		if got := strings.TrimSpace(output(t, "dpkg-deb", "--field", deb, field)); got != value {
			t.Errorf("%s: %q, want %q", field, got, value)
		}
	}

	files := debFiles(t, deb)
	var lines []string
	for _, f := range files {
		lines = append(lines, f.line)
	}
	list := append(golden(t, "files.txt"), pages(t)...)
	slices.SortFunc(lines, byPath)
	slices.SortFunc(list, byPath)
	if diff := cmp.Diff(list, lines); diff != "" {
		t.Errorf("files (-testdata/files.txt and docs, +package):\n%s", diff)
	}

	control := controlFiles(t, deb)
	for _, script := range []string{"postinst", "postrm"} {
		ours, err := os.ReadFile(filepath.Join("scripts", script))
		if err != nil {
			t.Fatal(err)
		}
		if control[script] != string(ours) {
			t.Errorf("%s is not packaging/scripts/%s:\n%s", script, script, control[script])
		}
	}
	if _, ok := control["preinst"]; ok != strings.HasSuffix(version, "~dev") {
		t.Errorf("preinst, which is for development packages: %v", ok)
	}
	if text := output(t, "dpkg-deb", "--field", deb, "Description"); strings.Contains(text, "for inspection only") != strings.HasSuffix(version, "~dev") {
		t.Errorf("%s is described as %q", version, text)
	}
	testBill(t, files["/opt/halon/share/sbom/plugins/kafka.json"].content, version)

	// Each file's licence comes with it, ours and those of what is linked in.
	for name, phrase := range map[string]string{
		"LICENSE":              "MIT License",
		"THIRD-PARTY-LICENSES": "github.com/twmb/franz-go",
	} {
		if !bytes.Contains(files[documents+name].content, []byte(phrase)) {
			t.Errorf("%s%s does not have %q", documents, name, phrase)
		}
	}
}

// testBill reads the bill of materials: of each program it must name the Kafka client by the version that go.mod has, and
// what only one of them has only there.
func testBill(t *testing.T, text []byte, version string) {
	t.Helper()
	var bill struct {
		BomFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components   []struct{ Name, Version, Purl string }
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatalf("the bill of materials: %v\n%s", err, text)
	}
	if bill.BomFormat != "CycloneDX" || bill.Metadata.Component.Name != "halon-extras-kafka" || bill.Metadata.Component.Version != version {
		t.Errorf("the bill of materials is %s of %+v", bill.BomFormat, bill.Metadata.Component)
	}
	const client = "github.com/twmb/franz-go"
	want := "pkg:golang/" + client + "@" + strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Version}}", client))
	var known []string
	for _, c := range bill.Components {
		known = append(known, c.Purl)
	}
	programs := make(map[string]bool)
	for _, d := range bill.Dependencies {
		programs[d.Ref] = true
		if !slices.Contains(d.DependsOn, want) {
			t.Errorf("the bill of %s does not have %s: %v", d.Ref, want, d.DependsOn)
		}
		for _, ref := range d.DependsOn {
			if !slices.Contains(known, ref) {
				t.Errorf("%s needs %s, which the bill does not have", d.Ref, ref)
			}
		}
		if yaml := slices.ContainsFunc(d.DependsOn, func(ref string) bool { return strings.Contains(ref, "/yaml/") }); yaml != (d.Ref == "halon-kafka") {
			t.Errorf("%s is said to read YAML: %v", d.Ref, yaml)
		}
	}
	if !programs["kafka.so"] || !programs["halon-kafka"] || len(programs) != 2 {
		t.Errorf("the bill is of %v", programs)
	}
}

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
	"runtime"
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

// guides returns the paths that the files of docs have in a package. They are not in the golden list: a new page
// is no change of the package's shape.
func guides(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("the pages of docs: %v, %v", pages, err)
	}
	for i, page := range pages {
		pages[i] = documents + filepath.Base(page)
	}
	return pages
}

func testDeb(t *testing.T, deb, version string) {
	want := map[string]string{
		"Package": "halon-extras-kafka", "Version": version, "Section": "mail", "Architecture": runtime.GOARCH,
		"Depends": "halon (>= 6.5) | halon-smtpd (>= 6.5)", "Pre-Depends": "", "Conflicts": "",
	}
	for field, value := range want {
		if got := strings.TrimSpace(output(t, "dpkg-deb", "--field", deb, field)); got != value {
			t.Errorf("%s: %q, want %q", field, got, value)
		}
	}

	files := debFiles(t, deb)
	for _, page := range guides(t) {
		if got, want := files[page].line, "-rw-r--r-- root root "+page; got != want {
			t.Errorf("a page of docs: %q, want %q", got, want)
		}
		delete(files, page)
	}
	var lines []string
	for _, f := range files {
		lines = append(lines, f.line)
	}
	byPath := func(a, b string) int { return strings.Compare(strings.Fields(a)[3], strings.Fields(b)[3]) }
	slices.SortFunc(lines, byPath)
	list := golden(t, "files.txt")
	slices.SortFunc(list, byPath)
	if diff := cmp.Diff(list, lines); diff != "" {
		t.Errorf("files (-testdata/files.txt +package):\n%s", diff)
	}

	control := controlFiles(t, deb)
	for _, script := range []string{"postinst", "postrm"} {
		ours, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if control[script] != string(ours) {
			t.Errorf("%s is not packaging/%s:\n%s", script, script, control[script])
		}
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

// testBill reads the bill of materials, which must name the Kafka client by the version that go.mod has.
func testBill(t *testing.T, text []byte, version string) {
	t.Helper()
	var bill struct {
		BomFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatalf("the bill of materials: %v\n%s", err, text)
	}
	if bill.BomFormat != "CycloneDX" || bill.Metadata.Component.Name != "halon-extras-kafka" || bill.Metadata.Component.Version != version {
		t.Errorf("the bill of materials is %s of %+v", bill.BomFormat, bill.Metadata.Component)
	}
	const client = "github.com/twmb/franz-go"
	wanted := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Version}}", client))
	for _, c := range bill.Components {
		if c.Name == client && c.Version == wanted && c.Purl == "pkg:golang/"+client+"@"+wanted {
			return
		}
	}
	t.Errorf("the bill of materials does not have %s %s:\n%s", client, wanted, text)
}

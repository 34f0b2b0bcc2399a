package docs_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/authority"
)

// keyPair writes a certificate and its key, in one folder with a password.
func keyPair(t *testing.T) string {
	t.Helper()
	ca, folder := authority.New(t, "test"), t.TempDir()
	for name, text := range map[string][]byte{
		"ca.crt": authority.Chain(ca.Cert),
		"key":    authority.Key(t, tls.Certificate{PrivateKey: ca.Key}),
		"text":   []byte("secret\n"),
	} {
		for _, as := range map[string][]string{
			"ca.crt": {"ca.crt", "ca.pem", "user.crt", "service.cert"}, "key": {"user.key", "service.key"}, "text": {"password"},
		}[name] {
			if err := os.WriteFile(filepath.Join(folder, as), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return folder
}

// Each link between the pages leads to a file of the project.
func TestLinksLeadSomewhere(t *testing.T) {
	var pages []string
	for _, kind := range []string{"*.md", "../*.md", "../bench/*.md"} {
		files, err := filepath.Glob(kind)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", kind, files, err)
		}
		pages = append(pages, files...)
	}
	for _, name := range pages {
		for _, match := range regexp.MustCompile(`\]\(([^)\s#]+)`).FindAllStringSubmatch(page(t, name), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), match[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

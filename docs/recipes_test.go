package docs_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// keyPair writes a certificate and its key, in one folder with a password.
func keyPair(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range map[string][]byte{
		"ca.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		"key":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
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

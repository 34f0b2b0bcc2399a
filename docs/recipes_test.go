package docs_test

import (
	"bytes"
	"context"
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

	"github.com/halon-extras/kafka/internal/operator"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

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

// checkBlock runs a block through `halon-kafka check --strict`: it must start, and nothing may be amiss with it.
func checkBlock(t *testing.T, block, folder string) {
	t.Helper()
	block = strings.NewReplacer("/etc/halon/kafka", folder, "/var/spool/halon", folder, ":PORT", ":9092").Replace(block)
	var out, diagnostics bytes.Buffer
	status := operator.Run(context.Background(), []string{"check", "--strict", "-c", "-"},
		operator.Terminal{In: strings.NewReader(block), Out: &out, Err: &diagnostics})
	if status != 0 {
		t.Errorf("check ends with %d:\n%s%s\n%s", status, out.String(), diagnostics.String(), block)
	}
}

func TestEachRecipePassesCheck(t *testing.T) {
	folder := keyPair(t)
	text, err := os.ReadFile("recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(text), "\n## ")[1:]
	if len(sections) < 6 {
		t.Errorf("there are recipes for %d only", len(sections))
	}
	for _, section := range sections {
		name, _, _ := strings.Cut(section, "\n")
		t.Run(name, func(t *testing.T) {
			blocks := yamlBlock.FindAllStringSubmatch(section, -1)
			if len(blocks) == 0 {
				t.Error("it has no configuration")
			}
			for _, b := range blocks {
				checkBlock(t, b[1], folder)
			}
		})
	}
}

func TestTheReadmesConfigurationPassesCheck(t *testing.T) {
	folder := keyPair(t)
	blocks := yamlBlock.FindAllStringSubmatch(page(t, "../README.md"), -1)
	if len(blocks) == 0 {
		t.Error("the README has no configuration")
	}
	for _, b := range blocks {
		checkBlock(t, b[1], folder)
	}
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

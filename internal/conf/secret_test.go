package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecretIsReadAtStartAndAgainWhenItIsAskedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\r\n")
	t.Setenv("KAFKA_TEST_USER", "mail")
	c := New()
	for _, secret := range []struct {
		name   string
		source Source
	}{{"sasl.password", Source{File: file}}, {"sasl.username", Source{Env: "KAFKA_TEST_USER"}}} {
		if err := c.SetSecret(secret.name, secret.source); err != nil {
			t.Fatal(err)
		}
	}
	set, _, err := c.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := set.Get("sasl.password"); text != "first" {
		t.Errorf("at the start it is %q", text)
	}
	now := func(property, want string) {
		t.Helper()
		if text, ok := set.conf.secrets.get(property); !ok || text != want {
			t.Errorf("%s is %q, %t, want %q", property, text, ok, want)
		}
	}
	now("sasl.username", "mail")
	write("second\n\n")
	now("sasl.password", "second\n")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	now("sasl.password", "second\n")
	write("third")
	now("sasl.password", "third")
	if _, ok := set.conf.secrets.get("ssl.key.password"); ok {
		t.Error("a property without a source has one")
	}
	for name, hidden := range map[string]bool{
		"sasl.password": true, "sasl.username": true, "ssl.key.password": true, "client.id": false, "nosuch": false,
	} {
		if set.Hidden(name) != hidden {
			t.Errorf("%s is hidden: %t", name, !hidden)
		}
	}
}

func TestASecretThatCannotBeSetIsOneSentenceWithoutIt(t *testing.T) {
	folder := t.TempDir()
	const secret = "hunter2"
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, empty, nul := file("good", secret), file("empty", "\n"), file("nul", secret+"\x00"+secret)
	large := file("large", strings.Repeat(secret, largestSecret/7+1))
	missing := filepath.Join(folder, "missing")
	t.Setenv("KAFKA_TEST_EMPTY", "")
	for _, test := range []struct {
		name   string
		source Source
		config string
		want   string
	}{
		{"sasl.pasword", Source{File: good}, "", "secrets: sasl.pasword: there is no such property"},
		{"acks", Source{File: good}, "", "secrets: acks: this property is no secret, write it into config"},
		{"client.id", Source{File: good}, "", "secrets: client.id: this property is no secret, write it into config"},
		{"sasl.password", Source{}, "", "secrets: sasl.password: it takes exactly one of {file: PATH} and {env: NAME}"},
		{"sasl.password", Source{File: good, Env: "X"}, "", "secrets: sasl.password: it takes exactly one of {file: PATH} and {env: NAME}"},
		{"sasl.password", Source{File: good}, "sasl.password", "secrets: sasl.password: it is in config too, leave one out"},
		{
			"sasl.oauthbearer.client.credentials.client.secret",
			Source{File: good},
			"sasl.oauthbearer.client.secret",
			"secrets: sasl.oauthbearer.client.credentials.client.secret: it is in config too, leave one out",
		},
		{"sasl.password", Source{File: missing}, "", "secrets: sasl.password: the file " + missing + " cannot be read: no such file or directory"},
		{"sasl.password", Source{File: folder}, "", "secrets: sasl.password: the file " + folder + " cannot be read: "},
		{"sasl.password", Source{File: empty}, "", "secrets: sasl.password: the file " + empty + " is empty"},
		{"sasl.password", Source{File: nul}, "", "secrets: sasl.password: the file " + nul + " has a NUL byte, and a property ends at the first"},
		{"sasl.password", Source{File: large}, "", "secrets: sasl.password: the file " + large + " has "},
		{"sasl.password", Source{Env: "KAFKA_TEST_UNSET"}, "", "secrets: sasl.password: the environment variable KAFKA_TEST_UNSET is not set"},
		{"sasl.password", Source{Env: "KAFKA_TEST_EMPTY"}, "", "secrets: sasl.password: the environment variable KAFKA_TEST_EMPTY is empty"},
	} {
		c := New()
		if test.config != "" {
			if err := c.Set(test.config, secret); err != nil {
				t.Fatal(err)
			}
		}
		err := c.SetSecret(test.name, test.source)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s from %+v: %v, want %s", test.name, test.source, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: the error has the secret or a newline: %q", test.name, err)
		}
	}
	c := New()
	if err := c.SetSecret("sasl.password", Source{File: good}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetSecret("sasl.password", Source{File: good}); err == nil || err.Error() != "secrets: sasl.password: it is there twice, leave one out" {
		t.Errorf("a secret that is there twice: %v", err)
	}
}

// Whatever a secret holds, no error and no warning repeats it.
func TestNoMessageHasASecret(t *testing.T) {
	const secret = "hunter2=,%s hunter2"
	t.Setenv("KAFKA_TEST_SECRET", secret)
	n := 0
	for _, p := range Properties() {
		if !p.MayBeSecret() || p.Kind == Alias {
			continue
		}
		n++
		for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "OAUTHBEARER", "GSSAPI", "AWS_MSK_IAM"} {
			for _, method := range []string{"default", "oidc"} {
				c := New()
				if err := c.SetSecret(p.Name, Source{Env: "KAFKA_TEST_SECRET"}); err != nil {
					t.Fatal(err)
				}
				for _, set := range [][2]string{{"security.protocol", "sasl_ssl"}, {"sasl.mechanism", mechanism}, {"sasl.oauthbearer.method", method}} {
					if err := c.Set(set[0], set[1]); err != nil {
						t.Fatal(err)
					}
				}
				_, warnings, err := c.Finalize(1)
				if err != nil && strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s with %s: %v", p.Name, mechanism, err)
				}
				for _, w := range append(warnings, c.Warnings()...) {
					if strings.Contains(w.Text, "hunter2") {
						t.Errorf("%s with %s: %s", p.Name, mechanism, w.Text)
					}
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d properties may be secrets", n)
	}
}

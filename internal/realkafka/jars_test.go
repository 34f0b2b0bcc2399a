package realkafka

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJavaMajor(t *testing.T) {
	for text, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`:   17,
		`java version "1.8.0_402"`:               8,
		`openjdk version "25" 2025-09-16 LTS`:    25,
		`openjdk version "24-ea" 2025-03-18`:     24,
		`The program 'java' is not installed.`:   0,
		"":                                       0,
		`version "99999999999999999999999999.1"`: 0,
	} {
		if got := javaMajor([]byte(text)); got != want {
			t.Errorf("javaMajor(%q) = %d, want %d", text, got, want)
		}
	}
}

// program puts an executable script into a folder and returns the folder.
func program(t *testing.T, name, script string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestMissingOrOldJavaIsUnavailable(t *testing.T) {
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir())
	if _, err := findJava(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no java on the path: %v", err)
	}
	t.Setenv("PATH", program(t, "java", `echo 'openjdk version "11.0.2"' >&2`)+":/bin:/usr/bin")
	if _, err := findJava(t.Context()); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "is Java 11") {
		t.Errorf("java 11: %v", err)
	}
}

// maven writes a stand-in for Maven that adds one line to a file at each call, and returns that file.
func maven(t *testing.T) string {
	t.Helper()
	calls := filepath.Join(t.TempDir(), "calls")
	script := fmt.Sprintf(`for a; do case $a in -DoutputDirectory=*) mkdir -p "${a#*=}" && : >"${a#*=}/a.jar";; esac; done
echo call >>%q
`, calls)
	t.Setenv("PATH", program(t, "mvn", script)+":/bin:/usr/bin")
	return calls
}

func TestJarsAreResolvedOnceAndAgainWhenThePomChanges(t *testing.T) {
	calls := maven(t)
	folder := filepath.Join(t.TempDir(), "build", "jars")
	pom := filepath.Join(t.TempDir(), "pom.xml")
	for i, step := range []struct {
		pom  string
		want int
	}{{"one", 1}, {"one", 1}, {"two", 2}, {"two", 2}} {
		if err := os.WriteFile(pom, []byte(step.pom), 0o600); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			if err := os.WriteFile(filepath.Join(folder, "old.jar"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := resolveJars(t.Context(), pom, folder); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		text, err := os.ReadFile(calls)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), "call"); got != step.want {
			t.Errorf("step %d: Maven was asked %d times, want %d", i, got, step.want)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "old.jar")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a jar of the former pom is still there: %v", err)
	}
}

func TestMissingMavenIsUnavailable(t *testing.T) {
	pom := filepath.Join(t.TempDir(), "pom.xml")
	if err := os.WriteFile(pom, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := resolveJars(t.Context(), pom, filepath.Join(t.TempDir(), "jars")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no mvn on the path: %v", err)
	}
}

func TestPropertiesNameEveryListener(t *testing.T) {
	text := properties("/data", map[string]int{Plaintext: 1, controller: 2, "SASL": 3}, Options{
		Listeners:  []Listener{{"SASL", "SASL_SSL"}},
		Advertised: map[string]string{Plaintext: "127.0.0.1:9"},
		Properties: map[string]string{"num.io.threads": "7", "ssl.keystore.key": "a\nb\\c"},
	})
	for _, line := range []string{
		"listeners=PLAINTEXT://127.0.0.1:1,SASL://127.0.0.1:3,CONTROLLER://127.0.0.1:2",
		"advertised.listeners=PLAINTEXT://127.0.0.1:9,SASL://127.0.0.1:3",
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,CONTROLLER:PLAINTEXT",
		"auto.create.topics.enable=false",
		"num.io.threads=7",
		`ssl.keystore.key=a\nb\\c`,
	} {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("server.properties lacks the line %s:\n%s", line, text)
		}
	}
}

func TestPortsAreFreeAndDistinct(t *testing.T) {
	ports, err := freePorts([]string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for name, port := range ports {
		if port == 0 || seen[port] {
			t.Errorf("%s has port %d, among %v", name, port, ports)
		}
		seen[port] = true
	}
}

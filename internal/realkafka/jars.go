package realkafka

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
)

// ErrUnavailable says that this machine cannot run the broker at all: Java or Maven is missing, or Java
// is too old. Every other error of [Start] is a fault worth a failed test.
var ErrUnavailable = errors.New("Apache Kafka cannot run on this machine") //nolint:staticcheck // "Apache" is a name

// javaNeeded is the oldest Java that a Kafka 4 broker runs on. Source: Kafka's upgrade notes for 4.0.
const javaNeeded = 17

// Require ends the test unless err is nil. What the machine lacks is a skip, with the reason in capital
// letters because a skip is easily taken for a pass; with CI=true it is a failure, as is any other error.
func Require(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrUnavailable) && os.Getenv("CI") != "true":
		t.Skipf("NOT TESTED ON A REAL BROKER: %v", err)
	default:
		t.Fatal(err)
	}
}

// findJava returns the java program: the one of JAVA_HOME, or the first on the path.
func findJava(ctx context.Context) (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	java, err := exec.LookPath(java)
	if err != nil {
		return "", fmt.Errorf("%w: install a Java runtime, version %d or newer: %w", ErrUnavailable, javaNeeded, err)
	}
	text, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s -version: %w", ErrUnavailable, java, err)
	}
	if major := javaMajor(text); major < javaNeeded {
		return "", fmt.Errorf("%w: %s is Java %d, and the broker needs %d or newer", ErrUnavailable, java, major, javaNeeded)
	}
	return java, nil
}

var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaMajor reads the major version from what `java -version` prints; 0 if it is not there. Before Java 9 the
// version began with "1.".
func javaMajor(text []byte) int {
	found := javaVersion.FindSubmatch(text)
	if found == nil {
		return 0
	}
	major, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return major
}

// resolveJars makes sure that folder holds the jars that pom names, and asks Maven for them only when it
// does not. The packages' test programs run side by side, so one of them resolves behind a lock and the
// others wait for it.
func resolveJars(ctx context.Context, pom, folder string) error {
	wanted, err := pomDigest(pom)
	if err != nil {
		return err
	}
	mark := filepath.Join(folder, ".pom-sha256")
	if have, err := os.ReadFile(mark); err == nil && string(have) == wanted {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(folder+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if have, err := os.ReadFile(mark); err == nil && string(have) == wanted {
		return nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return fmt.Errorf("%w: install Maven, or run `make kafka-jars` where it is: %w", ErrUnavailable, err)
	}
	// A jar of an older version left beside the new one would win by its place on the class path.
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, mvn, "-q", "-B", "-f", pom,
		"dependency:copy-dependencies", "-DoutputDirectory="+folder)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn could not resolve the jars of %s: %w\n%s", pom, err, bytes.TrimSpace(out))
	}
	// Written last: a resolve that was interrupted is begun again, not taken for a whole one.
	return os.WriteFile(mark, []byte(wanted), 0o644)
}

func pomDigest(pom string) (string, error) {
	text, err := os.ReadFile(pom)
	if err != nil {
		return "", fmt.Errorf("the broker's jars are named in a file that is missing: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// projectRoot is the folder of go.mod: a test runs in the folder of its package, somewhere below it.
func projectRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("no go.mod in %s or above it: run the test inside the project", start)
		}
	}
}

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildPrograms returns a folder with halon-kafka, and an hslrun that loads the kafka.so under test. The Makefile names built
// files, and with them the builds that `go build` alone does not make: with the address sanitizer, or on a header
// with other numbers.
func buildPrograms(folder string) (bin string, err error) {
	plugin, hslrun := os.Getenv("KAFKA_SO"), os.Getenv("HSLRUN")
	if plugin == "" {
		plugin = filepath.Join(folder, "kafka.so")
		if err := goBuild("-buildmode=c-shared", "-tags", "nethttpomithttp2", "-o", plugin, "../cmd/kafka"); err != nil {
			return "", err
		}
	}
	if hslrun == "" {
		hslrun = filepath.Join(folder, "hslrun")
		if err := goBuild("-o", hslrun, "../cmd/hslrun"); err != nil {
			return "", err
		}
	}
	for _, path := range []*string{&plugin, &hslrun} {
		if *path, err = filepath.Abs(*path); err != nil {
			return "", err
		}
		if _, err := os.Stat(*path); err != nil {
			return "", fmt.Errorf("KAFKA_SO and HSLRUN must name built files: %w", err)
		}
	}
	bin = filepath.Join(folder, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return "", err
	}
	if err := goBuild("-o", filepath.Join(bin, "halon-kafka"), "../cmd/halon-kafka"); err != nil {
		return "", err
	}
	if err := goBuild("-o", filepath.Join(bin, "halonctl"), "./halonctl"); err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		// A host that never ends fails its own script, with the stacks of its goroutines, and not the whole run. It
		// gets twice the time that a drain may take. exec, so that a signal reaches it.
		"hslrun": fmt.Sprintf("exec timeout -s QUIT -k 10 120 %s --plugin-path %s \"$@\"\n", quoted(hslrun), quoted(plugin)),
		"exits":  "want=$1; shift; \"$@\"; got=$?\n[ $got = $want ] || { echo \"exit status $got, want $want\" >&2; exit 1; }\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			return "", err
		}
	}
	return bin, nil
}

// quoted is a word for the shell, whatever is in it.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

func goBuild(arguments ...string) error {
	command := exec.Command("go", append([]string{"build"}, arguments...)...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %v: %w\n%s", arguments, err, out)
	}
	return nil
}

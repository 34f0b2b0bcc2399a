package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// buildPrograms returns a folder with an hslrun that loads the kafka.so under test. The Makefile names built
// files, and with them the builds that `go build` alone does not make: with the address sanitizer, or on a header
// with other numbers.
func buildPrograms(folder string) (bin string, err error) {
	plugin, hslrun := os.Getenv("KAFKA_SO"), os.Getenv("HSLRUN")
	if plugin == "" {
		plugin = filepath.Join(folder, "kafka.so")
		if err := goBuild("-buildmode=c-shared", "-o", plugin, "../cmd/kafka"); err != nil {
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
	// exec, so that a signal to the script's background process reaches hslrun itself.
	wrapper := fmt.Sprintf("#!/bin/sh\nexec '%s' --plugin-path '%s' \"$@\"\n", hslrun, plugin)
	return bin, os.WriteFile(filepath.Join(bin, "hslrun"), []byte(wrapper), 0o755)
}

func goBuild(arguments ...string) error {
	command := exec.Command("go", append([]string{"build"}, arguments...)...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %v: %w\n%s", arguments, err, out)
	}
	return nil
}

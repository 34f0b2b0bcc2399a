// Package gnuplot draws the plots of the bench and of the soak, from a script and a table, with the program gnuplot.
package gnuplot

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrMissing says that there is no gnuplot on this machine.
var ErrMissing = errors.New("there is no gnuplot, so there is no plot (Debian: gnuplot-nox)")

// Draw writes table and script to name.tsv and name.gp, runs gnuplot, and returns the picture, which is also in name.svg. The script gets
// the variables data, out and headline.
func Draw(name, headline string, table, script []byte) (picture []byte, err error) {
	data, recipe, out := name+".tsv", name+".gp", name+".svg"
	if err := errors.Join(os.WriteFile(data, table, 0o644), os.WriteFile(recipe, script, 0o644)); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath("gnuplot"); err != nil {
		return nil, fmt.Errorf("%w; the table is in %s", ErrMissing, data)
	}
	command := exec.Command("gnuplot", "-e", fmt.Sprintf("data=%s; out=%s; headline=%s", quoted(data), quoted(out), quoted(headline)), filepath.Clean(recipe))
	if text, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gnuplot %s: %w\n%s", recipe, err, text)
	}
	return os.ReadFile(out)
}

// quoted is a string of gnuplot's language.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

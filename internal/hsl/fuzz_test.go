package hsl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// seed adds every script of the case files, also those that fail.
func seed(f *testing.F) {
	for _, path := range caseFiles(f) {
		for _, c := range readCases(f, path) {
			for _, src := range c.files {
				f.Add([]byte(src))
			}
		}
	}
}

// inside fails the test where p is not a place in src, as far as that can be told for a script that
// may import itself.
func inside(t *testing.T, p Pos, src []byte) {
	t.Helper()
	if p.Line < 1 || p.Column < 1 || p.Line > 1+strings.Count(string(src), "\n") {
		t.Fatalf("the error is at %s, which is not in the script", p)
	}
}

// FuzzParse holds that any bytes either parse or give a SyntaxError with a place in the script, the
// same one each time.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		env := testEnv(nil, func(string) {})
		_, err := Parse(mainFile, src, env)
		_, again := Parse(mainFile, src, env)
		if fmt.Sprint(err) != fmt.Sprint(again) {
			t.Fatalf("two errors for one script: %v and %v", err, again)
		}
		if err == nil {
			return
		}
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Fatalf("the error is no SyntaxError: %v", err)
		}
		inside(t, syntax.Pos, src)
	})
}

// FuzzRun holds that a script ends within its limits, never in a panic, and that what ends it early is
// a ScriptError with a place in the script.
func FuzzRun(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		env := testEnv(map[string]string{"part.hsl": string(src)}, func(string) {})
		env.Limits = Limits{Steps: 2000, Depth: 50, Bytes: 1 << 14}
		p, err := Parse(mainFile, src, env)
		if err != nil {
			return
		}
		synctest.Test(t, func(t *testing.T) { err = p.Run(t.Context(), env) }) // a script may sleep for years
		var script *ScriptError
		switch {
		case err == nil:
		case errors.As(err, &script):
			inside(t, script.Pos, src)
		default:
			t.Fatalf("the error is no ScriptError: %v", err)
		}
	})
}

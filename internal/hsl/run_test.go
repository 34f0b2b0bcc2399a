package hsl

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func mustParse(t *testing.T, src string, env *Env) *Program {
	t.Helper()
	p, err := Parse(mainFile, []byte(src), env)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Runs of one program share its constants, and nothing else.
func TestRunsOfOneProgramDoNotMeet(t *testing.T) {
	const src = `import $cfg from "cfg.json"; import { next } from "lib.hsl";
		$cfg["list"][] = next(); $cfg["sub"]["k"] .= "x"; echo $cfg;`
	env := testEnv(map[string]string{
		"cfg.json": `{"list": [1], "sub": {"k": "v"}}`,
		"lib.hsl":  `$n = 0; function next() { global $n; return ++$n; }`,
	}, nil)
	p := mustParse(t, src, env)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				var got string
				if err := p.Run(t.Context(), &Env{Echo: func(s string) { got = s }}); err != nil {
					t.Error(err)
				}
				if want := `["list"=>[0=>1,1=>1],"sub"=>["k"=>"vx"]]`; got != want {
					t.Errorf("echoed %s, want %s", got, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestContextEndsALoop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	env := &Env{Echo: func(string) { cancel() }}
	err := mustParse(t, "echo 1; forever { }", env).Run(ctx, env)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v, want the context's error", err)
	}
	var script *ScriptError
	if !errors.As(err, &script) || script.Value != nil || script.String() != "t.hsl:1:9" {
		t.Fatalf("ended with %#v, want a ScriptError at the loop", err)
	}
}

func TestContextEndsASleepAndCannotBeCaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		env := &Env{Echo: func(s string) { t.Errorf("echoed %s", s) }}
		err := mustParse(t, "try { sleep(3600); } catch ($e) { echo 1; }", env).Run(ctx, env)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("ended with %v, want the context's error", err)
		}
	})
}

func TestSleepEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		env := &Env{}
		if err := mustParse(t, "sleep(1.5); syslog(1, \"x\"); echo time();", env).Run(t.Context(), env); err != nil {
			t.Fatal(err)
		}
		if slept := time.Since(begun); slept != 1500*time.Millisecond {
			t.Fatalf("slept %v", slept)
		}
	})
}

// A plugin's function is looked up in the Env of the run, so that each run can have its own.
func TestNativesBelongToTheRun(t *testing.T) {
	parse := &Env{Modules: map[string]map[string]Native{"m": {"f": nil}}}
	p := mustParse(t, `import { f } from "m"; echo f("\x00a", 1, true, none, [1]);`, parse)
	var args []Value
	env := &Env{
		Modules: map[string]map[string]Native{"m": {"f": func(ctx context.Context, a []Value) (Value, error) {
			if ctx.Value(key{}) != "mine" {
				t.Error("the function did not get the context of the run")
			}
			args = a
			return String("\x00"), nil
		}}},
		Echo: func(s string) {
			if s != "\x00" {
				t.Errorf("echoed %q", s)
			}
		},
	}
	if err := p.Run(context.WithValue(t.Context(), key{}, "mine"), env); err != nil {
		t.Fatal(err)
	}
	got, err := Text(NewArray(args...))
	if want := `[0=>"\x00a",1=>1,2=>true,3=>none,4=>[0=>1]]`; err != nil || got != want {
		t.Fatalf("called with %s, %v, want %s", got, err, want)
	}
	err = p.Run(t.Context(), &Env{})
	if err == nil || err.Error() != "t.hsl:1:29: uncaught exception: the module m has no f" {
		t.Fatalf("without the function: %v", err)
	}
}

type key struct{}

// What a plugin keeps of its arguments does not change when the script goes on.
func TestNativesMayKeepArguments(t *testing.T) {
	var kept Value
	env := &Env{Modules: map[string]map[string]Native{"m": {"f": func(_ context.Context, a []Value) (Value, error) {
		kept = a[0]
		return a[0], nil
	}}}}
	src := `import { f } from "m"; $a = ["k" => [1]]; $b = f($a); $a["k"][] = 2; $b["k"][] = 3;`
	if err := mustParse(t, src, env).Run(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	if got, err := Text(kept); err != nil || got != `["k"=>[0=>1]]` {
		t.Fatalf("kept %s, %v", got, err)
	}
}

// Nesting in the text of a script is bounded, whatever it nests.
func TestDeepScriptsAreRefused(t *testing.T) {
	for _, unit := range []string{"(", "[", "{", "!", "- ", "if (1) ", "function () { return ", "$a = ", "1 ? ", "1 ** ", "length(", "not ", `1 ?? `, "while (0) "} {
		src := strings.Repeat(unit, 20_000)
		if _, err := Parse(mainFile, []byte(src), &Env{}); err == nil || !strings.Contains(err.Error(), "nested too deep") {
			t.Errorf("%q nested: %v", unit, err)
		}
	}
	for _, unit := range []string{" + 1", "[0]", "()", " . 1", " and 1"} {
		src := "$a" + strings.Repeat(unit, 20_000)
		if _, err := Parse(mainFile, []byte(src), &Env{}); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("%q repeated: %v", unit, err)
		}
	}
}

// Values print as their Go users expect, and arrays keep their invariants through the exported calls.
func TestArrayFromGo(t *testing.T) {
	a := NewArray(Number(1))
	for _, k := range []Value{String("k"), Number(0), Number(7)} {
		if err := a.Set(k, NewArray(k)); err != nil {
			t.Fatal(err)
		}
	}
	a.Append(None{})
	if err := a.Set(Bool(true), None{}); err == nil {
		t.Error("a boolean was taken as a key")
	}
	got, err := Text(a)
	if want := `[0=>[0=>0],"k"=>[0=>"k"],7=>[0=>7],8=>none]`; err != nil || got != want {
		t.Fatalf("got %s, %v, want %s", got, err, want)
	}
	if _, ok := a.Get(Bool(true)); ok {
		t.Error("found what is no key")
	}
}

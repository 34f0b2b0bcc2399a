package operator

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/halon-extras/kafka/internal/spool"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"halon-kafka": func() {
			os.Exit(Run(context.Background(), os.Args[1:], Terminal{os.Stdin, os.Stdout, os.Stderr}))
		},
	})
}

// TestScripts runs testdata/script: what an operator types and sees.
func TestScripts(t *testing.T) {
	held := &holding{spools: map[string]*spool.Spool{}}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"spool": held.command,
			// status N COMMAND... runs a command that must exit with N.
			"status": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 2 {
					ts.Fatalf("usage: status N COMMAND...")
				}
				err := ts.Exec(args[1], args[2:]...)
				got := "0"
				if exit, ok := err.(interface{ ExitCode() int }); ok {
					got = string(rune('0' + exit.ExitCode()))
				} else if err != nil {
					ts.Fatalf("%v", err)
				}
				if got != args[0] {
					ts.Fatalf("status %s, want %s", got, args[0])
				}
			},
		},
	})
}

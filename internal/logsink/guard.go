package logsink

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Report runs run, the work of what, and writes a critical line with the stack where it panics.
func Report(log *slog.Logger, what string, run func()) {
	Guard(run, func(fault any, stack string) {
		log.Log(context.Background(), LevelCrit, fmt.Sprintf("internal error in %s, please report it: %v", what, fault), "stack", stack)
	})
}

// Guard runs run, and calls failed with what has panicked in it and with the stack: a panic that left a goroutine would end the mail server.
// failed logs, and the log is our code too: what panics in it is dropped.
func Guard(run func(), failed func(fault any, stack string)) {
	defer func() {
		if fault := recover(); fault != nil {
			defer func() { _ = recover() }()
			failed(fault, string(debug.Stack()))
		}
	}()
	run()
}

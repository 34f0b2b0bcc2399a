package abi

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// guard is deferred by every entry. A panic that left it would end the mail server; so it becomes a
// logged error, and failed gives the entry's caller an answer.
func guard(entry string, failed func(text string)) {
	fault := recover()
	if fault == nil {
		return
	}
	failed("kafka: internal error in " + entry + ", see the log")
	logFault(entry, fault)
}

// logFault has its own guard: the log is our code too.
func logFault(entry string, fault any) {
	defer func() { _ = recover() }()
	slog.New(here().sink.Handler()).Error(fmt.Sprintf("internal error in %s, please report it: %v", entry, fault),
		"stack", string(debug.Stack()))
}

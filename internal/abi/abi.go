// Package abi is the border to the host: the entry points of Halon's plugin interface, in C, and the
// one crossing into Go behind each.
//
// It promises that no fault in our code reaches the host, that a call crosses the border at most once (what the intake takes never does), that
// nothing of the host's memory is kept after its call, and that a parked script is woken exactly
// once. It decides nothing: binding says what arguments mean, producer what becomes of a record.
//
// Only this package, intake and the stand-in host import "C". The host calls the entries, from any of its
// threads; nobody else may.
package abi

/*
#cgo CFLAGS: -I/opt/halon/include -I../../include -I../intake -std=gnu11 -Wall -Wextra -O2
#cgo LDFLAGS: -Wl,--unresolved-symbols=ignore-all
#include <stdlib.h>
#include "producer_shim.h"
*/
import "C"

import (
	"log/slog"
	"sync/atomic"
	"unsafe"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/plugin"
)

// A border is the one plugin of the process and where it logs. The host has one of each plugin, and
// gives its entries no pointer of ours back, so it is the one variable of the package.
type border struct {
	sink   *logsink.Sink
	plugin *plugin.Plugin
}

var current atomic.Pointer[border]

// here returns the border, made at the first entry: nothing may start when the library is loaded,
// because the host may still fork.
func here() *border {
	if b := current.Load(); b != nil {
		return b
	}
	level := new(slog.LevelVar)
	level.Set(slog.LevelDebug)
	sink := logsink.New(level, func(priority int, line string) {
		text := C.CString(line)
		defer C.free(unsafe.Pointer(text))
		C.kafka_syslog(C.int(priority), text)
	})
	p := plugin.New(slog.New(sink.Handler()), wake)
	p.Logged(level, sink.Recent)
	p.Timed(callTimes)
	current.CompareAndSwap(nil, &border{sink: sink, plugin: p})
	return current.Load()
}

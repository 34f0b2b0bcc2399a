// Package standin is a stand-in for Halon's mail server: it loads a native plugin and calls it as smtpd
// does, on machines that have no Halon.
//
// It promises what include/HalonMTA.h says and no more. Whatever a plugin may not rely on is made to
// fail: memory that was lent is poisoned at the end of the call, arrays move when they grow, a result is
// taken at the moment that the call is scheduled. What the plugin does against the rules becomes a fault
// ([Host.Faults]) and the host goes on, so that a test sees all of them.
//
// It refuses a plugin that was built on a header with other numbers, and a second plugin in the same
// process: the interface is a set of global symbols of the executable, and a library built by Go cannot be
// unloaded.
//
// The host itself is plain C (host.h, standin.h), so that the driver in the folder driver can run it without
// Go, under AddressSanitizer. This file and the others beside it are its Go face. [Host.Init],
// [Host.Register], [Host.Ready], [Host.Reload], [Host.Cleanup] and [Host.Close] are for one goroutine at a time;
// everything else may be called from any goroutine, [Host.Log]'s function excepted, which must call nothing here.
//
// Nothing that ships imports this package: it is for hslrun and for tests.
package standin

/*
#cgo CFLAGS: -I../../include -std=gnu11 -Wall -Wextra -Wno-unused-parameter
#cgo LDFLAGS: -rdynamic -ldl -lpthread -lm

#include <stdlib.h>
#include "standin.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// Options say how a plugin is loaded. The zero value loads it without a configuration, with one script thread.
type Options struct {
	// PluginID is the id in smtpd.yaml, for messages. Empty: the path.
	PluginID string

	// Config is plugins[].config of smtpd.yaml. Nil: the plugin gets NULL, as one from the autoload folder.
	Config *Config

	// AppConfig is the same of smtpd-app.yaml, the running configuration.
	AppConfig *Config

	// Threads is the number of scripts that run at the same time; parked ones don't count. Below 1: 1.
	Threads int

	// Global loads with RTLD_GLOBAL, so that the symbols of the plugin and of others meet.
	Global bool

	// Log gets each line that the plugin sends to syslog(3), with its priority (0 LOG_EMERG to 7
	// LOG_DEBUG), in order, on one goroutine. All lines of an entry (Init, Cleanup, Command and
	// the like) have been handed over when its method returns. Nil: a line "<err> text" on standard error.
	Log func(priority int, line string)
}

// Host is the process's one stand-in host with its one plugin.
type Host struct {
	options Options
	slots   chan struct{} // holds a token for each script that runs

	mu       sync.Mutex
	nextTag  uint64
	waiting  map[uint64]chan struct{} // guarded by mu: who waits for the event with that tag
	arrived  map[uint64]bool          // guarded by mu: events that came before somebody waited
	consumed chan struct{}            // closed when the last event was taken
	closing  sync.Once
}

// Open loads the plugin at path and checks its version. Nothing of the plugin runs but Halon_version.
//
// The caller must not fork after Open: threads of a Go library do not survive it.
func Open(path string, options Options) (*Host, error) {
	if options.PluginID == "" {
		options.PluginID = path
	}
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	reason := make([]byte, 512)
	if !C.standin_open(cpath, C.bool(options.Global), (*C.char)(unsafe.Pointer(&reason[0])), C.size_t(len(reason))) {
		return nil, fmt.Errorf("plugin %s can't be loaded: %s", options.PluginID, C.GoString((*C.char)(unsafe.Pointer(&reason[0]))))
	}
	config, err := build(options.Config)
	if err == nil {
		var app *C.HalonConfig
		if app, err = build(options.AppConfig); err == nil {
			C.standin_configure(config, app)
		} else {
			C.standin_config_free(config)
		}
	}
	if err != nil {
		C.standin_close()
		return nil, fmt.Errorf("plugin %s: %w", options.PluginID, err)
	}
	h := &Host{
		options:  options,
		slots:    make(chan struct{}, max(options.Threads, 1)),
		waiting:  make(map[uint64]chan struct{}),
		arrived:  make(map[uint64]bool),
		consumed: make(chan struct{}),
	}
	C.standin_events_start(C.bool(options.Log != nil))
	go h.takeEvents()
	return h, nil
}

// Init calls Halon_early_init and Halon_init; false means that smtpd would not start. A plugin without
// them starts. It may be called again after [Host.Cleanup].
func (h *Host) Init() bool {
	ok := bool(C.standin_init())
	h.awaitEvents()
	return ok
}

// Register calls Halon_hsl_register and forgets what was registered before. Halon's order of Init and
// Register is not known: a plugin must take both.
func (h *Host) Register() bool {
	ok := bool(C.standin_register())
	h.awaitEvents()
	return ok
}

// Ready calls Halon_ready: the host is up.
func (h *Host) Ready() {
	C.standin_ready()
	h.awaitEvents()
}

// Reload calls Halon_config_reload with a new running configuration. Nil: NULL.
func (h *Host) Reload(config *Config) error {
	tree, err := build(config)
	if err != nil {
		return err
	}
	C.standin_reload(tree)
	h.awaitEvents()
	return nil
}

// Cleanup calls Halon_early_cleanup and Halon_cleanup, and blocks for as long as they do. Calls may still be
// parked. It may be called again, and after a failed Init.
func (h *Host) Cleanup() {
	C.standin_early_cleanup()
	C.standin_cleanup()
	h.awaitEvents()
}

// Close forgets the plugin, after [Host.Cleanup] and with no script running; [Open] may follow. A plugin
// built by Go stays in the process all the same.
func (h *Host) Close() {
	h.closing.Do(func() {
		C.standin_events_stop()
		<-h.consumed
		C.standin_close()
	})
}

// Functions returns the names that a script can import from the plugin's module, in the order of registration.
func (h *Host) Functions() []string { return h.functions(false) }

// Globals returns the names of the functions that a script has without an import.
func (h *Host) Globals() []string { return h.functions(true) }

func (h *Host) functions(global bool) []string {
	var names []string
	for i := C.size_t(0); i < C.standin_function_count(); i++ {
		if bool(C.standin_function_global(i)) == global {
			names = append(names, C.GoString(C.standin_function_name(i)))
		}
	}
	return names
}

// Command calls Halon_command_execute with the arguments of "halonctl plugin command ID". It returns the text
// of the answer and whether the plugin called it a success; a plugin without commands fails with no text.
func (h *Host) Command(args []string) (out []byte, ok bool) {
	// One more entry than needed, so that the address of the first exists without arguments too.
	argv := C.malloc(C.size_t(len(args)+1) * C.size_t(unsafe.Sizeof(uintptr(0))))
	argvl := C.malloc(C.size_t(len(args)+1) * C.size_t(unsafe.Sizeof(C.size_t(0))))
	defer C.free(argv)
	defer C.free(argvl)
	texts := unsafe.Slice((**C.char)(argv), len(args)+1)
	lengths := unsafe.Slice((*C.size_t)(argvl), len(args)+1)
	for i, arg := range args {
		texts[i] = (*C.char)(C.CBytes([]byte(arg)))
		lengths[i] = C.size_t(len(arg))
		defer C.free(unsafe.Pointer(texts[i]))
	}
	var text *C.char
	var size C.size_t
	ok = bool(C.standin_command(C.size_t(len(args)), (**C.char)(argv), (*C.size_t)(argvl), &text, &size))
	out = goBytes(text, size)
	C.free(unsafe.Pointer(text))
	h.awaitEvents()
	return out, ok
}

// Live returns the number of values that the host made and has not ended: 0 when no call runs or is parked.
func (h *Host) Live() int64 { return int64(C.standin_live_values()) }

// Parked returns the number of calls that wait for the plugin to schedule them.
func (h *Host) Parked() int64 { return int64(C.standin_parked()) }

// Faults returns what the plugin did against the rules of the interface since [Open], oldest first, a sentence
// each; nil when it did well. Beyond 1,000 only their number is kept, in a last sentence. It also looks
// through the memory that was taken back from the plugin, for late writes.
func (h *Host) Faults() []string {
	C.standin_quarantine_flush()
	var faults []string
	n := C.standin_faults()
	for i := C.size_t(0); i < n; i++ {
		text := C.standin_fault(i)
		if text == nil {
			return append(faults, fmt.Sprintf("and %d faults more", n-i))
		}
		faults = append(faults, C.GoString(text))
	}
	return faults
}

// AltNumbers tells whether this host was built with the second set of numbers of include/HalonMTA.h
// (CGO_CFLAGS=-DHALONMTA_STANDIN_ALT_NUMBERS). A plugin must be built with the same set.
func AltNumbers() bool { return altNumbers }

var errNoFunction = errors.New("the plugin registered no such function")

// goBytes copies; C.GoBytes takes an int and would cut a length of 2 GiB.
func goBytes(bytes *C.char, size C.size_t) []byte {
	if bytes == nil {
		return nil
	}
	return append([]byte{}, unsafe.Slice((*byte)(unsafe.Pointer(bytes)), int(size))...)
}

package abi

/*
#include <stdlib.h>
#include "producer_shim.h"
*/
import "C"

import (
	"context"
	"log/slog"
	"unsafe"

	"github.com/halon-extras/kafka/internal/binding"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/resperr"
)

//export kafkaInit
func kafkaInit(config, app *C.HalonConfig) (ok C.bool) {
	defer guard("Halon_init", func(string) { ok = false })
	b := here()
	for _, code := range resperr.All() {
		text := C.CString(code.Error())
		C.kafka_text(C.int(code), text)
		C.free(unsafe.Pointer(text))
	}
	text := C.CString(string(binding.NoSuchID))
	C.kafka_gone(text)
	C.free(unsafe.Pointer(text))
	if err := b.plugin.Start(copyConfig(config), copyConfig(app)); err != nil {
		slog.New(b.sink.Handler()).Log(context.Background(), logsink.LevelCrit, err.Error())
		return false
	}
	b.sink.Flush() // what the start warns about is in the log when it has ended
	return true
}

//export kafkaCleanup
func kafkaCleanup() {
	defer guard("Halon_cleanup", func(string) {})
	b := here()
	b.plugin.Stop()
	b.sink.Close()
}

// kafkaReload is called with the new running configuration, or with NULL where this plugin has none there.
//
//export kafkaReload
func kafkaReload(config *C.HalonConfig) {
	defer guard("Halon_config_reload", func(string) {})
	b := here()
	if err := b.plugin.Reload(copyConfig(config)); err != nil {
		slog.New(b.sink.Handler()).WithGroup(logsink.Each).Error("smtpd-app.yaml is refused, and the queues stay as they are: " + err.Error())
	}
}

//export kafkaCommand
func kafkaCommand(argc C.size_t, argv **C.char, out **C.char, outlen *C.size_t) (ok C.bool) {
	// The host frees the text, so it must come from malloc.
	answer := func(text string) {
		*out = C.CString(text)
		if outlen != nil {
			*outlen = C.size_t(len(text))
		}
	}
	defer guard("Halon_command_execute", func(text string) { answer(text); ok = false })
	args := make([]string, 0, int(argc))
	for _, arg := range unsafe.Slice(argv, int(argc)) {
		args = append(args, C.GoString(arg))
	}
	text, success := here().plugin.Command(args)
	answer(text)
	return C.bool(success)
}

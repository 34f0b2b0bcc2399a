package standin

/*
#include <stdlib.h>
#include "standin.h"
*/
import "C"

import (
	"context"
	"fmt"
	"unsafe"
)

// Script is one run of a script: it holds one of the host's script threads, except while a call of it is
// parked. It is for one goroutine.
type Script struct {
	host *Host
	ctx  context.Context
}

// Exception is what a plugin threw: a script can catch it.
type Exception struct {
	Message string
}

// Script runs fn while it holds one of the Options.Threads script threads, and returns its error. It
// blocks until a thread is free; when ctx ends first, it returns ctx's error and fn does not run.
func (h *Host) Script(ctx context.Context, fn func(*Script) error) error {
	s := &Script{host: h, ctx: ctx}
	if err := s.acquire(); err != nil {
		return err
	}
	defer func() { <-h.slots }()
	return fn(s)
}

func (s *Script) acquire() error {
	select {
	case s.host.slots <- struct{}{}:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// Call calls a registered function with values of the types nil, bool, float64, string and [Array]. Fewer
// arguments are missing ones; nil is an explicit none.
//
// It blocks the goroutine until the call has a result, while other scripts may use the script thread of a parked call.
// It returns the result, or thrown when the plugin threw an exception, or an error when there is no such
// function, a value has another type or nests too deeply, or the script's context ended while the call was
// parked. After that last error the script is over: the plugin may still schedule the call, and nobody
// sees its result.
func (s *Script) Call(name string, args []any) (ret any, thrown *Exception, err error) {
	cname := C.CString(name)
	function := C.standin_function(cname)
	C.free(unsafe.Pointer(cname))
	if function < 0 {
		return nil, nil, fmt.Errorf("%s: %w", name, errNoFunction)
	}
	encoded, err := encodeAll(args)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	tag := s.host.newTag()
	var call *C.HalonHSLContext
	var out *C.char
	var size C.size_t
	// The arguments are copied before the plugin runs; no pointer of Go outlives this call.
	state := C.standin_wire_call(function, (*C.char)(unsafe.Pointer(unsafe.SliceData(encoded))), C.size_t(len(encoded)),
		C.uint64_t(tag), &call, &out, &size)
	if state == C.STANDIN_PARKED {
		if err := s.wait(call, tag); err != nil {
			return nil, nil, fmt.Errorf("%s: still parked: %w", name, err)
		}
		C.standin_wire_collect(call, &out, &size)
	}
	result := goBytes(out, size)
	C.free(unsafe.Pointer(out))
	if state < 0 {
		return nil, nil, fmt.Errorf("%s: the arguments could not be decoded: a fault of the stand-in host", name)
	}
	ret, err = decodeOne(result)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: the result could not be decoded: %w", name, err)
	}
	if state == C.STANDIN_THREW {
		message, _ := ret.(string)
		return nil, &Exception{Message: message}, nil
	}
	return ret, nil, nil
}

// wait gives the script thread away until the parked call is woken, and takes one again. The thread is
// taken again after an error too: Host.Script gives it back.
func (s *Script) wait(call *C.HalonHSLContext, tag uint64) error {
	h := s.host
	woken := h.await(tag)
	<-h.slots
	select {
	case <-woken:
		h.slots <- struct{}{}
		return nil
	case <-s.ctx.Done():
		if !C.standin_call_free(call) {
			h.forget(tag)
		}
		h.slots <- struct{}{}
		return s.ctx.Err()
	}
}

package standin

/*
#include <stdlib.h>
#include "standin.h"
*/
import "C"

import "unsafe"

// takeEvents runs from Open to Close on a goroutine of its own, which holds one thread of the process. The plugin's
// threads can't call Go directly: one runtime would run inside a call of the other.
func (h *Host) takeEvents() {
	defer close(h.consumed)
	for {
		var event C.struct_standin_event
		C.standin_event_next(&event)
		switch event.kind {
		case C.STANDIN_EVENT_LOG:
			line := string(goBytes(event.text, event.len))
			C.free(unsafe.Pointer(event.text))
			h.options.Log(int(event.priority), line)
		case C.STANDIN_EVENT_WOKEN, C.STANDIN_EVENT_MARK:
			h.arrive(uint64(event.tag))
		case C.STANDIN_EVENT_END:
			return
		}
	}
}

func (h *Host) newTag() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextTag++ // starts at 1: tag 0 means "no event"
	return h.nextTag
}

func (h *Host) arrive(tag uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if woken, ok := h.waiting[tag]; ok {
		delete(h.waiting, tag)
		close(woken)
		return
	}
	// A parked call can be scheduled before its script has come to wait for it.
	h.arrived[tag] = true
}

// await returns a channel that is closed when the event with that tag has come.
func (h *Host) await(tag uint64) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	woken := make(chan struct{})
	if h.arrived[tag] {
		delete(h.arrived, tag)
		close(woken)
	} else {
		h.waiting[tag] = woken
	}
	return woken
}

// forget is await's end when the event will never come.
func (h *Host) forget(tag uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, tag)
}

// awaitEvents returns when every event before it was taken: the log lines of an entry of the plugin have then
// reached Options.Log.
func (h *Host) awaitEvents() {
	tag := h.newTag()
	C.standin_event_mark(C.uint64_t(tag))
	select {
	case <-h.await(tag):
	case <-h.consumed:
	}
}

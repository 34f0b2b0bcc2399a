//go:build !asan

package quiet

import "unsafe"

// Calls says whether [Call] can be used: the AddressSanitizer's code of C needs more stack than it has.
const Calls = true

// Call calls the function of C at f with three words, and returns its word. The function runs on the stack of the goroutine, in a frame of 32 KiB,
// and the runtime does not learn of it: it must not call back, must end within some microseconds, for which nothing stops the goroutine, and
// may wait for a lock only that nobody holds longer. Memory of Go that it is given stays where it is meanwhile.
//
//go:noescape
func Call(f, a, b unsafe.Pointer, n uintptr) unsafe.Pointer

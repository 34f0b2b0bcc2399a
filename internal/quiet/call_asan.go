//go:build asan

package quiet

import "unsafe"

// Calls is false: there is no [Call].
const Calls = false

// Call panics.
func Call(_, _, _ unsafe.Pointer, _ uintptr) unsafe.Pointer {
	panic("no call of C without the runtime under the AddressSanitizer")
}

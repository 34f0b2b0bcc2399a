// Package quiet waits for the network and for the time without waking more threads than that takes.
//
// At a mail server's few messages a second wake-ups are what a message costs. The runtime of Go wakes a thread for each answer of a broker,
// and for a timer a second one that watches the first; and a system call that it learns of wakes the one that watches for system calls that
// last. So here are a connection that is looked at when its user is awake anyway, a timer that is a descriptor, and calls of C, and all make short system
// calls and calls of C that the runtime does not learn of. It knows no Kafka, and beside each stands the plain form, of package net, package time and cgo, which
// tests in virtual time and under the AddressSanitizer use.
package quiet

import "syscall"

type systemCall func(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno)

// short makes a system call that does not block and moves no more than shortBytes. A longer one would delay the garbage collector, which waits for every
// thread that the runtime takes for running.
var short systemCall = syscall.RawSyscall

// shortBytes is what the kernel copies in some tens of microseconds: 100,000 messages a second, a batch each 5 ms.
const shortBytes = 256 << 10

//go:build !linux

package realkafka

import "syscall"

// diesWithParent leaves the child in the terminal's process group: without Linux's parent-death signal the
// interrupt that ends the test must reach the broker too.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{}
}

// runningThreads cannot look elsewhere than on Linux, and takes the signal for done.
func runningThreads(int) (int, error) { return 0, nil }

package realkafka

import "syscall"

// diesWithParent puts the child in a process group of its own, so that an interrupt typed at the terminal
// reaches the test first, and has the kernel kill it when this process ends in any way.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

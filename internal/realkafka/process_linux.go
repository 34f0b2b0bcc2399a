package realkafka

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// diesWithParent puts the child in a process group of its own, so that an interrupt typed at the terminal
// reaches the test first, and has the kernel kill it when this process ends in any way.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// runningThreads counts the threads of a process that a stop signal has not stopped yet.
func runningThreads(pid int) (int, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return 0, fmt.Errorf("process %d has no threads: it ended", pid)
	}
	running := 0
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			continue // a thread that ended since the look
		}
		// The name before the state is in parentheses and may hold anything.
		_, state, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
		if !strings.HasPrefix(state, "T") {
			running++
		}
	}
	return running, nil
}

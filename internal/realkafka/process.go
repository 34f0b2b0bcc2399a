package realkafka

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is one child. It is reaped by its own goroutine, so that done tells of its end however it came.
type process struct {
	child *os.Process
	done  chan struct{} // closed when the child is gone and reaped
	state string        // how it ended; read only after done
}

// spawn starts the command and lets nothing of it outlive this process.
//
// The kernel sends the parent-death signal when the thread that forked ends, not the process, and Go ends
// idle threads. So one goroutine keeps its thread locked from the fork until the child is reaped.
func spawn(command *exec.Cmd) (*process, error) {
	command.SysProcAttr = diesWithParent()
	started := make(chan error)
	p := &process{done: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		p.child = command.Process
		started <- err
		if err != nil {
			return
		}
		defer close(p.done)
		// The status is text for a message: a killed broker ends with an error by design.
		_ = command.Wait()
		p.state = command.ProcessState.String()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	return p, nil
}

// signal sends sig. A child that is gone already is no error: every caller waits for done or has seen it.
func (p *process) signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.child.Signal(sig); err != nil && p.child.Signal(syscall.Signal(0)) == nil {
		return fmt.Errorf("signal %v to the broker, process %d: %w", sig, p.child.Pid, err)
	}
	return nil
}

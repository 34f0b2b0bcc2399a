package e2e

import (
	"os"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// withinCommand runs a program again and again until a line of its output matches: `within SECONDS REGEXP PROGRAM ARGUMENT...`. Its last
// output is the script's stdout.
func withinCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: within SECONDS REGEXP PROGRAM ARGUMENT...")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for {
		asked := time.Now()
		_ = ts.Exec(args[2], args[3:]...) // one that fails has an output too
		out := ts.ReadFile("stdout")
		if pattern.MatchString(out) {
			return
		}
		if asked.After(end) {
			ts.Fatalf("within %d s no output has %s, the last one is:\n%s", seconds, args[1], out)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// tmpfsCommand gives a script a disk of its own that can be filled: `tmpfs FOLDER SIZE`. The condition [disk] says whether it can.
func tmpfsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs FOLDER SIZE")
	}
	folder := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(folder, 0o755))
	ts.Check(syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+args[1]))
	ts.Defer(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
}

// mayMount says whether this process may give a script a disk.
var mayMount = sync.OnceValue(func() bool {
	folder, err := os.MkdirTemp("", "disk-")
	if err != nil {
		return false
	}
	defer os.RemoveAll(folder)
	if syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k") != nil {
		return false
	}
	return syscall.Unmount(folder, 0) == nil
})

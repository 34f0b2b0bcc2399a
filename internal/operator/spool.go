package operator

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/halon-extras/kafka/internal/spool"
)

// The commands "spool ..." look at the folder of a queue's spool. What they share: the folder is the one that path
// names in the configuration, its dead letters are a spool in the folder dead of it, and only requeue and repair
// --apply ever write.

// disk is the only way of these commands to the disk.
var disk spool.FS = spool.OS{} // tests have a slow one

// spoolFlags reads the arguments of a command that takes one folder.
func spoolFlags(fs *flag.FlagSet, args []string, t Terminal) (dir string, status int, ok bool) {
	rest, status, ok := parse(fs, args, t)
	switch {
	case !ok:
		return "", status, false
	case len(rest) != 1:
		return "", usage(t, fs.Name(), "give one folder: the path of a queue's spool"), false
	case rest[0] == "":
		return "", usage(t, fs.Name(), "the name of the folder is empty"), false
	}
	return filepath.Clean(rest[0]), exitFine, true
}

// deadFolder is where the dead letters of the spool in dir are.
func deadFolder(dir string) string { return filepath.Join(dir, spool.DeadFolder) }

// noSpool reports whether err says that there is nothing to look at.
func noSpool(err error) bool {
	return errors.Is(err, spool.ErrNoSpool) || errors.Is(err, fs.ErrNotExist)
}

// spoolFailed reports an error and returns the status: 2 when there was nothing to look at, 1 when a disk or another
// process was in the way.
func spoolFailed(t Terminal, name string, err error) int {
	fmt.Fprintf(t.Err, "halon-kafka %s: %v\n", name, err)
	if noSpool(err) || errors.Is(err, fs.ErrPermission) {
		return exitUsage
	}
	return exitWrong
}

// mayWriteSpool refuses a user (me, an effective user number) who would leave files in the folder that the mail server cannot open afterwards.
func mayWriteSpool(dir string, me int) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != uint32(me) {
		return fmt.Errorf("spool %s: it belongs to user %d, and this is user %d, whose files the mail server may not open: run this as user %d",
			dir, owner.Uid, me, owner.Uid)
	}
	return nil
}

// userOf returns the user whose files are in the spool dir, who is that of the mail server: root may look at it too.
func userOf(dir string) uint32 {
	for _, path := range []string{filepath.Join(dir, "owner"), dir} {
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		if of, ok := info.Sys().(*syscall.Stat_t); ok {
			return of.Uid
		}
	}
	return uint32(os.Geteuid())
}

// inUse is the sentence for a spool that another process holds.
func inUse(r *spool.Report) error {
	return fmt.Errorf("spool %s: it is in use by %s: stop that process first", r.Dir, holder(r))
}

// holder names the process of a report in a sentence.
func holder(r *spool.Report) string {
	if r.PID == "" {
		return "a process that did not leave its name"
	}
	return fmt.Sprintf("process %s (%s)", r.PID, oneLine(r.Program))
}

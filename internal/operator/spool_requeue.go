package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/halon-extras/kafka/internal/spool"
)

const spoolRequeueHelp = `usage: halon-kafka spool requeue DIR

Moves all dead letters of a queue's spool to the end of the spool, so that the plugin sends them again when it runs
next: after a topic was created, a right was given or a limit was raised. DIR is the path in the queue's
configuration. The mail server must not be running on this spool.

Each record is on disk at its new place before it leaves the old one: what is interrupted may double a record, and loses none.

Exit status: 0 all were moved, or there was none; 1 the spool is in use, or not all were moved; 2 usage, or no spool in
that folder.
`

func spoolRequeue(ctx context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	dir, status, ok := spoolFlags(fs, args, t)
	if !ok {
		return status
	}
	p := t.progress(fs.Name())
	moved, err := requeue(ctx, dir, p)
	p.end()
	if moved > 0 || err == nil {
		fmt.Fprintf(t.Out, "%s: %s moved\n", dir, plural(moved, "dead letter"))
	}
	if err != nil {
		return spoolFailed(t, fs.Name(), err)
	}
	return exitFine
}

func requeue(ctx context.Context, dir string, p *progress) (moved int, err error) {
	before, err := spool.Inspect(disk, dir)
	if err != nil {
		return 0, err
	}
	letters, err := spool.Inspect(disk, deadFolder(dir))
	switch {
	case before.Running:
		return 0, inUse(&before)
	case noSpool(err):
		return 0, nil
	case err != nil:
		return 0, err
	case letters.Running:
		return 0, inUse(&letters)
	}
	for _, folder := range []string{dir, deadFolder(dir)} {
		if err := mayWriteSpool(folder, os.Geteuid()); err != nil {
			return 0, err
		}
	}
	p.begin(letters.Bytes)
	live, err := openForRequeue(p.writes(), dir, before.Bytes+letters.Bytes)
	if err != nil {
		return 0, err
	}
	dead, err := openForRequeue(disk, deadFolder(dir), letters.Bytes)
	if err != nil {
		return 0, errors.Join(err, live.Close(ctx))
	}
	moved, err = spool.Requeue(ctx, dead, live)
	// The live one first: what dead forgets must be there.
	return moved, errors.Join(err, live.Close(ctx), dead.Close(ctx))
}

// openForRequeue opens a spool that takes bytes and more: its own max_bytes is in a configuration that this program
// does not read, and what was accepted once must not be refused for it.
func openForRequeue(fs spool.FS, dir string, bytes int64) (*spool.Spool, error) {
	const slack = 10 << 30
	return spool.Open(spool.Options{Dir: dir, FS: fs, MaxBytes: bytes + slack, Program: "halon-kafka spool requeue"})
}

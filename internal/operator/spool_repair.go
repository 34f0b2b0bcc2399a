package operator

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/halon-extras/kafka/internal/spool"
)

const spoolRepairHelp = `usage: halon-kafka spool repair [--apply] DIR

Says what would make spool check come out clean, for the records and for the dead letters, and does it with --apply.
DIR is the path in the queue's configuration.

The plugin does not need it: it steps over the same places itself. What is cut or replaced is kept in a file beside it,
named in the plan, and the rest of the records stays where it is.

  --apply   do it. The mail server must not be running on this spool

Exit status: 0 nothing to do, or done; 1 there is something to do, or it failed; 2 usage, or no spool in that folder.
`

func spoolRepair(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	apply := fs.Bool("apply", false, "")
	dir, status, ok := spoolFlags(fs, args, t)
	if !ok {
		return status
	}
	if *apply {
		if err := mayRepairSpool(dir); err != nil {
			return spoolFailed(t, fs.Name(), err)
		}
	}
	p := t.progress(fs.Name())
	p.begin(p.bytesOf(dir), p.bytesOf(deadFolder(dir)))
	for _, folder := range []string{dir, deadFolder(dir)} {
		plan, err := spool.Repair(p.reads(), folder, *apply)
		p.next()
		p.clear()
		if folder != dir && noSpool(err) {
			break
		}
		prefix := ""
		if folder != dir {
			prefix = spool.DeadFolder + string(filepath.Separator)
		}
		for _, step := range plan.Steps {
			step.File = prefix + step.File
			if step.Kept != "" {
				step.Kept = prefix + step.Kept
			}
			fmt.Fprintln(t.Out, step)
		}
		if err != nil {
			return spoolFailed(t, fs.Name(), err)
		}
		if plan.Missing > 0 {
			fmt.Fprintf(t.Out, "%s: %s cannot be recovered\n", folder, plural(int(plan.Missing), "pending record"))
		}
		switch {
		case plan.Applied:
			fmt.Fprintf(t.Out, "%s: %s done\n", folder, plural(len(plan.Steps), "repair"))
		case len(plan.Steps) > 0:
			fmt.Fprintf(t.Out, "%s: %s to do: --apply does it\n", folder, plural(len(plan.Steps), "repair"))
			status = exitWrong
		default:
			fmt.Fprintf(t.Out, "%s: nothing to repair\n", folder)
		}
	}
	return status
}

// mayRepairSpool refuses before the first of the two folders is changed.
func mayRepairSpool(dir string) error {
	for _, folder := range []string{dir, deadFolder(dir)} {
		r, err := spool.Inspect(disk, folder)
		switch {
		case folder != dir && noSpool(err):
			return nil
		case err != nil:
			return err
		case r.Running:
			return inUse(&r)
		}
		if err := mayWriteSpool(folder, os.Geteuid()); err != nil {
			return err
		}
	}
	return nil
}

package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

const checkHelp = `usage: halon-kafka check -c FILE [-A FILE] [-p ID] [--json] [--strict] [--connect ...]
       halon-kafka check [--json] [--strict] --set NAME=VALUE [--set ...] [--connect ...]

With -c it reads Halon's smtpd.yaml and prints what is wrong with the plugin's configuration: all problems of all
queues, each with file, line, column and path; then warnings about what starts and is probably not meant, and a note
for each property that is accepted but has no effect here. It judges with the plugin's own code: what has no problem
starts, and what has one does not. Folders and files are judged as the user who runs it.

With --set it judges one queue made of those settings, in that order, as librdkafka does: OK; UNKNOWN or INVALID
for the first setting that is refused; NEW_FAIL for settings that do not go together. The name ends at the first
'='; the value is all that follows, and may be empty.

  -c FILE          the configuration; - reads standard input
  -A FILE          the running configuration, smtpd-app.yaml, too, as a reload judges it beside -c; or alone
  -p ID            the id of the plugin in it (kafka)
  --set NAME=VALUE one setting
  --json           one JSON object instead of text. For --set:
                     {"verdict":"OK|UNKNOWN|INVALID|NEW_FAIL","errstr":"...","values":{NAME:TEXT},"warnings":["..."]}
                   where values has the effective value of each name that was set, "<unset>" where there is none,
                   and "***" for secrets. A byte that is not UTF-8 is written as the lone surrogate U+DC00 plus
                   the byte.
  --strict         a warning is a problem too
  --connect        reach the cluster too, with each queue's own settings, and say what was found or what is wrong.
                   Nothing is produced and no topic is created
  --topic NAME     with --connect: look at this topic; may be repeated
  --timeout N      with --connect: seconds that each broker may take (10)

Exit status: 0 fine, 1 problems were found, 2 usage or an unreadable file.
`

// checkFlags are the arguments of check.
type checkFlags struct {
	file     string
	app      string
	plugin   string
	settings []string
	json     bool
	strict   bool
	connect  bool
	topics   []string
	timeout  time.Duration
}

func check(ctx context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	f := &checkFlags{}
	fs.StringVar(&f.file, "c", "", "")
	fs.StringVar(&f.app, "A", "", "")
	fs.StringVar(&f.plugin, "p", "kafka", "")
	fs.BoolVar(&f.json, "json", false, "")
	fs.BoolVar(&f.strict, "strict", false, "")
	fs.BoolVar(&f.connect, "connect", false, "")
	seconds := fs.Float64("timeout", 10, "")
	// Func returns no error: package flag would print the value with it, and that may be a password.
	fs.Func("set", "", func(s string) error { f.settings = append(f.settings, s); return nil })
	fs.Func("topic", "", func(s string) error { f.topics = append(f.topics, s); return nil })
	rest, status, ok := parse(fs, args, t)
	if !ok {
		return status
	}
	given := map[string]bool{}
	fs.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	f.timeout = time.Duration(*seconds * float64(time.Second))
	switch {
	case len(rest) > 0:
		// Not shown: it may be the end of a --set that was not quoted.
		return usage(t, "check", "it takes flags only, and there is %s beside them", plural(len(rest), "argument"))
	case (given["c"] || given["A"]) == given["set"]:
		return usage(t, "check", "give either -c FILE or --set NAME=VALUE")
	case given["c"] && f.file == "":
		return usage(t, "check", "-c needs the name of a file, or - for standard input")
	case given["A"] && f.app == "":
		return usage(t, "check", "-A needs the name of a file, or - for standard input")
	case f.file == "-" && f.app == "-":
		return usage(t, "check", "only one of -c and -A can read standard input")
	case given["p"] && given["set"]:
		return usage(t, "check", "-p belongs to -c")
	case !f.connect && (given["topic"] || given["timeout"]):
		return usage(t, "check", "--topic and --timeout belong to --connect")
	case !(*seconds > 0 && *seconds <= 3600):
		return usage(t, "check", "--timeout takes seconds, more than 0 and at most 3600: %v is not", *seconds)
	case given["set"]:
		return checkSettings(ctx, f, t)
	}
	return checkFile(ctx, f, t)
}

// maxFile bounds what is read: no smtpd.yaml is as large, and a device never ends.
const maxFile = 64 << 20

// readFile returns the file, or standard input for -, and the name that stands in messages.
func readFile(path string, in io.Reader) (name string, src []byte, err error) {
	name = path
	if path == "-" {
		name = "standard input"
	} else {
		file, err := os.Open(path)
		if err != nil {
			return name, nil, err
		}
		defer file.Close()
		in = file
	}
	src, err = io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(src) > maxFile {
		err = fmt.Errorf("%s: it is larger than %d MiB", name, maxFile>>20)
	}
	// The error of a read repeats the name.
	if read, ok := errors.AsType[*os.PathError](err); ok {
		err = fmt.Errorf("%s: %w", name, read.Err)
	}
	return name, src, err
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

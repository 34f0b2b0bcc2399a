package operator

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/halon-extras/kafka/internal/jsonline"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

const spoolExportHelp = `usage: halon-kafka spool export [--dead] [--all] DIR

Prints the records of a queue's spool that Kafka has not acknowledged, oldest first, one JSON object a line. DIR is the
path in the queue's configuration. It only reads, also while the mail server runs, and steps over damage, which
spool check reports.

  {"topic":"t","partition":-1,"seq":21,"timestamp":1760861109250,"key":"k","value":"v","headers":[["name","value"]]}

A key, value or topic that is not UTF-8 is called key_base64, value_base64 or topic_base64; such a name or value of a
header is {"base64":"..."}. partition -1 leaves it to the partitioner. seq is the record's place in the spool.

  --dead   the dead letters instead: the records that Kafka permanently rejected. Each line also has
             "errno":10,"reason":"Broker: Message size too large"
  --all    also records that are acknowledged and still on disk

Exit status: 0 fine, 1 a record or the disk cannot be read, 2 usage, or no spool in that folder.
`

func spoolExport(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	letters := fs.Bool("dead", false, "")
	all := fs.Bool("all", false, "")
	dir, status, ok := spoolFlags(fs, args, t)
	if !ok {
		return status
	}
	if *letters {
		// A queue that never had a dead letter has no such folder, which is no fault of it.
		if _, err := spool.Inspect(disk, dir); err != nil {
			return spoolFailed(t, fs.Name(), err)
		}
		dir = deadFolder(dir)
		if _, err := spool.Inspect(disk, dir); noSpool(err) {
			return exitFine
		}
	}
	var p *progress
	if !isTerminal(t.Out) { // or the records would go through the bar
		p = t.progress(fs.Name())
	}
	p.begin(p.bytesOf(dir))
	out := bufio.NewWriterSize(t.Out, 1<<16)
	status = exitFine
	var line []byte
	err := spool.Export(p.reads(), dir, *all, func(f spool.Frame) error {
		var r record.Record
		reason, err := decodeFrame(f, *letters, &r)
		if err != nil {
			status = exitWrong
			p.clear()
			fmt.Fprintf(t.Err, "halon-kafka spool export: %s: sequence %d: %v\n", dir, f.Seq, err)
			return nil
		}
		line = appendExport(line[:0], f.Seq, &r, *letters, reason)
		_, err = out.Write(line)
		return err
	})
	p.end()
	if err == nil {
		err = out.Flush()
	} else {
		_ = out.Flush() // what was read before the error is worth having
	}
	if err != nil {
		return spoolFailed(t, fs.Name(), err)
	}
	return status
}

var errIsLetter = errors.New("it is a dead letter: give the queue's own folder, and --dead")

// decodeFrame reads the record in a frame, and the reason of a dead letter.
func decodeFrame(f spool.Frame, letter bool, r *record.Record) (reason string, err error) {
	payload := f.Payload
	if letter {
		if reason, payload, err = spool.ParseLetter(payload); err != nil {
			return "", err
		}
	}
	err = stored.Decode(payload, r)
	if err != nil && !letter {
		if _, inner, perr := spool.ParseLetter(payload); perr == nil && stored.Decode(inner, &record.Record{}) == nil {
			err = errIsLetter
		}
	}
	return reason, err
}

// appendExport appends the line of a record, with its line feed.
func appendExport(dst []byte, seq uint64, r *record.Record, letter bool, reason string) []byte {
	at := jsonline.Place{Name: "seq", Number: seq}
	if letter {
		errno, text := parseReason(reason)
		dst = jsonline.AppendLetter(dst, r, at, errno, text)
	} else {
		dst = jsonline.Append(dst, r, at)
	}
	return append(dst, '\n')
}

// parseReason reads the reason of a dead letter, "10 Broker: Message size too large": the number of the failure, a
// space, and its text. A reason without a number is one of librdkafka's texts, or gets the number for a failure that is not known.
func parseReason(reason string) (errno int32, text string) {
	if number, rest, ok := strings.Cut(reason, " "); ok {
		if n, err := strconv.ParseInt(number, 10, 32); err == nil {
			return int32(n), rest
		}
	}
	for _, code := range resperr.All() {
		if code.Error() == reason {
			return int32(code), reason
		}
	}
	return int32(resperr.Unknown), reason
}

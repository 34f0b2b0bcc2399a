package operator

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// holding is the spools that scripts hold open, by folder, as a running plugin does.
type holding struct {
	mu     sync.Mutex
	spools map[string]*spool.Spool // guarded by mu
}

// command is the scripts' command spool:
//
//	spool fill DIR COUNT [ACKED]   append records 1 to COUNT, acknowledge the first ACKED, shut down normally
//	spool dead DIR REASON COUNT    the same with dead letters
//	spool raw DIR TEXT             append a payload that is no record
//	spool hold DIR                 keep it open until the script ends, or release
//	spool release DIR
//	spool crash DIR                leave an owner file as a process that was killed does
//	spool flip GLOB OFFSET         change a bit of the first file of that name
//	spool cut GLOB BYTES           take bytes from the end of the last file of that name
//	spool wipe GLOB BYTES          write zeros over bytes at its begin
//	spool remove GLOB              remove it
func (h *holding) command(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: spool fill|dead|raw|hold|release|crash|flip|cut|wipe|remove ...")
	}
	dir, rest := ts.MkAbs(args[1]), args[2:]
	switch args[0] {
	case "fill":
		count, acked := number(ts, rest, 0), 0
		if len(rest) > 1 {
			acked = number(ts, rest, 1)
		}
		payloads := make([][]byte, count)
		for i := range payloads {
			payloads[i] = stored.Append(nil, recordNumber(i+1))
		}
		ts.Check(fillSpool(dir, payloads, acked))
	case "dead":
		payloads := make([][]byte, number(ts, rest, 1))
		for i := range payloads {
			payloads[i] = spool.AppendLetter(nil, rest[0], stored.Append(nil, recordNumber(i+1)))
		}
		ts.Check(fillSpool(filepath.Join(dir, spool.DeadFolder), payloads, 0))
	case "raw":
		ts.Check(fillSpool(dir, [][]byte{[]byte(rest[0])}, 0))
	case "hold":
		s, err := spool.Open(spool.Options{Dir: dir, Program: "smtpd"})
		ts.Check(err)
		h.mu.Lock()
		h.spools[dir] = s
		h.mu.Unlock()
		ts.Defer(func() { _ = s.Close(context.Background()) })
	case "release":
		h.mu.Lock()
		s := h.spools[dir]
		delete(h.spools, dir)
		h.mu.Unlock()
		ts.Check(s.Close(context.Background()))
	case "crash":
		ts.Check(os.WriteFile(filepath.Join(dir, "owner"), []byte("4711 smtpd\n"), 0o600))
	case "remove":
		files, err := filepath.Glob(dir)
		if err != nil || len(files) == 0 {
			ts.Fatalf("%s: no such file", dir)
		}
		ts.Check(os.Remove(files[len(files)-1]))
	case "flip", "cut", "wipe":
		files, err := filepath.Glob(dir)
		if err != nil || len(files) == 0 {
			ts.Fatalf("%s: no such file", dir)
		}
		at := number(ts, rest, 0)
		switch args[0] {
		case "flip":
			ts.Check(change(files[0], func(b []byte) []byte { b[at] ^= 1; return b }))
		case "wipe":
			ts.Check(change(files[len(files)-1], func(b []byte) []byte { clear(b[:at]); return b }))
		default:
			ts.Check(change(files[len(files)-1], func(b []byte) []byte { return b[:len(b)-at] }))
		}
	default:
		ts.Fatalf("spool %s: no such thing", args[0])
	}
}

func number(ts *testscript.TestScript, args []string, i int) int {
	if i >= len(args) {
		ts.Fatalf("a number is missing")
	}
	n, err := strconv.Atoi(args[i])
	ts.Check(err)
	return n
}

func change(file string, to func([]byte) []byte) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, to(b), 0o600)
}

// recordNumber is one of the records that scripts see; the third has what is hard to print.
func recordNumber(i int) *record.Record {
	r := &record.Record{
		Timestamp: 1760861109250, Partition: -1, Topic: "mail", Key: fmt.Appendf(nil, "key%d", i), Value: fmt.Appendf(nil, "value %d", i),
		Headers: []record.Header{{Key: "id", Value: strconv.AppendInt(nil, int64(i), 10)}},
	}
	if i == 3 {
		r.Partition, r.Key, r.Value = 2, nil, []byte("\xff<")
		r.Headers = []record.Header{{Key: "null"}, {Key: "\xfe", Value: []byte{}}}
	}
	return r
}

// fillSpool appends payloads to a real spool with small segments.
func fillSpool(dir string, payloads [][]byte, acked int) error {
	s, err := spool.Open(spool.Options{Dir: dir, MaxBytes: 1 << 20, SegmentBytes: 4 << 10, Program: "smtpd"})
	if err != nil {
		return err
	}
	var seqs []uint64
	for i, p := range payloads {
		seq, err := s.Append(p, nil)
		if err != nil {
			return err
		}
		if i < acked {
			seqs = append(seqs, seq)
		}
		// A segment is left when a commit finds it full: many small commits make many segments.
		if i%10 == 9 {
			if err := s.Sync(context.Background()); err != nil {
				return err
			}
		}
	}
	if err := s.Sync(context.Background()); err != nil {
		return err
	}
	s.Ack(seqs...)
	return s.Close(context.Background())
}

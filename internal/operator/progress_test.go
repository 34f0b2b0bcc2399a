package operator

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// slow is a disk on which each read and write takes a while, in virtual time.
type slow struct {
	spool.FS
	each time.Duration
}

func (s slow) Open(name string) (spool.File, error)     { return s.file(s.FS.Open(name)) }
func (s slow) OpenRead(name string) (spool.File, error) { return s.file(s.FS.OpenRead(name)) }
func (s slow) Create(name string) (spool.File, error)   { return s.file(s.FS.Create(name)) }
func (s slow) file(f spool.File, err error) (spool.File, error) {
	return slowFile{f, s.each}, err
}

type slowFile struct {
	spool.File
	each time.Duration
}

func (f slowFile) ReadAt(b []byte, off int64) (int, error) {
	if len(b) > 1<<12 { // the records, and not the files beside them
		time.Sleep(f.each)
	}
	return f.File.ReadAt(b, off)
}

func (f slowFile) WriteAt(b []byte, off int64) (int, error) {
	if len(b) > 1<<12 {
		time.Sleep(f.each)
	}
	return f.File.WriteAt(b, off)
}

// onTerminal runs the program with a terminal of 80 columns as its stderr, in virtual time, and returns all that was written there.
func onTerminal(t *testing.T, out io.Writer, args ...string) (status int, shown string) {
	t.Helper()
	controller, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer controller.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(controller) // its end is an error
		read <- string(text)
	}()
	synctest.Test(t, func(*testing.T) {
		status = Run(context.Background(), args, Terminal{Out: out, Err: terminal})
	})
	terminal.Close()
	return status, <-read
}

// spoolOf makes a spool of so many records of 64 KiB, and as many dead letters.
func spoolOf(t *testing.T, records int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "kafka1")
	var live, dead [][]byte
	for i := range records {
		r := recordNumber(i + 1)
		r.Value = bytes.Repeat([]byte{'v'}, 1<<16)
		live = append(live, stored.Append(nil, r))
		dead = append(dead, spool.AppendLetter(nil, "10 Broker: Message size too large", stored.Append(nil, r)))
	}
	for folder, payloads := range map[string][][]byte{dir: live, deadFolder(dir): dead} {
		s, err := spool.Open(spool.Options{Dir: folder, MaxBytes: 1 << 30, SegmentBytes: 1 << 20, Program: "smtpd"})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range payloads {
			if _, err := s.Append(p, nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLongWorkShowsHowFarItIs(t *testing.T) {
	defer func(before spool.FS) { disk = before }(disk)
	for _, tt := range []struct {
		args []string
		want string // in one of the lines
	}{
		{[]string{"spool", "check"}, `^spool check \[#{9}\.{9}\]  5\d % of \d\d\.\d MiB, \d+\.\d [KM]iB/s, \d+s left$`},
		{[]string{"spool", "export"}, `^spool export \[#+\.+\]  \d\d % of \d+\.\d MiB, \d+\.\d [KM]iB/s, \d+s left$`},
		{[]string{"spool", "export", "--dead"}, `^spool export \[#+\.+\]  \d\d % of `},
		{[]string{"spool", "repair"}, `^spool repair \[#+\.+\]  \d\d % of `},
		{[]string{"spool", "repair", "--apply"}, `^spool repair \[#+\.+\]  \d\d % of `},
		{[]string{"spool", "requeue"}, `^spool requeue \[#+\.+\]  \d\d % of `},
	} {
		name := strings.Join(tt.args, " ")
		dir := spoolOf(t, 100)
		disk = slow{spool.OS{}, time.Second}
		var out bytes.Buffer
		status, shown := onTerminal(t, &out, append(tt.args, dir)...)
		disk = spool.OS{}
		lines := strings.Split(shown, "\r")
		matches := 0
		for _, line := range lines {
			if regexp.MustCompile(tt.want).MatchString(strings.TrimRight(line, " ")) {
				matches++
			}
			if len(line) > 79 {
				t.Errorf("%s: a line of %d columns: %q", name, len(line), line)
			}
		}
		if status != exitFine || matches == 0 || out.Len() == 0 {
			t.Errorf("%s: status %d, %d lines as wanted, %d bytes of results, shown:\n%s", name, status, matches, out.Len(), strings.Join(lines, "\n"))
		}
		// The line is gone in the end, and nothing but it was written.
		if n := len(lines); n < 4 || lines[n-1] != "" || strings.TrimSpace(lines[n-2]) != "" || strings.Contains(shown, "\n") {
			t.Errorf("%s: the line stays: %q", name, lines[max(n-2, 0):])
		}
		// It takes no less than before: the share never falls.
		share := -1
		for _, found := range regexp.MustCompile(`(\d+) %`).FindAllStringSubmatch(shown, -1) {
			now := 0
			for _, digit := range found[1] {
				now = 10*now + int(digit-'0')
			}
			if now < share || now > 100 {
				t.Errorf("%s: %d %% after %d %%", name, now, share)
			}
			share = now
		}
	}
}

// Work that is done at once shows nothing, and so does any where stderr is no terminal.
func TestShortWorkShowsNothing(t *testing.T) {
	dir := spoolOf(t, 3)
	var out, diagnostics bytes.Buffer
	if status, shown := onTerminal(t, &out, "spool", "check", dir); status != exitFine || shown != "" {
		t.Errorf("status %d, shown %q", status, shown)
	}
	defer func(before spool.FS) { disk = before }(disk)
	disk = slow{spool.OS{}, time.Second}
	synctest.Test(t, func(*testing.T) {
		if status := Run(context.Background(), []string{"spool", "check", dir}, Terminal{Out: &out, Err: &diagnostics}); status != exitFine || diagnostics.Len() > 0 {
			t.Errorf("status %d, %q", status, diagnostics.String())
		}
	})
}

// Records that are printed on the terminal are not mixed with a bar.
func TestAnExportToATerminalHasNoBar(t *testing.T) {
	controller, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer controller.Close()
	defer terminal.Close()
	go func() { _, _ = io.Copy(io.Discard, controller) }()
	dir := spoolOf(t, 30)
	defer func(before spool.FS) { disk = before }(disk)
	disk = slow{spool.OS{}, time.Second}
	if status, shown := onTerminal(t, terminal, "spool", "export", dir); status != exitFine || shown != "" {
		t.Errorf("status %d, shown %q", status, shown)
	}
}

func TestProgressLines(t *testing.T) {
	for _, tt := range []struct {
		width   int
		done    int64
		elapsed time.Duration
		want    string
	}{
		{80, 0, time.Second, "spool check [..................]   0 % of 10.0 GiB, 0 bytes/s, unknown time left"},
		{80, 5 << 30, 16 * time.Second, "spool check [#########.........]  50 % of 10.0 GiB, 320.0 MiB/s, 16s left"},
		{200, 10 << 30, 100 * time.Hour, "spool check [######################################] 100 % of 10.0 GiB, 29.1 KiB/s, 0s left"},
		{60, 1 << 20, 100 * time.Hour, "spool check   0 % of 10.0 GiB, 2 bytes/s, 11574d1h left"},
	} {
		p := &progress{w: os.Stderr, name: "spool check", width: tt.width, total: 10 << 30}
		if got := p.line(tt.done, tt.elapsed); got != tt.want {
			t.Errorf("%d bytes in %v:\n%s, want\n%s", tt.done, tt.elapsed, got, tt.want)
		}
	}
}

// Two passes of 4 MiB, of which the first ends early, at 1 MiB a second, in virtual time: all that is written.
func TestProgressOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := &progress{w: &b, name: "spool check", width: 80}
		p.begin(4<<20, 4<<20)
		read := func(n int) {
			for range n {
				time.Sleep(100 * time.Millisecond)
				p.add(1 << 20 / 10)
			}
		}
		read(14)
		p.next()
		read(6)
		p.clear()
		b.WriteString("a line of its own\r")
		read(2)
		p.end()
		read(20)
		want := []string{
			"",
			"spool check [##................]  12 % of 8.0 MiB, 1024.0 KiB/s, 7s left",
			"spool check [##................]  14 % of 8.0 MiB, 1024.0 KiB/s, 7s left",
			"spool check [###...............]  17 % of 8.0 MiB, 1024.0 KiB/s, 7s left",
			"spool check [#########.........]  52 % of 8.0 MiB, 2.6 MiB/s, 1s left   ",
			"spool check [#########.........]  54 % of 8.0 MiB, 2.4 MiB/s, 1s left",
			"spool check [##########........]  57 % of 8.0 MiB, 2.3 MiB/s, 1s left",
			strings.Repeat(" ", 69),
			"a line of its own",
			"",
			"spool check [##########........]  59 % of 8.0 MiB, 2.2 MiB/s, 1s left",
			strings.Repeat(" ", 69),
			"",
		}
		if got := strings.Split(b.String(), "\r"); !slices.Equal(got, want) {
			t.Errorf("it wrote\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

package operator

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/top"
)

const (
	// firstShown keeps a bar away from work that is done at once.
	firstShown = time.Second
	shownEvery = 200 * time.Millisecond
)

// A progress shows on a terminal how far work on a disk has come, on one line that is gone when the work is done. A nil one shows
// nothing, and all of its methods may be called.
type progress struct {
	w     io.Writer
	name  string
	width int

	mu     sync.Mutex
	passes []int64 // bytes of those that are left, the current one first
	done   int64   // bytes of those before it
	count  int64   // bytes in it
	total  int64
	begun  time.Time
	shown  time.Time // zero is never
	length int       // of what is shown
}

// progress returns one that shows itself on t.Err; nil where that is no terminal.
func (t Terminal) progress(name string) *progress {
	if !isTerminal(t.Err) {
		return nil
	}
	p := &progress{w: t.Err, name: name, width: 80}
	if width, _, err := term.GetSize(int(t.Err.(interface{ Fd() uintptr }).Fd())); err == nil && width > 0 {
		p.width = width
	}
	return p
}

// begin starts work of some passes over so many bytes each.
func (p *progress) begin(passes ...int64) {
	if p == nil {
		return
	}
	p.passes, p.begun = passes, time.Now()
	for _, n := range passes {
		p.total += n
	}
}

// next is the end of a pass, however much of it was read.
func (p *progress) next() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.passes) > 0 {
		p.done, p.count, p.passes = p.done+p.passes[0], 0, p.passes[1:]
	}
}

// add notes bytes of the current pass. It may be called from any goroutine.
func (p *progress) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count += int64(n)
	now := time.Now()
	if now.Sub(p.begun) < firstShown || now.Sub(p.shown) < shownEvery || len(p.passes) == 0 || p.total == 0 {
		return
	}
	p.shown = now
	// A pass may read a place twice, and what is left is never less than nothing.
	done := p.done + min(p.count, p.passes[0])
	p.write(p.line(done, now.Sub(p.begun)))
}

func (p *progress) line(done int64, elapsed time.Duration) string {
	share := float64(done) / float64(p.total)
	each := float64(done) / elapsed.Seconds()
	left := "unknown time"
	if each > 0 {
		left = report.Age(time.Duration(min(float64(p.total-done)/each, 1e9) * float64(time.Second)))
	}
	text := fmt.Sprintf(" %3d %% of %s, %s/s, %s left", int(share*100), report.Size(p.total), report.Size(int64(each)), left)
	// The bar is as long whatever stands behind it, or it would jump.
	const least, longest = 7, len(" 100 % of 1023.9 MiB, 1023.9 MiB/s, 23h59m left")
	room := min(p.width-1-len(p.name)-1-longest, 40)
	if room < least {
		return p.name + text
	}
	return p.name + " " + top.Bar(share, room) + text
}

// write replaces what is shown.
func (p *progress) write(line string) {
	line = line[:min(len(line), max(p.width-1, 0))]
	fmt.Fprint(p.w, "\r"+line+strings.Repeat(" ", max(p.length-len(line), 0)))
	p.length = len(line)
}

// clear removes the line, for another one that is to be written; the work goes on.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.length > 0 {
		p.write("")
		fmt.Fprint(p.w, "\r")
	}
}

// end removes the line, and nothing is shown after it.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passes = nil
}

// reads is the disk, with all that is read counted.
func (p *progress) reads() spool.FS { return p.counting(false) }

// writes is the disk, with all that is written counted.
func (p *progress) writes() spool.FS { return p.counting(true) }

func (p *progress) counting(writes bool) spool.FS {
	if p == nil {
		return disk
	}
	return counted{disk, p, writes}
}

// counted is a disk whose traffic is progress.
type counted struct {
	spool.FS
	p      *progress
	writes bool
}

func (c counted) Open(name string) (spool.File, error)     { return c.file(c.FS.Open(name)) }
func (c counted) OpenRead(name string) (spool.File, error) { return c.file(c.FS.OpenRead(name)) }
func (c counted) Create(name string) (spool.File, error)   { return c.file(c.FS.Create(name)) }

func (c counted) file(f spool.File, err error) (spool.File, error) {
	if err != nil {
		return nil, err
	}
	return countedFile{f, c.p, c.writes}, nil
}

type countedFile struct {
	spool.File
	p      *progress
	writes bool
}

func (f countedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(b, off)
	if !f.writes {
		f.p.add(n)
	}
	return n, err
}

func (f countedFile) WriteAt(b []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(b, off)
	if f.writes {
		f.p.add(n)
	}
	return n, err
}

// bytesOf is how large the spool in dir is on disk, for a progress; 0 where it cannot be known.
func (p *progress) bytesOf(dir string) int64 {
	if p == nil {
		return 0
	}
	r, err := spool.Inspect(disk, dir)
	if err != nil {
		return 0
	}
	return r.Bytes
}

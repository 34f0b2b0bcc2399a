package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// addressCommand sets a variable to an address that nobody listens at: `address NAME`.
func addressCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: address NAME")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], l.Addr().String())
}

// terminalCommand is the script's command `terminal`: a program in a terminal of its own.
//
//	terminal start WIDTHxHEIGHT PROGRAM ARGUMENT...
//	terminal shows SECONDS REGEXP     waits until a line of the screen matches
//	terminal press KEYS               with the escapes of a Go string
//	terminal size WIDTHxHEIGHT
//	terminal ends STATUS              waits for the end; the screen is then as it was before
func terminalCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: terminal start|shows|press|size|ends ...")
	}
	s := sceneOf(ts)
	if args[0] == "start" {
		if len(args) < 3 {
			ts.Fatalf("usage: terminal start WIDTHxHEIGHT PROGRAM ARGUMENT...")
		}
		var err error
		s.terminal, err = startTerminal(ts, args[1], args[2:])
		ts.Check(err)
		return
	}
	if s.terminal == nil {
		ts.Fatalf("terminal %s: no terminal; `terminal start` comes first", args[0])
	}
	switch args[0] {
	case "shows":
		if len(args) != 3 {
			ts.Fatalf("usage: terminal shows SECONDS REGEXP")
		}
		seconds, err := strconv.Atoi(args[1])
		ts.Check(err)
		pattern, err := regexp.Compile("(?m)" + args[2])
		ts.Check(err)
		end := time.Now().Add(time.Duration(seconds) * time.Second)
		for !pattern.MatchString(s.terminal.text()) {
			if time.Now().After(end) {
				ts.Fatalf("within %d s the screen has no %s:\n%s", seconds, args[2], s.terminal.text())
			}
			time.Sleep(20 * time.Millisecond)
		}
	case "press":
		keys, err := strconv.Unquote(`"` + args[1] + `"`)
		ts.Check(err)
		_, err = s.terminal.file.WriteString(keys)
		ts.Check(err)
	case "size":
		size, err := sizeOf(args[1])
		ts.Check(err)
		s.terminal.resize(size)
		ts.Check(pty.Setsize(s.terminal.file, size))
	case "ends":
		ts.Check(s.terminal.end(args[1]))
		s.terminal = nil
	default:
		ts.Fatalf("terminal %s: use start, shows, press, size or ends", args[0])
	}
}

// A terminal is a program on a pseudoterminal, and what it has written there as a screen: of xterm's sequences, those that place and erase text.
type terminal struct {
	file    *os.File
	command *exec.Cmd
	read    chan struct{} // closed when all is read

	mu        sync.Mutex
	cells     [][]rune
	x, y      int
	unfinish  string // the beginning of a sequence
	alternate bool   // the program has the screen, and has not given it back
}

func sizeOf(text string) (*pty.Winsize, error) {
	var size pty.Winsize
	_, err := fmt.Sscanf(text, "%dx%d", &size.Cols, &size.Rows)
	return &size, err
}

func startTerminal(ts *testscript.TestScript, size string, args []string) (*terminal, error) {
	window, err := sizeOf(size)
	if err != nil {
		return nil, err
	}
	path, err := exec.LookPath(under.bin + "/" + args[0])
	if err != nil {
		return nil, err
	}
	t := &terminal{command: exec.Command(path, args[1:]...), read: make(chan struct{})}
	t.command.Dir = ts.Getenv("WORK")
	t.command.Env = append(os.Environ(), "TERM=xterm", "PATH="+ts.Getenv("PATH"), "HSLRUN_CONTROL="+ts.Getenv("HSLRUN_CONTROL"))
	t.resize(window)
	if t.file, err = pty.StartWithSize(t.command, window); err != nil {
		return nil, err
	}
	ts.Defer(func() {
		_ = t.command.Process.Kill() // it may have ended
		t.file.Close()
	})
	go func() {
		defer close(t.read)
		b := make([]byte, 1<<16)
		for {
			n, err := t.file.Read(b)
			t.write(string(b[:n]))
			if err != nil {
				return
			}
		}
	}()
	return t, nil
}

func (t *terminal) resize(size *pty.Winsize) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cells = make([][]rune, size.Rows)
	for i := range t.cells {
		t.cells[i] = []rune(strings.Repeat(" ", int(size.Cols)))
	}
}

var (
	sequence = regexp.MustCompile(`^\x1b(\[[0-9;?>=]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][0-9A-B]|[=>78c])`)
	part     = regexp.MustCompile(`^\x1b(\[[0-9;?>=]*|\][^\x07\x1b]*\x1b?|[()])?$`)
)

func (t *terminal) write(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s = t.unfinish + s
	t.unfinish = ""
	for s != "" {
		if s[0] != '\x1b' {
			c := []rune(s)[0]
			s = s[len(string(c)):]
			t.put(c)
			continue
		}
		found := sequence.FindString(s)
		if found == "" && part.MatchString(s) {
			t.unfinish = s
			return
		}
		s = s[max(len(found), 1):]
		t.obey(found)
	}
}

func (t *terminal) put(c rune) {
	switch c {
	case '\r':
		t.x = 0
		return
	case '\n':
		t.y++
		return
	}
	if t.y < len(t.cells) && t.x < len(t.cells[t.y]) {
		t.cells[t.y][t.x] = c
	}
	t.x++
}

func (t *terminal) obey(sequence string) {
	switch {
	case strings.HasPrefix(sequence, "\x1b[?1049"):
		t.alternate = strings.HasSuffix(sequence, "h")
	case strings.HasPrefix(sequence, "\x1b[") && strings.HasSuffix(sequence, "H"):
		t.x, t.y = 0, 0
		if _, err := fmt.Sscanf(sequence, "\x1b[%d;%dH", &t.y, &t.x); err == nil {
			t.x, t.y = t.x-1, t.y-1
		}
	case strings.HasPrefix(sequence, "\x1b[") && strings.HasSuffix(sequence, "J"):
		for _, row := range t.cells {
			for i := range row {
				row[i] = ' '
			}
		}
	}
}

func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, row := range t.cells {
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return b.String()
}

// end waits for the program.
func (t *terminal) end(status string) error {
	timer := time.AfterFunc(patience, func() { _ = t.command.Process.Kill() })
	defer timer.Stop()
	_ = t.command.Wait() // what it says is in the state
	<-t.read
	if got := strconv.Itoa(t.command.ProcessState.ExitCode()); got != status {
		return fmt.Errorf("the program in the terminal: %v, want %s; the screen was:\n%s", t.command.ProcessState, status, t.text())
	}
	if t.alternate {
		return fmt.Errorf("the program has not given the screen back")
	}
	return nil
}

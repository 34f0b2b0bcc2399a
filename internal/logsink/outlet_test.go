package logsink

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A syslog daemon that reads nothing for a minute: its socket is full, and write(2) blocks, as in syslog(3).
func TestASyslogThatHangsHoldsNoCaller(t *testing.T) {
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "log"), Net: "unixgram"}
	daemon, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	conn, err := net.DialUnix("unixgram", nil, address)
	if err != nil {
		t.Fatal(err)
	}
	sink := New(slog.LevelDebug, func(priority int, line string) {
		if _, err := fmt.Fprintf(conn, "<%d>%s", priority, line); err != nil {
			t.Error(err)
		}
	})
	log := slog.New(sink.Handler())
	const lines = 600 // a socket takes a few hundred datagrams at most
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for i := range lines {
			log.Debug(fmt.Sprintf("line %d", i))
		}
	}()
	select {
	case <-logged:
	case <-time.After(time.Minute):
		t.Fatal("who logs waits for syslog")
	}
	sink.out.mu.Lock()
	behind := sink.out.written != nil
	sink.out.mu.Unlock()
	if !behind {
		t.Fatal("the socket took all lines, so nothing was tested")
	}
	b := make([]byte, 1<<10)
	for i := range lines {
		n, err := daemon.Read(b)
		if want := fmt.Sprintf("<7>kafka: line %d", i); err != nil || string(b[:n]) != want {
			t.Fatalf("read %q, %v; want %q", b[:n], err, want)
		}
	}
	sink.Close()
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func TestLinesThatSyslogDoesNotTakeAreBoundedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		free := make(chan struct{})
		sink := New(slog.LevelDebug, func(priority int, line string) {
			<-free
			out.write(priority, line)
		})
		log := slog.New(sink.Handler())
		log.Debug("the first hangs")
		synctest.Wait()
		for range waiting + 7 {
			log.Debug("a detail")
		}
		begin := time.Now()
		log.Log(t.Context(), LevelCrit, "the last words") // lost, too: but the process does not hang over them
		sink.Close()
		if took := time.Since(begin); took != 2*patience {
			t.Errorf("a critical line and the end waited for %v", took)
		}
		close(free)
		got := out.take()
		if n := strings.Count(got, "a detail"); n != waiting || !strings.HasSuffix(got, "\n4 kafka: syslog was too slow, 8 line(s) were not written") {
			t.Errorf("%d lines, and then %q", n, got[strings.LastIndex(got, "\n")+1:])
		}
	})
}

func TestACriticalLineIsWrittenBeforeItsCallerGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out []string
		sink := New(slog.LevelDebug, func(_ int, line string) {
			time.Sleep(time.Second / 2)
			out = append(out, line)
		})
		log := slog.New(sink.Handler())
		log.Debug("before")
		log.Log(t.Context(), LevelCrit, "the last words")
		if got := strings.Join(out, "\n"); got != "kafka: before\nkafka: the last words" {
			t.Errorf("written: %q", got)
		}
	})
}

// The writer is code of ours, too, and who logs has no guard for it: a line that makes it panic is lost, and says so.
func TestAPanicOfTheWriterLosesOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelDebug, func(priority int, line string) {
			if strings.HasPrefix(line, "kafka: the second") {
				panic("a fault of ours")
			}
			out.write(priority, line)
		})
		log := slog.New(sink.Handler())
		for _, line := range []string{"the first", "the second", "the third"} {
			log.Debug(line)
		}
		sink.Close() // nobody waits for what is lost
		got := strings.Split(out.take(), "\n")
		if len(got) != 3 || got[0] != "7 kafka: the first" || got[2] != "7 kafka: the third" ||
			!strings.HasPrefix(got[1], "2 kafka: internal error in the log, please report it: a fault of ours (stack goroutine ") {
			t.Errorf("written: %q", got)
		}
	})
}

func TestAWriterThatAlwaysPanicsEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		sink := New(slog.LevelDebug, func(int, string) {
			calls++
			panic("a fault of ours")
		})
		slog.New(sink.Handler()).Log(t.Context(), LevelCrit, "the last words")
		sink.Close()
		if calls != 2 {
			t.Errorf("the writer was called %d times; the line, and that it was lost, are 2", calls)
		}
	})
}

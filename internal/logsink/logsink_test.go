package logsink

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) write(priority int, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf("%d %s", priority, line))
}

// take returns what was written, once the sink has written all that it was given.
func (l *lines) take() string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := strings.Join(l.all, "\n")
	l.all = nil
	return all
}

func TestALineIsTheMessageAndItsDetails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		log := slog.New(sink.Handler()).With("queue", "kafka1")
		log.Error("message delivery failed: Local: Message timed out", "topic", "mail")
		log.Log(t.Context(), LevelCrit, "terminated with 3 message(s) lost in queue")
		log.Log(t.Context(), LevelNotice, "a notice")
		log.Warn("a warning")
		log.Info("an information")
		log.Debug("not asked for")
		sink.Close()
		want := `3 kafka: message delivery failed: Local: Message timed out (queue kafka1, topic mail)
2 kafka: terminated with 3 message(s) lost in queue (queue kafka1)
5 kafka: a notice (queue kafka1)
4 kafka: a warning (queue kafka1)
6 kafka: an information (queue kafka1)`
		if got := out.take(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestWhatRepeatsIsALineAMinuteWithItsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		one, two := slog.New(sink.Handler()).With("queue", "one"), slog.New(sink.Handler()).With("queue", "two")
		for i := range 600 { // a minute and a half, ten a second, on two queues
			if i%2 == 0 {
				one.Error("no broker", "topic", i)
			} else {
				two.Error("no broker", "topic", i)
			}
			time.Sleep(150 * time.Millisecond)
		}
		synctest.Wait()
		want := `3 kafka: no broker (queue one, topic 0)
3 kafka: no broker (queue two, topic 1)`
		got := out.take()
		if !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 3 || strings.Count(got, "more in the last 60 s") != 2 {
			t.Errorf("90 seconds gave\n%s", got)
		}
		sink.Close()
		if got := out.take(); strings.Count(got, "more in the last 30 s") != 2 {
			t.Errorf("the rest is\n%s", got)
		}
		one.Error("no broker")
		if got := out.take(); got != "3 kafka: no broker (queue one)" {
			t.Errorf("after a close, a new line is %q", got)
		}
		sink.Close()
	})
}

func TestAQuietMinuteForgetsTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		log := slog.New(sink.Handler())
		log.Error("once")
		time.Sleep(2 * time.Minute)
		log.Error("once")
		if got := out.take(); got != "3 kafka: once\n3 kafka: once" {
			t.Errorf("got %q", got)
		}
		sink.Close()
	})
}

func TestManyDifferentLinesDoNotGrowTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		log := slog.New(sink.Handler())
		for i := range remembered + 10 {
			log.Error(fmt.Sprintf("line %d", i))
		}
		if n := strings.Count(out.take(), "\n") + 1; n != remembered+1 || len(sink.seen) != remembered+1 {
			t.Errorf("%d lines written, %d remembered", n, len(sink.seen))
		}
		sink.Close()
		if got := out.take(); got != fmt.Sprintf("3 kafka: line %d, 9 more in the last 0 s", remembered+9) {
			t.Errorf("the rest is %q", got)
		}
	})
}

func TestLinesOfAGroupRepeatEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		log := slog.New(sink.Handler()).With("queue", "one").WithGroup("connection")
		log.Info("a: the connection is lost")
		log.Error("a: refused")
		log.Error("b: refused")
		slog.New(sink.Handler()).With("queue", "two").WithGroup("connection").Error("a: refused")
		time.Sleep(window)
		synctest.Wait()
		want := `6 kafka: a: the connection is lost (queue one)
3 kafka: a: refused (queue two)
3 kafka: b: refused (queue one), 2 more in the last 60 s`
		if got := out.take(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		sink.Close()
	})
}

func TestWhatOneQueueRepeatsIsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		log := slog.New(sink.Handler()).With("queue", "one")
		for second := range 120 {
			log.Warn("no broker")
			if second >= 30 {
				log.Error("a message is late")
			}
			time.Sleep(1010 * time.Millisecond) // never together with the sink's own clock
		}
		synctest.Wait()
		want := `4 kafka: no broker (queue one)
3 kafka: a message is late (queue one)
3 kafka: a message is late (queue one), 29 more in the last 30 s; and no broker (queue one), 59 more in the last 60 s
3 kafka: a message is late (queue one), 59 more in the last 60 s; and no broker (queue one), 59 more in the last 60 s`
		if got := out.take(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		log.Warn("no broker")
		log.Error("a message is late")
		out.take()
		log.Warn("no broker")
		log.Error("a message is late")
		sink.Close()
		if got := out.take(); strings.Count(got, "\n") != 1 || strings.Contains(got, "; and") {
			t.Errorf("at the end each has its own line, got\n%s", got)
		}
	})
}

func TestReportsAndDebugLinesAreNeverHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelDebug, out.write)
		log := slog.New(sink.Handler())
		for range 3 {
			log.WithGroup(Each).Info("a report")
			log.Debug("a detail")
		}
		if got := out.take(); strings.Count(got, "6 kafka: a report") != 3 || strings.Count(got, "7 kafka: a detail") != 3 {
			t.Errorf("got\n%s", got)
		}
		sink.Close()
	})
}

func TestAScriptCannotWriteLinesOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		slog.New(sink.Handler()).Error("no topic", "topic", "a\n[crit] kafka: evil\x1b[31m\xff\u00e9")
		slog.New(sink.Handler()).Error("outside allowed range 1..2\n")
		sink.Close()
		want := `3 kafka: no topic (topic a\x0a[crit] kafka: evil\x1b[31m\xffé)` + "\n3 kafka: outside allowed range 1..2\n"
		if got := out.take(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// What a broker says stands in the message itself.
func TestABrokerCannotWriteLinesOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelDebug, out.write)
		log := slog.New(sink.Handler()).With("queue", "one\ntwo").WithGroup("login")
		said := "the login is refused: no\r\n<2>kafka: all is lost\x00\x1b]0;title\x07\u2028\u0085\u202e\xff"
		want := `kafka: the login is refused: no\x0d\x0a<2>kafka: all is lost\x00\x1b]0;title\x07\xe2\x80\xa8\xc2\x85\xe2\x80\xae\xff (queue one\x0atwo)`
		for _, level := range []slog.Level{LevelCrit, slog.LevelError, slog.LevelDebug} {
			log.Log(t.Context(), level, said)
		}
		log.Error(said) // held back, and written at the end
		sink.Close()
		got := strings.Split(out.take(), "\n")
		if len(got) != 4 || got[0] != "2 "+want || got[1] != "3 "+want || got[2] != "7 "+want || got[3] != "3 "+want+", 1 more in the last 0 s" {
			t.Errorf("got\n%s", strings.Join(got, "\n"))
		}
		for _, e := range sink.Recent("") {
			if e.Text != strings.TrimPrefix(want, "kafka: ") {
				t.Errorf("recent: %q", e.Text)
			}
		}
	})
}

func TestALongLineIsShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelDebug, out.write)
		slog.New(sink.Handler()).Error(strings.Repeat("é", longest), "topic", "t")
		got := out.take()
		if len(got) > longest+2 || len(got) < longest-2 || !strings.HasSuffix(got, fmt.Sprintf("é... (%d bytes)", 2*longest+len("kafka:  (topic t)"))) {
			t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-40:])
		}
		// What a queue repeats is one line as long as it fits into one.
		log := slog.New(sink.Handler()).With("queue", "one")
		for range 2 {
			for i := range 10 {
				log.Error(fmt.Sprintf("%d%s", i, strings.Repeat("x", 1000)))
			}
		}
		out.take()
		time.Sleep(window + time.Second)
		synctest.Wait()
		lines := strings.Split(out.take(), "\n")
		if all := strings.Join(lines, ""); strings.Count(all, "1 more in the last") != 10 || len(lines) != 2 {
			t.Errorf("%d lines with %d counts", len(lines), strings.Count(all, "1 more in the last"))
		}
		for _, line := range lines {
			if len(line) > longest+64 {
				t.Errorf("a line has %d bytes", len(line))
			}
		}
		sink.Close()
	})
}

func TestRecentErrorsAreKeptWithTheirCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		sink := New(slog.LevelInfo, out.write)
		one, two := slog.New(sink.Handler()).With("queue", "one"), slog.New(sink.Handler()).With("queue", "two")
		start := time.Now()
		one.Info("all is well")
		one.WithGroup("connection").Error("a: refused")
		time.Sleep(time.Second)
		two.Warn("the disk is slow")
		time.Sleep(time.Second)
		one.WithGroup("connection").Error("b: refused")
		want := []Entry{
			{start, start.Add(2 * time.Second), 2, Err, "one", "b: refused (queue one)"},
			{start.Add(time.Second), start.Add(time.Second), 1, Warning, "two", "the disk is slow (queue two)"},
		}
		if got := sink.Recent(""); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got := sink.Recent("two"); !slices.Equal(got, want[1:]) {
			t.Errorf("of one queue: %+v", got)
		}
		for i := range kept {
			time.Sleep(time.Millisecond)
			two.Error(fmt.Sprintf("error %d", i))
		}
		if got := sink.Recent(""); len(got) != kept || got[0].Text != fmt.Sprintf("error %d (queue two)", kept-1) || got[kept-1].Text != "error 0 (queue two)" {
			t.Errorf("%d are kept, from %+v to %+v", len(got), got[len(got)-1], got[0])
		}
		sink.Close()
	})
}

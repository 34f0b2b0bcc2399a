package logsink

import (
	"fmt"
	"log/slog"
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

func (l *lines) take() string {
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
		if n := strings.Count(out.take(), "\n") + 1; n != remembered+10 || len(sink.seen) != remembered {
			t.Errorf("%d lines written, %d remembered", n, len(sink.seen))
		}
		sink.Close()
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

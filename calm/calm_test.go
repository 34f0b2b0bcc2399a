package calm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	threads      = 8
	rate         = 24000 // calls a second in all, where they are paced
	noNamespaces = 77    // the exit status of silentdns where it can't work
	defaultLimit = time.Millisecond
)

// paces are how the threads call: as a busy mail server does, and without a pause, when all of them fight for the processors.
var paces = []struct {
	name string
	rate int
}{{"paced", rate}, {fullSpeed, 0}}

const fullSpeed = "full speed"

// TestCalm makes the table. Its parts run one after another: each wants the machine for itself.
func TestCalm(t *testing.T) {
	p := newProof(t)
	a := newTable(p)
	defer a.print()
	t.Run("the proof finds what it looks for", func(t *testing.T) { control(t, a) })
	t.Run("full queue", func(t *testing.T) {
		each(t, a, "full queue, broker hangs", func(t *testing.T, args []string) seen {
			args = append(args, p.blackhole(t, "hang")...)
			s := p.drive(t, append(args, "--conf", "queue.buffering.max.messages=1000")...)
			want(t, s, "0", "-184")
			return s
		})
	})
	t.Run("Kafka down", func(t *testing.T) {
		each(t, a, "Kafka down", func(t *testing.T, args []string) seen {
			s := p.drive(t, append(args, nobody(t)...)...)
			want(t, s, "0")
			return s
		})
	})
	t.Run("metadata unknown", func(t *testing.T) {
		each(t, a, "broker never answers, new topics", func(t *testing.T, args []string) seen {
			s := p.drive(t, append(append(args, fresh(t)...), silent(t)...)...)
			want(t, s, "0")
			return s
		})
		each(t, a, "broker hangs, new topics", func(t *testing.T, args []string) seen {
			s := p.drive(t, append(append(args, fresh(t)...), p.blackhole(t, "hang")...)...)
			want(t, s, "0")
			return s
		})
	})
	t.Run("slow DNS", func(t *testing.T) { slowDNS(t, a) })
	t.Run("shutdown", func(t *testing.T) { shutdown(t, a) })
	t.Run("reload", func(t *testing.T) { reload(t, a) })
	t.Run("parked", func(t *testing.T) { parked(t, a) })
	t.Run("memory", func(t *testing.T) { memory(t, a) })
	t.Run("topics", func(t *testing.T) { topics(t, a) })
	t.Run("outage", func(t *testing.T) { outage(t, a) })
}

// fresh lets some thousand new topics a second come. More than 32,768 in the life of a queue go through Go.
func fresh(t *testing.T) []string {
	if strings.HasSuffix(t.Name(), "full_speed") || strings.Contains(t.Name(), "full_speed#") {
		return []string{"--fresh-every", "1000"}
	}
	return []string{"--fresh-every", "4"}
}

// each runs a state at each pace.
func each(t *testing.T, a *table, state string, drive func(t *testing.T, args []string) seen) {
	t.Helper()
	for _, pace := range paces {
		t.Run(pace.name, func(t *testing.T) {
			a.add(t, state, pace.name, drive(t, a.proof.calls("calm", pace.rate)))
		})
	}
}

// calls are the arguments that all states have.
func (p proof) calls(mode string, rate int) []string {
	args := []string{
		"--mode", mode, "--threads", number(threads), "--rate", number(float64(rate)),
		"--limit-us", number(float64(p.limit.Microseconds())),
	}
	if mode == "park" {
		return args
	}
	return append(args, "--seconds", number(p.seconds))
}

// want fails the test when an answer was not given, as the state is then not the one that was meant, or another one was.
func want(t *testing.T, s seen, answers ...string) {
	t.Helper()
	allowed := map[string]bool{"0": true, "-184": true}
	for _, answer := range answers {
		allowed[answer] = true
		if s.Answers[answer] == 0 {
			t.Errorf("no call was answered with %s, but %v", answer, s.Answers)
		}
	}
	for answer := range s.Answers {
		if !allowed[answer] {
			t.Errorf("calls were answered with %s: %v", answer, s.Answers)
		}
	}
}

// control shows the noise of this machine with a plugin that does nothing, and that one which blocks and one which works are found.
func control(t *testing.T, a *table) {
	p := a.proof
	for _, pace := range paces {
		args := p.calls("calm", pace.rate)
		a.row("(a plugin that does nothing)", pace.name, "-", p.run(t, nil, append(p.plugin("noop.so"), args...)...))
	}
	const pause = 3 * time.Millisecond
	for _, test := range []struct {
		env  []string
		part func(seen) (int64, int64)
	}{
		{nil, func(s seen) (int64, int64) { return s.BlockedNS, s.BlockedCalls }},
		{[]string{"HELD_WORKS=1"}, func(s seen) (int64, int64) { return s.WorkedNS, s.WorkedCalls }},
	} {
		args := append(p.plugin("held.so"), p.calls("calm", rate)...)
		s := p.run(t, test.env, append(args, "--seconds", "0.5", "--limit-us", "1000")...)
		if ns, held := test.part(s); time.Duration(ns) < pause || held != s.Calls/1000 {
			t.Errorf("of %d calls each thousandth holds its thread for %v, and %d were found, the longest %s ms", s.Calls, pause, held, ms(ns))
		}
	}
}

// slowDNS has a server that hears and does not answer, where it can be had without root, and the C library's resolver.
func slowDNS(t *testing.T, a *table) {
	p := a.proof
	name := []string{"--broker", "kafka.calm.example:9092"}
	each(t, a, "slow DNS, Go's resolver", func(t *testing.T, args []string) seen {
		conf := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(conf, []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		command := append([]string{p.program("silentdns"), conf}, p.plugin("kafka.so")...)
		s := p.run(t, nil, append(append(command, args...), name...)...)
		want(t, s, "0")
		if s.logged("questions") != 1 || s.logged("silentdns: 0 questions") != 0 {
			t.Errorf("the name was not asked for: %q", s.log)
		}
		return s
	})
	each(t, a, "slow DNS, the C library's resolver", func(t *testing.T, args []string) seen {
		// The linker takes a path with a space for two.
		preload := filepath.Join(t.TempDir(), "slowdns.so")
		if err := os.Link(p.program("slowdns.so"), preload); err != nil {
			content, err := os.ReadFile(p.program("slowdns.so"))
			if err == nil {
				err = os.WriteFile(preload, content, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		env := []string{"GODEBUG=netdns=cgo", "LD_PRELOAD=" + preload}
		s := p.run(t, env, append(append(p.plugin("kafka.so"), args...), name...)...)
		want(t, s, "0")
		if s.logged("slowdns: asked for kafka.calm.example") == 0 {
			t.Errorf("the name was not asked for: %q", s.log)
		}
		return s
	})
}

// shutdown stops the plugin while all threads go on to call. The messages that the broker leaves unanswered give the drain
// its end, as a test can't wait for a minute.
func shutdown(t *testing.T, a *table) {
	p := a.proof
	const life = 2 * time.Second
	for _, pace := range paces {
		t.Run(pace.name, func(t *testing.T) {
			args := append(p.calls("stop", pace.rate), p.blackhole(t, "hang")...)
			s := p.drive(t, append(args, "--conf", "message.timeout.ms="+number(float64(life.Milliseconds())))...)
			want(t, s, "0", "-197")
			a.add(t, "shutdown, broker hangs", pace.name, s)
			if took := time.Duration(s.CleanupMS * 1e6); took > life+4*time.Second {
				t.Errorf("Halon_cleanup took %v, with messages that live for %v", took, life)
			}
			a.note("shutdown, %s: Halon_cleanup took %.0f ms with messages that live for %v", pace.name, s.CleanupMS, life)
		})
	}
}

// reload loads a running configuration again and again in which each queue has changed, while messages come.
func reload(t *testing.T, a *table) {
	p := a.proof
	const (
		steady  = 50000 // messages a second
		reloads = 20
	)
	for _, pace := range []struct {
		name string
		rate float64
	}{{"50,000 a second", steady}, {fullSpeed, 0}} {
		t.Run(pace.name, func(t *testing.T) {
			args := []string{
				"--mode", "reload", "--threads", number(threads), "--rate", number(pace.rate), "--seconds", number(2 * p.seconds), "--reloads", number(reloads),
				"--limit-us", number(float64(p.limit.Microseconds())),
			}
			s := p.drive(t, append(args, p.blackhole(t, "ack")...)...)
			a.add(t, "reload of a changed queue", pace.name, s)
			// At full speed the queue may be full: such a call is refused, and that is no loss.
			if refused := s.Calls - s.Answers["0"] - s.Answers["-184"]; refused != 0 || pace.rate > 0 && s.Answers["-184"] != 0 {
				t.Errorf("calls were answered %v", s.Answers)
			}
			if s.Records != s.Answers["0"] {
				t.Errorf("%d messages were accepted, and the broker has %d", s.Answers["0"], s.Records)
			}
			if lines := s.logged("queues added 0, changed 1, removed 0, unchanged 0"); lines != reloads {
				t.Errorf("%d of %d reloads are in the log: %q", lines, reloads, s.log)
			}
			a.note("reload, %s: %d times, %.1f ms at most; %d messages accepted and as many at the broker", pace.name, reloads, s.ReloadMS, s.Records)
		})
	}
}

// parked has many scripts wait for room at once.
func parked(t *testing.T, a *table) {
	p := a.proof
	const scripts = 10000
	for _, pace := range paces {
		t.Run(pace.name, func(t *testing.T) {
			args := append(p.calls("park", pace.rate), p.blackhole(t, "hang")...)
			s := p.drive(t, append(args, "--waiting", number(scripts), "--block", "--conf", "queue.buffering.max.messages=1000")...)
			a.add(t, "block=true on a full queue", pace.name, s)
			if s.Parked != scripts || s.WokenOnce != scripts || s.Admitted != scripts {
				t.Errorf("of %d scripts %d were parked, %d woken once, and %d admitted", scripts, s.Parked, s.WokenOnce, s.Admitted)
			}
			a.note("parked, %s: %d scripts took %.0f bytes each; all were woken once, within %.0f ms of the broker's answer",
				pace.name, s.Parked, (s.RSSParked-s.RSSBefore)/scripts, s.WokenMS)
		})
	}
}

package calm

import (
	"syscall"
	"testing"
	"time"
)

// memory fills a queue with messages so small that what is around them is most of it.
func memory(t *testing.T, a *table) {
	p := a.proof
	const (
		limit = 102400 << 10 // queue.buffering.max.kbytes
		slack = 64 << 20     // costSlack of internal/producer: so that small queues mean what librdkafka means
	)
	tiny := []string{"--mode", "rss", "--value-bytes", "10", "--key-bytes", "0"}
	one := p.drive(t, append(append(tiny, "--messages", "1"), p.blackhole(t, "hang")...)...)
	for _, count := range []string{"0", "10000000"} {
		args := append(append(tiny, "--messages", "10000000"), p.blackhole(t, "hang")...)
		s := p.drive(t, append(args, "--conf", "queue.buffering.max.kbytes=102400", "--conf", "queue.buffering.max.messages="+count)...)
		most := limit*1.1 + slack + one.RSSPeak
		if s.Refused == 0 {
			t.Errorf("max.messages=%s: the queue took all of %d messages", count, s.Accepted)
		}
		if s.RSSPeak > most {
			t.Errorf("max.messages=%s: %s of memory with %d messages, want at most %s", count, mib(s.RSSPeak), s.Accepted, mib(most))
		}
		a.note("memory, queue.buffering.max.messages=%s: %d messages of 10 bytes, %s at rest and %s at most, %.0f bytes each; allowed %s: 1.1 x 100 MiB, 64 MiB, and %s of a process with one message",
			count, s.Accepted, mib(s.RSS), mib(s.RSSPeak), (s.RSSPeak-one.RSSPeak)/float64(s.Accepted), mib(most), mib(one.RSSPeak))
	}
}

// outage takes the broker away from a full queue and brings it back.
func outage(t *testing.T, a *table) {
	p := a.proof
	const (
		queued  = 100000
		watched = 10
		// The longest pause between two attempts to connect, with its jitter of a quarter, is reconnect.backoff.max.ms.
		backoff = 10 * time.Second
		linger  = 5 * time.Millisecond
		// What the transport of 100,000 messages takes on a slow machine, and the answer to the first questions.
		speed = 2 * time.Second
	)
	args := append([]string{"--mode", "outage", "--return", "--warmup", "1000", "--messages", number(queued), "--seconds", number(watched)},
		p.blackhole(t, "ack")...)
	s := p.drive(t, args...)
	if s.Accepted != queued {
		t.Errorf("%d of %d messages were accepted", s.Accepted, queued)
	}
	// Attempts to connect and a look at the queue come each second at most. What a wake costs is the machine's: between a microsecond
	// and some milliseconds, where a hypervisor must give the processor back first.
	wake := oneWake(t)
	if most := 0.01 + 2*wake; s.Cores >= most {
		t.Errorf("with Kafka gone the process takes %.2f %% of a core, want less than %.2f, where a process that wakes once a second takes %.2f", 100*s.Cores, 100*most, 100*wake)
	}
	lines := s.logged("driver: kafka: ")
	if begun, over := s.logged("kafka: FAIL(3): "), s.logged("kafka: CONNECT(5): "); lines != 2 || begun != 1 || over != 1 {
		t.Errorf("want one line when the outage begins and one when it is over, got %d: %q", lines, s.log)
	}
	first := time.Duration(s.FirstMS * 1e6)
	drain := time.Duration((s.DrainedMS - s.FirstMS) * 1e6)
	if first > backoff+linger+speed {
		t.Errorf("the first message arrived %v after the broker had come back", first)
	}
	if drain > speed {
		t.Errorf("%d messages took %v from the first to the last", queued, drain)
	}
	a.note("outage: %.2f %% of a core (a Go process that wakes once a second: %.2f) over %d s with %d messages queued, %d log lines; after the broker's return %v to the first message, %v more to the last",
		100*s.Cores, 100*wake, watched, queued, lines, first.Round(time.Millisecond), drain.Round(time.Millisecond))
}

// oneWake is the part of a core that this process takes when it does nothing but wake once a second.
func oneWake(t *testing.T) float64 {
	t.Helper()
	const wakes = 5
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	<-tick.C
	before := used()
	for range wakes {
		<-tick.C
	}
	return (used() - before).Seconds() / wakes
}

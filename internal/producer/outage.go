package producer

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
)

// An outage is a time in which brokers that are needed cannot be used. It begins with the first failure, which is one line of the
// log, and ends with another one; what fails meanwhile in the same way has a line only when the broker of the first one is back.
type outage struct {
	mu      sync.Mutex
	since   time.Time // zero: there is none; guarded by mu
	group   string    // what is wrong; guarded by mu
	address string    // of the broker that the line names, "" when the next failure is news; guarded by mu
	lines   []string  // the groups that have a line: brokers that fail in two ways take turns; guarded by mu
	text    string    // the line that tells it; guarded by mu
	loud    flaps     // guarded by mu
	each    bool      // of the present one; guarded by mu
	told    time.Time // when text was logged; guarded by mu
}

// Flaps counts how often a state has begun within a minute. The first few times are logged one by one; a broker that comes and
// goes each second is then one line a minute.
type flaps struct {
	at [mostFlaps]time.Time
	i  int
}

const mostFlaps = 5

func (f *flaps) begin(now time.Time) (each bool) {
	each = now.Sub(f.at[f.i]) >= time.Minute
	f.at[f.i], f.i = now, (f.i+1)%mostFlaps
	return each
}

// groupOf is the group of a line about the begin or the end of a state.
func groupOf(group string, each bool) string {
	if each {
		return logsink.Each + ":" + group
	}
	return group
}

// fails tells that a broker cannot be used, where that is news.
func (c *clientLog) fails(group, address, text string) {
	o, line := &c.outage, address+": "+text
	now := time.Now()
	o.mu.Lock()
	if o.since.IsZero() {
		o.since, o.lines = now, nil
	}
	again := slices.Contains(o.lines, group)
	if !again {
		o.lines = append(o.lines, group)
		o.group, o.address, o.text, o.each, o.told = group, address, line, o.loud.begin(now), now
	} else if o.address == address { // the broker that the status names fails in another way by now
		o.group, o.text = group, line
	}
	each := o.each
	o.mu.Unlock()
	facility := map[string]string{groupTLS: "SSL", groupLogin: "SASL", groupProtocol: "PROTOERR"}[group]
	if facility == "" {
		facility = "FAIL"
	}
	if again {
		c.say(logsink.Debug, facility, group, line, brokerAttr(address))
		return
	}
	c.say(logsink.Err, facility, groupOf(group, each), line, brokerAttr(address))
	c.tellLosses(logsink.Debug)
	c.tell()
}

// nextIsNews lets the next failure have a line, and be what the queue says of the outage: the broker that the last line names is back, and
// another one is not.
func (o *outage) nextIsNews() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.address, o.lines = "", nil
}

// names reports whether the line of the outage is about the broker at address.
func (o *outage) names(address string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.address == address
}

// present returns the outage that there is.
func (o *outage) present() (kind report.Kind, text string, since time.Time, is bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kind = report.Disconnected
	switch o.group {
	case groupTLS:
		kind = report.TLS
	case groupLogin:
		kind = report.Login
	}
	return kind, o.text, o.since, !o.since.IsZero()
}

// recovers ends the outage, and tells for how long it was and how much is queued.
func (c *clientLog) recovers(queued int64) {
	o := &c.outage
	now := time.Now()
	o.mu.Lock()
	since, each := o.since, o.each
	o.since = time.Time{}
	o.mu.Unlock()
	if !since.IsZero() {
		c.say(logsink.Notice, "CONNECT", groupOf("connected", each), fmt.Sprintf("connected again after %s, %s queued", report.Lasted(now.Sub(since)), report.Thousands(queued)))
	}
}

// lossHeld is how long the line of a lost connection waits for an outage, which is one line and tells why: so long an attempt to a host
// that is gone may take until it counts as one, and a little more.
const lossHeld = silentAfter + time.Second

// A loss is a connection that is lost.
type loss struct{ address, text string }

// losses are those of which it is not known yet whether an outage begins with them.
type losses struct {
	mu    sync.Mutex
	held  []loss      // guarded by mu
	timer *time.Timer // runs while there are some; guarded by mu
}

// hold keeps l, and calls over when the time has come to tell what is still held.
func (s *losses) hold(l loss, over func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held = append(s.held, l); s.timer == nil {
		s.timer = time.AfterFunc(lossHeld, over)
	}
}

// take returns what is held.
func (s *losses) take() []loss {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held
	if s.held = nil; s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	return held
}

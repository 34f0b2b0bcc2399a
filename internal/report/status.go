package report

import (
	"slices"
	"time"
)

// A State says whether scripts can rely on a queue.
type State uint8

// The states, the better first.
const (
	OK       State = iota
	Degraded       // it takes messages, and some of them are not delivered at the moment
	Broken         // it takes no messages
)

// String returns the word that commands, scripts and metrics use.
func (s State) String() string { return [...]string{"ok", "degraded", "failed"}[s] }

// A Kind is a reason for which a queue is not ok. Part of the interface: metrics and commands name it.
type Kind uint8

// The kinds, the gravest first.
const (
	Fault        Kind = iota // the queue has ended
	Stopping                 // the mail server shuts down
	Removed                  // from the running configuration
	Full                     // calls are refused for want of room
	Disk                     // the spool cannot be written
	Login                    // a broker refuses the login
	TLS                      // a broker's certificate, or ours
	Disconnected             // a broker cannot be reached
	Refused                  // the cluster does not take messages of a topic
	Stalled                  // a topic makes no progress
	Paused                   // by command
	Kinds                    // how many there are
)

// String returns the word that commands and metrics use.
func (k Kind) String() string {
	return [...]string{"fault", "stopping", "removed", "full", "disk", "login", "tls", "disconnected", "topic", "stalled", "paused"}[k]
}

// A Problem is one reason for which a queue is not ok.
type Problem struct {
	Kind  Kind
	State State  // what it makes of the queue
	Text  string // one sentence
	Since time.Time
}

// A LastError is the last message that was given up, or the last failure of a connection.
type LastError struct {
	Time  time.Time `json:"time"`
	Text  string    `json:"text"`
	Topic string    `json:"topic,omitempty"`
	Code  int       `json:"code,omitempty"`
}

// Health is what a queue has published of itself. It is not changed afterwards.
type Health struct {
	State    State
	Since    time.Time // of the state
	Problems []Problem // the gravest first
	InFlight int64     // messages on their way to a broker
	Oldest   time.Time // when the oldest message without a report was accepted; zero without
	Counts   Snapshot
	Error    *LastError // nil without
	Rates    Rates
}

// Reason is the sentence of the gravest problem, or "".
func (h *Health) Reason() string {
	if len(h.Problems) == 0 {
		return ""
	}
	return h.Problems[0].Text
}

// Has says whether there is a problem of that kind.
func (h *Health) Has(kind Kind) bool {
	return slices.ContainsFunc(h.Problems, func(p Problem) bool { return p.Kind == kind })
}

// OldestAge is how old the oldest message without a report is.
func (h *Health) OldestAge(now time.Time) time.Duration {
	if h.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(h.Oldest), 0)
}

// Status is the state of a queue as programs read it: what `status --json` prints and halon-kafka top shows, perhaps of a plugin that
// has other states and kinds than this one, so these are words. In = Delivered + Failed + Dropped + Expired + Dead + Queued + OnDisk.
type Status struct {
	ID        string          `json:"queue"`
	State     string          `json:"state"`  // ok, degraded or failed
	Reason    string          `json:"reason"` // of the gravest problem; "" when it is ok
	Since     time.Time       `json:"since"`  // of the state
	Problems  []StatusProblem `json:"problems"`
	Paused    bool            `json:"paused"`
	Storage   string          `json:"storage"` // memory, durable or spill
	In        int64           `json:"in"`
	Delivered int64           `json:"delivered"`
	Failed    int64           `json:"failed"`
	Dropped   int64           `json:"dropped"`
	Expired   int64           `json:"expired"`
	Dead      int64           `json:"dead"`
	Queued    int64           `json:"queued"` // in memory only
	OnDisk    int64           `json:"on_disk"`
	InFlight  int64           `json:"in_flight"` // of queued and on_disk
	Parked    int64           `json:"parked"`
	Refused   int64           `json:"refused"`
	OldestAge float64         `json:"oldest_age_seconds"`
	InRate    float64         `json:"in_rate"`        // messages a second, over the last ten
	OutRate   float64         `json:"delivered_rate"` // likewise

	LimitMessages int64      `json:"limit_messages"` // of memory; 0 is none
	Bytes         int64      `json:"bytes"`          // of values in memory
	LimitBytes    int64      `json:"limit_bytes"`
	SpoolBytes    int64      `json:"spool_bytes"`
	SpoolLimit    int64      `json:"spool_limit_bytes"` // 0 without a spool
	DeadPending   int64      `json:"dead_pending"`      // dead letters in the folder
	LastError     *LastError `json:"last_error"`        // null without
}

// StatusProblem is a [Problem] as programs read it.
type StatusProblem struct {
	Kind  string    `json:"kind"`
	State string    `json:"state"`
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
}

// Rates are counters of the last seconds, from which rates come.
type Rates struct {
	at  [rateSamples]rateSample
	n   int // how many there are
	pos int // of the next
}

type rateSample struct {
	time          time.Time
	in, delivered int64
}

const (
	rateSamples = 12
	rateEvery   = time.Second
	rateOver    = 10 * time.Second
)

// Note adds a sample, at most one a second.
func (r *Rates) Note(now time.Time, s *Snapshot) {
	if r.n > 0 && now.Sub(r.at[(r.pos+rateSamples-1)%rateSamples].time) < rateEvery {
		return
	}
	r.at[r.pos] = rateSample{now, s.In, s.Delivered}
	r.pos, r.n = (r.pos+1)%rateSamples, min(r.n+1, rateSamples)
}

// Of returns messages a second, accepted and delivered, over the last ten seconds.
func (r *Rates) Of(now time.Time, s *Snapshot) (in, delivered float64) {
	var from *rateSample
	for i := range r.n {
		one := &r.at[(r.pos+2*rateSamples-1-i)%rateSamples]
		if i == 0 && now.Sub(one.time) >= 2*rateOver {
			return 0, 0 // samples are taken while messages come
		}
		from = one
		if now.Sub(one.time) >= rateOver {
			break
		}
	}
	if from == nil {
		return 0, 0
	}
	seconds := now.Sub(from.time).Seconds()
	if seconds < 0.5 {
		return 0, 0 // too short to tell
	}
	return float64(s.In-from.in) / seconds, float64(s.Delivered-from.delivered) / seconds
}

package calm

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
)

// strays are the calls of a state that may seem to have worked for long: while the hypervisor or an interrupt has the processor,
// the kernel's account says that the thread ran.
const strays = 2

// share is the part of the calls that may be held at full speed, where eight threads that never rest fight for the processors: one
// that is preempted within the few instructions of a lock delays the next ones.
const share = 1000

// table is what the operator reads: the longest calls, state by state, and then a sentence for each of the other figures.
type table struct {
	proof proof
	rows  [][]string
	notes []string
	known bool // the kernel tells for how long a thread was ready to run
}

func newTable(p proof) *table {
	return &table{proof: p, known: true, rows: [][]string{{"state", "pace", "calls", "longest ms", "worked ms", "blocked ms", "held", "verdict"}}}
}

// add adds a row and fails the test when a call was held.
func (a *table) add(t *testing.T, state, pace string, s seen) {
	t.Helper()
	verdict := "passed"
	held := s.BlockedCalls + s.WorkedCalls
	allowed := int64(0)
	if pace == fullSpeed {
		allowed = s.Calls / share
	}
	if s.BlockedCalls > allowed || s.WorkedCalls > allowed+strays {
		verdict = "HELD"
		t.Errorf("%s, %s: %d of %d calls were held for more than %v: blocked for %s ms, worked for %s ms",
			state, pace, held, s.Calls, a.proof.limit, ms(s.BlockedNS), ms(s.WorkedNS))
	}
	if s.Calls == 0 {
		t.Errorf("%s, %s: no calls were made", state, pace)
	}
	a.known = a.known && s.RunDelayKnown
	a.row(state, pace, verdict, s)
}

// row adds a row without a judgement.
func (a *table) row(state, pace, verdict string, s seen) {
	a.rows = append(a.rows, []string{
		state, pace, fmt.Sprint(s.Calls), ms(s.LongestNS), ms(s.WorkedNS), ms(s.BlockedNS), fmt.Sprint(s.BlockedCalls + s.WorkedCalls), verdict,
	})
}

func (a *table) note(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

func (a *table) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range a.rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
	fmt.Printf("\n%d threads; paced: %d calls a second in all. A call is held when it worked or was blocked for more than %v.\n",
		threads, rate, a.proof.limit)
	fmt.Println("longest: by the clock, with what the kernel gave to other threads meanwhile; blocked: the thread slept in the call;")
	fmt.Printf("worked: it ran, or the hypervisor had its processor, so %d such calls of a state are let pass.\n", strays)
	fmt.Printf("At full speed one call in %d may be held: a thread that is preempted while it holds a lock delays the next ones.\n", share)
	if a.proof.limit > defaultLimit {
		fmt.Printf("The limit was relaxed from %v by CALM_LIMIT_US.\n", defaultLimit)
	}
	if !a.known {
		fmt.Println("This kernel has no schedstat: a call that slept counts as blocked for all the time that it did not run.")
	}
	for _, n := range a.notes {
		fmt.Println("-", n)
	}
}

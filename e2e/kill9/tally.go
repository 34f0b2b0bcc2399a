package main

import (
	"fmt"
	"strings"
	"sync"
)

// The troubles of -once, as they are printed.
const (
	brokersKilled      = "broker killed"
	brokersRestarted   = "broker restarted in order"
	producersForgotten = "all producers forgotten"
	answersSwallowed   = "answers swallowed"
	leadersMoved       = "leaders moved"
	rollingRestarts    = "rolling restart of all brokers"
)

// tally counts troubles, so that a run which had none of a kind does not pass for one that had.
type tally struct {
	names []string
	mu    sync.Mutex
	n     map[string]int // guarded by mu
}

func newTally(names ...string) *tally { return &tally{names: names, n: map[string]int{}} }

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[name]++
}

// never returns the names of which there was nothing.
func (t *tally) never() (names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range t.names {
		if t.n[name] == 0 {
			names = append(names, name)
		}
	}
	return names
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, name := range t.names {
		all = append(all, fmt.Sprintf("%s %d", name, t.n[name]))
	}
	return strings.Join(all, ", ")
}

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// id names one message: the n-th, from 1, that a worker produced in one life of its host. A worker produces one after the other,
// and does not go on before its message is accepted.
type id struct{ life, worker, n int }

// padding makes a value as long as a line of a mail log.
var padding = strings.Repeat("of a mail log, ", 12)

// value is the message of an id: what the broker gets can be told from anything else.
func (i id) value() string { return fmt.Sprintf("%d/%d/%d:%s", i.life, i.worker, i.n, padding) }

func parseID(value []byte) (i id, err error) {
	head, rest, _ := bytes.Cut(value, []byte(":"))
	parts := strings.Split(string(head), "/")
	if len(parts) != 3 || string(rest) != padding {
		return i, fmt.Errorf("%.60q is no value of a worker", value)
	}
	for k, into := range []*int{&i.life, &i.worker, &i.n} {
		if *into, err = strconv.Atoi(parts[k]); err != nil || *into < 0 {
			return i, fmt.Errorf("%.60q is no value of a worker", value)
		}
	}
	return i, nil
}

// track is what has arrived of one worker in one life: a bit for each n.
type track struct {
	seen    []uint64
	highest int
}

func (t *track) add(n int) (before bool) {
	for n/64 >= len(t.seen) {
		t.seen = append(t.seen, 0)
	}
	bit := uint64(1) << (n % 64)
	before = t.seen[n/64]&bit != 0
	t.seen[n/64] |= bit
	t.highest = max(t.highest, n)
	return before
}

func (t *track) has(n int) bool { return n/64 < len(t.seen) && t.seen[n/64]>>(n%64)&1 == 1 }

// ledger compares the answers that a host got with what has arrived. The broker's goroutine fills it; it is read when the broker is closed.
type ledger struct {
	tracks     map[[2]int]*track // by life and worker
	latest     map[int]id        // by worker: the last first arrival
	accepted   map[int][]int     // by life: how many messages of each worker were accepted
	arrived    int
	duplicates int
	wrong      []string
	order      []time.Time // when a first arrival was older than one before it
}

func newLedger() *ledger {
	return &ledger{tracks: map[[2]int]*track{}, latest: map[int]id{}, accepted: map[int][]int{}}
}

// arrive notes a message in the order of its partition, which its worker has chosen.
func (l *ledger) arrive(value []byte) {
	i, err := parseID(value)
	if err != nil {
		l.wrong = append(l.wrong, err.Error())
		return
	}
	l.arrived++
	key := [2]int{i.life, i.worker}
	t := l.tracks[key]
	if t == nil {
		t = &track{}
		l.tracks[key] = t
	}
	if t.add(i.n) {
		l.duplicates++
		return
	}
	if last := l.latest[i.worker]; i.life < last.life || i.life == last.life && i.n < last.n {
		l.order = append(l.order, time.Now())
		return
	}
	l.latest[i.worker] = i
}

// judge returns how many messages were accepted, how many of them have not arrived, and how many have arrived though nobody can have
// produced them. A message whose call was under way at a kill may or may not have arrived.
func (l *ledger) judge() (accepted, lost, invented int) {
	for life, workers := range l.accepted {
		for worker, n := range workers {
			accepted += n
			t := l.tracks[[2]int{life, worker}]
			if t == nil {
				lost += n
				continue
			}
			for i := 1; i <= n; i++ {
				if !t.has(i) {
					lost++
				}
			}
			invented += max(0, t.highest-n-1)
		}
	}
	for key, t := range l.tracks {
		if key[1] >= len(l.accepted[key[0]]) {
			invented += t.highest
		}
	}
	return accepted, lost, invented
}

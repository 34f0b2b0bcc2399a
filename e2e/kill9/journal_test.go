package main

import (
	"strings"
	"testing"
)

// Each history breaks one promise, or none.
func TestTheJournalFindsWhatIsWrong(t *testing.T) {
	one, two, three := id{0, 1, 1}, id{0, 1, 2}, id{0, 2, 1}
	answered := func(j *journal, all ...id) {
		for _, i := range all {
			j.answer(i, true)
		}
	}
	arrived := func(j *journal, all ...id) {
		for _, i := range all {
			j.arrive(i.value(), "here")
		}
	}
	for _, test := range []struct {
		sentence string
		history  func(*journal)
		line     string
		wrong    string // empty: all is well
	}{
		{"all arrive in order", func(j *journal) {
			answered(j, one, two, three)
			arrived(j, one, two, three)
		}, "kill9: 0 kills, 3 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", ""},
		{"one is lost", func(j *journal) {
			answered(j, one, two)
			arrived(j, one)
		}, "kill9: 0 kills, 2 acknowledged, 1 lost, 0 duplicates (bound 0), order kept", "lost: 0/1/2"},
		{"one that was never answered need not arrive", func(j *journal) {
			answered(j, one)
			j.answer(two, false)
			arrived(j, one)
		}, "kill9: 0 kills, 1 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", ""},
		{"one that was never answered may arrive", func(j *journal) {
			answered(j, one)
			arrived(j, one, two)
		}, "kill9: 0 kills, 1 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", ""},
		{"the order of a key turns around", func(j *journal) {
			answered(j, one, two, three)
			arrived(j, one, three, two)
		}, "kill9: 0 kills, 3 acknowledged, 0 lost, 0 duplicates (bound 0), order broken", "order: 0/1/2 comes after 0/2/1"},
		{"one comes twice after a kill that found it in flight, where none may", func(j *journal) {
			j.strict = true
			answered(j, one)
			arrived(j, one)
			j.killed([]id{one})
			arrived(j, one)
		}, "kill9: 1 kills, 1 acknowledged, 0 lost, 1 duplicates (bound 0), order kept", "duplicate: 0/1/1 is on the topic 2 times"},
		{"the order of two keys is free", func(j *journal) {
			answered(j, one, id{1, 1, 1})
			arrived(j, id{1, 1, 1}, one)
		}, "kill9: 0 kills, 2 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", ""},
		{"what was in flight at a kill comes again, and keeps the order of first occurrences", func(j *journal) {
			answered(j, one, two)
			arrived(j, one, two)
			j.killed([]id{one, two})
			answered(j, three)
			arrived(j, one, two, three)
		}, "kill9: 1 kills, 3 acknowledged, 0 lost, 2 duplicates (bound 2), order kept", ""},
		{"what was acknowledged comes again all the same", func(j *journal) {
			answered(j, one, two)
			arrived(j, one, two)
			j.killed([]id{two})
			arrived(j, one, two)
		}, "kill9: 1 kills, 2 acknowledged, 0 lost, 2 duplicates (bound 1), order kept", "duplicate: 0/1/1 is on the topic 2 times, and 0 kills"},
		{"it comes more often than it was in flight", func(j *journal) {
			answered(j, one, two)
			arrived(j, one, two)
			j.killed([]id{one, two})
			arrived(j, one, one)
		}, "kill9: 1 kills, 2 acknowledged, 0 lost, 2 duplicates (bound 2), order kept", "duplicate: 0/1/1 is on the topic 3 times, and 1 kills"},
		{"a record of a life that produced nothing like it", func(j *journal) {
			answered(j, one)
			arrived(j, one, id{0, 1, 3})
		}, "kill9: 0 kills, 1 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", "invented: 0/1/3"},
		{"a byte has changed", func(j *journal) {
			answered(j, one)
			arrived(j, one)
			j.arrive(append(two.value(), 'x'), "here")
		}, "kill9: 0 kills, 1 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", "invented: the value of 0/1/2 has changed"},
		{"a text that is no record", func(j *journal) {
			answered(j, one)
			arrived(j, one)
			j.arrive([]byte("0/-1/2:"), "here")
		}, "kill9: 0 kills, 1 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", `invented: "0/-1/2" is no id`},
		{"nothing was answered, so nothing was proved", func(*journal) {}, "kill9: 0 kills, 0 acknowledged, 0 lost, 0 duplicates (bound 0), order kept", "-"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			j := newJournal()
			test.history(j)
			line, ok := j.verdict()
			if line != test.line || ok != (test.wrong == "") {
				t.Errorf("%v, %s; want %s", ok, line, test.line)
			}
			if all := strings.Join(j.wrong, "; "); test.wrong != "-" && (test.wrong == "") != (all == "") || !strings.HasPrefix(all, strings.Trim(test.wrong, "-")) {
				t.Errorf("found %q, want %q", all, test.wrong)
			}
		})
	}
}

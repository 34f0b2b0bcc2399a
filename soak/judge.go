package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// The series of a sample.
const (
	resident = iota
	threadCount
	descriptorCount
	goroutineCount
	diskBytes
	seriesCount
)

// rules say how much a series may grow after the second period: a tenth, and an allowance for what comes and goes by itself.
var rules = [seriesCount]struct {
	name      string
	unit      float64
	allowance float64
	reason    string
}{
	resident:        {"resident memory, MB", 1e6, 8e6, "when the garbage collector runs is chance"},
	threadCount:     {"threads", 1, 2, "the runtime starts one for a system call that takes long"},
	descriptorCount: {"descriptors", 1, 3, "a connection that is being replaced, and a segment"},
	goroutineCount:  {"goroutines", 1, 5, "those of a connection that is being replaced"},
	diskBytes:       {"disk, MB", 1e6, 70e6, "a segment is allocated as a whole"},
}

// judgedFrom is the shortest period whose samples tell something.
const judgedFrom = time.Minute

// figures are the highest and the median sample of a host's series in a period.
func (r *run) figures(host, series, period int) (highest, median float64) {
	var values []float64
	for _, s := range r.samples {
		if s.host == host && s.at >= time.Duration(period)*r.period && s.at < time.Duration(period+1)*r.period {
			values = append(values, s.series[series])
		}
	}
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	return values[len(values)-1], values[len(values)/2]
}

// growth returns a sentence for each series that grows.
func (r *run) growth() (grown []string) {
	for host, kind := range kinds {
		for series, rule := range rules {
			high, middle := r.figures(host, series, 1)
			for period := 2; time.Duration(period+1)*r.period <= r.total; period++ {
				highest, median := r.figures(host, series, period)
				if highest > 1.1*high+rule.allowance || median > 1.1*middle+rule.allowance {
					grown = append(grown, fmt.Sprintf("%s queue, %s: highest %.1f and median %.1f in period %d, %.1f and %.1f in period 2",
						kind, rule.name, highest/rule.unit, median/rule.unit, period+1, high/rule.unit, middle/rule.unit))
					break
				}
			}
		}
	}
	return grown
}

// totals are the figures of the run in a few words.
func (r *run) totals() []string {
	var accepted, lost, invented, duplicates, order, excused int
	for host, l := range r.broker.ledgers {
		a, n, i := l.judge()
		o, e := r.disorder(host)
		accepted, lost, invented, duplicates, order, excused = accepted+a, lost+n, invented+i, duplicates+l.duplicates, order+o, excused+e
	}
	words := []string{
		fmt.Sprintf("%d accepted", accepted), fmt.Sprintf("%d lost", lost), fmt.Sprintf("%d delivered twice", duplicates),
		fmt.Sprintf("%d out of order", order),
	}
	if excused > 0 {
		words = append(words, fmt.Sprintf("%d in memory out of order by reloads", excused))
	}
	if invented > 0 {
		words = append(words, fmt.Sprintf("%d that nobody produced", invented))
	}
	return words
}

// mixing is how long a reload may bring messages of a queue in memory out of order (docs/guarantees.md): what the earlier queue had on its way goes
// again when that one is connected again, up to reconnect.backoff.max.ms of 10 s and a quarter later, and the new one may be there before it.
const mixing = 15 * time.Second

// disorder returns how many messages of a host were out of order, and how many others a reload of a queue in memory excuses.
func (r *run) disorder(host int) (order, excused int) {
	for _, at := range r.broker.ledgers[host].order {
		if host == memory && slices.ContainsFunc(r.changes, func(c span) bool { return at.After(c.from) && at.Before(c.to.Add(mixing)) }) {
			excused++
		} else {
			order++
		}
	}
	return order, excused
}

// print writes the result and returns whether every rule held.
func (r *run) print(w io.Writer, command string) bool {
	ok := true
	fmt.Fprintf(w, "%s: %d periods of %v, each with an outage of %v and 4 reloads; one kill\n", command, r.total/r.period, r.period, r.outage)
	for host, kind := range kinds {
		l := r.broker.ledgers[host]
		accepted, lost, invented := l.judge()
		order, excused := r.disorder(host)
		fmt.Fprintf(w, "%-8s %d accepted, %d calls refused, %d lost, %d delivered twice, %d out of order, %d by reloads\n", kind, accepted, r.refused[host], lost, l.duplicates, order, excused)
		// Behind half of the rate the run says nothing.
		least := int(r.total.Seconds() * float64(r.rate) / 2)
		if lost > 0 || invented > 0 || order > 0 || len(l.wrong) > 0 || accepted < least {
			ok = false
			fmt.Fprintf(w, "FAILED: %s queue: %d lost, %d out of order, %d invented, %d accepted of at least %d %.300q\n", kind, lost, order, invented, accepted, least, l.wrong)
		}
	}
	for _, fault := range r.faults {
		ok = false
		fmt.Fprintln(w, "FAILED: the log says", fault)
	}
	fmt.Fprintf(w, "%-30s %s\n", "highest (median) by period", "memory queue / durable queue")
	for series, rule := range rules {
		for period := 0; time.Duration(period+1)*r.period <= r.total; period++ {
			a, b := r.figures(memory, series, period)
			c, d := r.figures(durable, series, period)
			fmt.Fprintf(w, "%-24s %4d   %.1f (%.1f) / %.1f (%.1f)\n", rule.name, period+1, a/rule.unit, b/rule.unit, c/rule.unit, d/rule.unit)
		}
	}
	if r.period < judgedFrom {
		fmt.Fprintf(w, "NOT JUDGED whether it is flat: a period of %v is too short, want MINUTES=%d at least\n", r.period, periodsAtLeast)
	} else {
		for _, sentence := range r.growth() {
			ok = false
			fmt.Fprintln(w, "FAILED: not flat:", sentence)
		}
	}
	if ok {
		fmt.Fprintln(w, "passed")
	}
	return ok
}

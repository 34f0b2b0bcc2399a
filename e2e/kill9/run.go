package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// run is one run of the program.
type run struct {
	life
	kills  int
	random *rand.Rand
	out    io.Writer

	journal *journal
	broker  broker  // nil for the spool host
	reader  *reader // likewise
	places  map[string]int
	once    bool // -once: other points and troubles, and nothing twice
	only    string
	said    string // what the last life that was killed has logged
	old     int    // records of two days ago that were put into the spool
}

// longest is how long a life may take that has a point and does not come to it.
const longest = 1500 * time.Millisecond

// all runs the lives, and then one that only sends what is left. It reports whether everything held.
func (r *run) all(ctx context.Context) (ok bool, err error) {
	r.journal, r.places = newJournal(), map[string]int{}
	r.journal.strict = r.once && r.Idempotence == "true"
	if r.broker != nil {
		if r.reader, err = newReader(r.broker); err != nil {
			return false, err
		}
		defer r.reader.close()
		r.Servers = cmp.Or(r.Servers, r.broker.address())
	}
	points := spool.Points()
	if r.once {
		points = oncePoints()
	}
	for r.Number = 1; r.Number <= r.kills && len(r.journal.wrong) == 0; r.Number++ {
		if err := r.one(ctx, points[r.Number/2%len(points)], 0, longest); err != nil {
			return false, fmt.Errorf("life %d: %w", r.Number, err)
		}
		if r.Number%50 == 0 {
			fmt.Fprintf(r.out, "kill9: %d of %d kills, %d acknowledged so far\n", r.Number, r.kills, len(r.journal.answered))
		}
	}
	must, least := points, 2*len(points) // each has had its turn
	if r.once {
		must, least = producer.Points(), enough
	}
	if (!r.once || r.journal.strict) && r.kills >= least {
		if err := r.unmet(ctx, must); err != nil {
			return false, err
		}
	}
	if err := r.last(ctx); err != nil {
		return false, fmt.Errorf("the last life: %w", err)
	}
	line, ok := r.journal.verdict()
	if r.once && !r.journal.strict {
		r.journal.wrong = nil // only the numbers are wanted
	}
	for n, wrong := range r.journal.wrong {
		if n == 20 {
			fmt.Fprintf(r.out, "kill9: and %d more\n", len(r.journal.wrong)-n)
			break
		}
		fmt.Fprintf(r.out, "kill9: %s\n", wrong)
	}
	var places []string
	for _, place := range slices.Sorted(maps.Keys(r.places)) {
		places = append(places, fmt.Sprintf("%s %d", place, r.places[place]))
	}
	fmt.Fprintf(r.out, "kill9: killed at: %s; at most %d records in flight at a kill\n", strings.Join(places, ", "), r.journal.most)
	fmt.Fprintln(r.out, line)
	if !ok {
		fmt.Fprintf(r.out, "kill9: hosts have called %d messages possibly duplicated; the last one that was killed has logged:\n%s", r.journal.doubts, r.said)
	}
	return ok, nil
}

// enough kills come to every point of a queue that delivers once, and to every trouble of a broker.
const enough = 8

// unmet lives on for the points to which no host has come in time so far.
func (r *run) unmet(ctx context.Context, points []string) error {
	const tries = 20
	for try := 0; len(r.journal.wrong) == 0; try++ {
		left := slices.DeleteFunc(slices.Clone(points), func(point string) bool { return r.places[point] > 0 })
		if len(left) == 0 {
			return nil
		}
		if try == tries {
			return fmt.Errorf("no host came to the points %v within %v; the last one logged:\n%s", left, patient(try-1), r.said)
		}
		r.Number += 2 - r.Number%2 // to an even one: it ends at its point
		if err := r.one(ctx, left[0], 1, patient(try)); err != nil {
			return fmt.Errorf("life %d: %w", r.Number, err)
		}
	}
	return nil
}

// patient is how long the life of a try may take: brokers that were killed may need longer than a life until they answer.
func patient(try int) time.Duration { return longest * time.Duration(min(try+1, 10)) }

// one is a life that ends with a kill: every second one when the host comes to the point for the n-th time, if it does so in time.
// Without n that is at random.
func (r *run) one(ctx context.Context, point string, n int, limit time.Duration) error {
	var trouble time.Duration
	if r.broker != nil {
		var err error
		if trouble, err = r.broker.upset(ctx, r.random); err != nil {
			return err
		}
	}
	if r.once && r.Number%5 == 2 {
		if err := r.storeOld(ctx); err != nil {
			return err
		}
	}
	at, wait := "", time.Duration(r.random.IntN(600))*time.Millisecond
	switch {
	case r.Number%2 == 0:
		at, wait = fmt.Sprintf("%s:%d", point, cmp.Or(n, 1+r.random.IntN(often(point)))), limit
	case r.random.IntN(4) == 0:
		wait /= 10 // while it starts
	}
	if r.once && at == "" {
		wait = max(4*wait, time.Duration(r.random.Float64()*float64(trouble))) // for many messages
	}
	c, err := startChild(r.life, at)
	if err != nil {
		return err
	}
	late, err := c.kill(wait, r.hear)
	if err != nil {
		return err
	}
	r.said = c.errors.String()
	r.journal.doubts += doubts(r.said)
	if late {
		point = "a random moment"
	}
	r.places[point]++
	if err := r.read(ctx); err != nil {
		return err
	}
	pending, err := r.pending()
	if err != nil {
		return err
	}
	r.journal.killed(pending)
	return nil
}

// doubts sums up the messages that a host has called possibly duplicated.
func doubts(log string) (n int) {
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "may be delivered twice") {
			continue
		}
		if _, after, ok := strings.Cut(line, "messages="); ok {
			count := 0
			_, _ = fmt.Sscan(after, &count)
			n += count
		}
	}
	return n
}

// often is how often a host comes to the point in a second, or less.
func often(point string) int {
	switch point {
	case spool.PointNoted, producer.PointSent, producer.PointAnswered, producer.PointDone:
		return 400
	case spool.PointBatchWritten, spool.PointBatchSynced:
		return 100
	case spool.PointPositionWritten:
		return 5
	}
	return 3
}

// last sends what is left and shuts down normally, with an empty spool.
func (r *run) last(ctx context.Context) error {
	r.Workers = 0
	c, err := startChild(r.life, "")
	if err != nil {
		return err
	}
	defer func() { _ = c.process.Process.Kill() }()
	if r.broker != nil {
		err = r.awaitTopic(ctx)
	} else {
		err = r.awaitPipe(c)
	}
	if err != nil {
		return err
	}
	if err := c.end(r.hear); err != nil {
		return err
	}
	r.journal.doubts += doubts(c.errors.String())
	if err := r.read(ctx); err != nil {
		return err
	}
	left, err := r.pending()
	if len(left) > 0 {
		r.journal.fault("%d records are left in the spool after a normal shutdown", len(left))
	}
	return err
}

// awaitTopic reads until every answered record is there, or it is time to call the others lost.
func (r *run) awaitTopic(ctx context.Context) error {
	for deadline := time.Now().Add(patience); r.journal.missing() > 0 && time.Now().Before(deadline); {
		if err := r.read(ctx); err != nil {
			return err
		}
	}
	return nil
}

// awaitPipe is the same where the pipe is the topic. There the host does no more than read its disk, and a silence
// tells that nothing is left.
func (r *run) awaitPipe(c *child) error {
	const silence = 2 * time.Second
	for {
		select {
		case l, ok := <-c.lines:
			if !ok {
				return fmt.Errorf("the host ended: %s", &c.errors)
			}
			r.hear(l)
		case <-time.After(silence):
			return nil
		}
	}
}

// hear notes what a host said.
func (r *run) hear(l line) {
	switch l.kind {
	case lineAnswered, lineRefused:
		i, err := parseID(l.text)
		if err != nil {
			r.journal.fault("%v", err)
			return
		}
		r.journal.answer(i, l.kind == lineAnswered)
	case lineDelivered:
		r.journal.arrive([]byte(l.text), "the pipe")
	case lineFault:
		r.journal.fault("the host: %s", l.text)
	}
}

// read takes what is on the topic.
func (r *run) read(ctx context.Context) error {
	if r.reader == nil {
		return nil
	}
	return r.reader.catchUp(ctx, func(record *kgo.Record) {
		r.journal.arrive(record.Value, fmt.Sprintf("partition %d, offset %d, producer %d, epoch %d, leader epoch %d", record.Partition, record.Offset, record.ProducerID, record.ProducerEpoch, record.LeaderEpoch))
	})
}

// pending is what the spool would deliver again, by what is on disk.
func (r *run) pending() (all []id, err error) {
	err = spool.Export(spool.OS{}, r.Dir, false, func(f spool.Frame) error {
		value := f.Payload
		if r.Host == "plugin" {
			var kept record.Record
			if err := stored.Decode(f.Payload, &kept); err != nil {
				return err
			}
			value = kept.Value
		}
		i, err := recognise(value)
		all = append(all, i)
		return err
	})
	if errors.Is(err, spool.ErrNoSpool) || errors.Is(err, fs.ErrNotExist) {
		err = nil // killed before the first file, or the folder
	}
	return all, err
}

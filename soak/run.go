package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// periodsAtLeast is one that warms up, and enough others to compare.
const periodsAtLeast = 6

// sampling is how often the hosts are looked at.
const sampling = 2 * time.Second

// plan is what happens when. See the package comment.
type plan struct {
	total, period, outage time.Duration
	plugin                string
}

// run is one run of the program. It belongs to one goroutine.
type run struct {
	plan
	folder string
	rate   int // messages a second for each host
	begun  time.Time

	interrupted chan os.Signal
	broker      *broker
	hosts       [2]*child
	lives       [2]int
	refused     [2]int64
	samples     []sample
	faults      []string
	changes     []span
}

// span is a reload: from when, and until when its messages can be sent, which is later in an outage.
type span struct{ from, to time.Time }

// events are those of one period, by the time since its begin.
type event struct {
	at time.Duration
	do func(r *run) error
}

func (r *run) events(first bool) []event {
	middle := r.period / 2
	events := []event{
		{r.period / 4, (*run).reload},
		{middle, func(r *run) error { return r.broker.setDown(true) }},
		{middle + r.outage/4, (*run).reload},
	}
	if first {
		events = append(events, event{middle + r.outage/2, (*run).kill})
	}
	return append(events,
		event{middle + r.outage, (*run).recover},
		event{r.period * 3 / 4, (*run).reload},
		event{r.period * 7 / 8, (*run).reload},
	)
}

// all runs the hosts from their start to their normal shutdown.
func (r *run) all() (err error) {
	if r.broker, err = newBroker(); err != nil {
		return err
	}
	defer r.broker.close()
	defer func() {
		for _, c := range r.hosts {
			if c != nil {
				c.abandon()
			}
		}
	}()
	for i := range r.hosts {
		if err := r.start(i); err != nil {
			return err
		}
	}
	for period := 0; time.Duration(period+1)*r.period <= r.total; period++ {
		begin := r.begun.Add(time.Duration(period) * r.period)
		for _, e := range r.events(period == 0) {
			if err := r.watch(begin.Add(e.at)); err != nil {
				return err
			}
			if err := e.do(r); err != nil {
				return err
			}
		}
		if err := r.watch(begin.Add(r.period)); err != nil {
			return err
		}
	}
	for i, c := range r.hosts {
		if err := c.end(); err != nil {
			return fmt.Errorf("the %s host: %w", kinds[i], err)
		}
		if err := r.note(i); err != nil {
			return err
		}
	}
	return nil
}

// watch samples the hosts until a time.
func (r *run) watch(until time.Time) error {
	for {
		for i, c := range r.hosts {
			s, err := c.sample()
			if err != nil {
				return fmt.Errorf("the %s host: %w", kinds[i], err)
			}
			s.at, s.host = time.Since(r.begun), i
			r.samples = append(r.samples, s)
		}
		wait := min(sampling, time.Until(until))
		if wait <= 0 {
			return nil
		}
		select {
		case <-time.After(wait):
		case <-r.interrupted:
			return errors.New("interrupted")
		}
	}
}

// start begins a life of a host.
func (r *run) start(i int) (err error) {
	r.lives[i]++
	r.hosts[i], err = startChild(life{
		Kind: kinds[i], Number: r.lives[i], Rate: r.rate, Plugin: r.plugin, Servers: r.broker.address,
		Spool: filepath.Join(r.folder, "spool"), Progress: r.progress(i, r.lives[i]),
	})
	return err
}

func (r *run) progress(i, number int) string {
	return filepath.Join(r.folder, fmt.Sprintf("%s-%d", kinds[i], number))
}

// kill ends the host of the durable queue without a warning, and starts it again.
func (r *run) kill() error {
	if err := r.hosts[durable].kill(); err != nil {
		return err
	}
	if err := r.note(durable); err != nil {
		return err
	}
	return r.start(durable)
}

// recover ends an outage, and with it every reload in it.
func (r *run) recover() error {
	for i := range r.changes {
		if c := &r.changes[i]; c.to.IsZero() {
			c.to = time.Now()
		}
	}
	return r.broker.setDown(false)
}

func (r *run) reload() error {
	change := span{from: time.Now()}
	if !r.broker.down() {
		change.to = change.from
	}
	r.changes = append(r.changes, change)
	for _, c := range r.hosts {
		c.reloads++
		if _, err := io.WriteString(c.stdin, "reload\n"); err != nil {
			return err
		}
	}
	return nil
}

// note takes over what a life that is over has accepted.
func (r *run) note(i int) error {
	accepted, refused, err := readProgress(r.progress(i, r.lives[i]))
	if err != nil {
		return err
	}
	r.broker.ledgers[i].accepted[r.lives[i]] = accepted
	r.refused[i] += refused
	r.faults = append(r.faults, r.hosts[i].faults...)
	return os.Remove(r.progress(i, r.lives[i]))
}

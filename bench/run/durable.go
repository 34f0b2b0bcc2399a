package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The cells of a durable queue. Their values are 1 KiB, and their folders lie in the build folder, so on its disk.

const (
	logger  = "--mode logger --threads 64 --value-bytes 1024 --seconds 4"
	backlog = 500_000

	// Nothing listens on the port 1 of the loopback: while it writes the backlog the plugin has no broker.
	nobody = "127.0.0.1:1"
)

// The figures of scripts that wait for the disk. What they call a latency is not that of the other cells, which is of
// calls that are answered at once: so it has a name of its own, and not their goal.
var answered = []figure{
	{suffix: ".msgs", unit: "answers/s", of: func(r run) float64 { return r.PerSecond }},
	{suffix: ".answer50", unit: "us", of: func(r run) float64 { return r.Latency.P50 / 1e3 }},
	{suffix: ".answer99", unit: "us", of: func(r run) float64 { return r.Latency.P99 / 1e3 }},
}

// durable is a cell with so many scripts waiting on two host threads. Only at 64, where it has a goal, does the logger run
// beside it: with another number of writers it would be another logger.
func durable(waiting int) cell {
	n := strconv.Itoa(waiting)
	c := cell{
		name: "durable-" + n, about: n + " scripts wait for the disk, 1 KiB values",
		args:   "--mode durable --threads 2 --warmup 1000 --seconds 4 --value-bytes 1024 --waiting " + n,
		folder: true, alone: true, figures: answered,
	}
	if waiting == 64 {
		c.logger = logger
	}
	return c
}

var replay = cell{
	name: "replay", about: strconv.Itoa(backlog) + " records of 1 KiB in the spool, from the start until all are acknowledged",
	args: "--mode replay --messages " + strconv.Itoa(backlog), folder: true, alone: true,
	before:  "--mode durable --threads 2 --value-bytes 1024 --waiting 512 --messages " + strconv.Itoa(backlog),
	figures: []figure{{suffix: ".msgs", unit: "records/s", of: func(r run) float64 { return r.PerSecond }}},
}

// once is c with a queue that delivers each message once, beside c itself: what that costs.
func once(c cell) cell {
	const idempotence = " --conf enable.idempotence=true"
	than := c
	than.logger = ""
	c.name, c.about, c.args = c.name+"-once", c.about+", each delivered once; the baseline is kafka.so without that", c.args+idempotence
	if c.before != "" {
		c.before += idempotence
	}
	c.logger, c.beside = "", &than
	return c
}

var fsyncLogger = cell{
	name: "logger-64", about: "no plugin: 64 threads append lines of 1 KiB to a file, each waits for its fsync",
	logger: logger, figures: answered,
}

// floors are goals that are no ratio, in the unit of the figure.
var floors = map[string]float64{"durable-512.msgs": 100e3, "replay.msgs": 200e3}

// fresh makes a folder on the disk of the build folder, which the caller removes.
func (b bench) fresh() (string, error) {
	dir, err := os.MkdirTemp(b.build, "bench-")
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// fill writes what a cell wants in its spool before the run that is measured, in a process of its own.
func (b bench) fill(c cell, plugin, folder string) error {
	args := []string{"--plugin", library(plugin), "--broker", nobody, "--folder", folder}
	r, _, err := b.start("driver", append(args, strings.Fields(c.before)...))
	if err == nil && r.Accepted != backlog {
		return fmt.Errorf("the backlog has %d records, want %d", r.Accepted, backlog)
	}
	return err
}

// log runs the driver's logger, which needs neither a plugin nor a broker.
func (b bench) log(args string) (r run, err error) {
	folder, err := b.fresh()
	if err != nil {
		return r, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	before := machineCPU()
	result, used, err := b.start("driver", append(strings.Fields(args), "--folder", folder))
	if err != nil {
		return r, err
	}
	r.result = result
	spent := machineCPU()
	if wall := spent.at.Sub(before.at).Seconds(); wall > 0 {
		r.others = max((spent.busy-before.busy-used.Seconds())/wall, 0)
	}
	return r, nil
}

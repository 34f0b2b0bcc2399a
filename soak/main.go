package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	if text := os.Getenv(hostVariable); text != "" {
		os.Exit(beHost(text))
	}
	ok, err := start(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
	}
	if !ok {
		os.Exit(1)
	}
}

// start reads the arguments and runs; it returns whether every rule held.
func start(args []string) (ok bool, err error) {
	var p plan
	fs := flag.NewFlagSet("soak", flag.ExitOnError)
	minutes := fs.Float64("minutes", 60, "length of the run")
	rate := fs.Int("rate", 5000, "messages a second, half of them for each host")
	fs.DurationVar(&p.outage, "outage", 30*time.Second, "length of an outage, at most a quarter of a period")
	plugin := fs.String("plugin", "build/kafka.so", "kafka.so")
	out := fs.String("out", "build", "folder for soak.tsv and soak.svg")
	place := fs.String("dir", "", "folder in which the spool is made, on the disk to be tested (default: the temporary folder)")
	docs := fs.String("docs", "", "folder that gets a copy of the plot when every rule held")
	if err := fs.Parse(args); err != nil {
		return false, err
	}
	if *minutes <= 0 || *rate < 2 || fs.NArg() > 0 {
		return false, errors.New("want -minutes above 0, -rate of at least 2 and no other arguments")
	}
	p.total = time.Duration(*minutes * float64(time.Minute))
	// An outage each ten minutes; a shorter run has as many in less time.
	p.period = min(10*time.Minute, p.total/periodsAtLeast)
	p.outage = min(p.outage, p.period/4)
	folder, err := os.MkdirTemp(*place, "soak-")
	if err != nil {
		return false, err
	}
	if p.plugin, err = filepath.Abs(*plugin); err != nil {
		return false, err
	}
	r := &run{plan: p, folder: folder, rate: *rate / 2, begun: time.Now()}
	r.interrupted = make(chan os.Signal, 1)
	signal.Notify(r.interrupted, os.Interrupt, syscall.SIGTERM)
	if err := r.all(); err != nil {
		return false, errors.Join(err, os.RemoveAll(folder))
	}
	if err := os.RemoveAll(folder); err != nil {
		return false, err
	}
	ok = r.print(os.Stdout, fmt.Sprintf("soak -minutes %g -rate %d", *minutes, *rate))
	return ok, r.plot(*out, *docs, ok, fmt.Sprintf("make soak MINUTES=%g: %s", *minutes, strings.Join(r.totals(), ", ")))
}

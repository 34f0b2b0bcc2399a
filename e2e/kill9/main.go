package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if text := os.Getenv(lifeVariable); text != "" {
		os.Exit(beHost(text))
	}
	ok, err := start(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "kill9: %v\n", err)
	}
	if !ok {
		os.Exit(1)
	}
}

// start reads the arguments, and runs.
func start(ctx context.Context, args []string) (ok bool, err error) {
	r := &run{out: os.Stdout}
	fs := flag.NewFlagSet("kill9", flag.ExitOnError)
	fs.StringVar(&r.Host, "host", "plugin", "plugin or spool")
	fs.IntVar(&r.kills, "n", 200, "kills")
	fs.IntVar(&r.Workers, "workers", 16, "scripts that produce at the same time")
	fs.StringVar(&r.Plugin, "plugin", "build/kill9/kafka.so", "kafka.so, built with the tag faultinject")
	kafka := fs.String("broker", "embedded", "embedded, or kafka for a real Apache Kafka")
	folder := fs.String("dir", "", "where the spool is made: a folder on the disk to be tested; default: the temporary one")
	once := fs.Bool("once", false, "each message is delivered once, on a real Apache Kafka that has every trouble; then the same without idempotence")
	fs.StringVar(&r.only, "only", "", "with -once, one of its parts: 'one broker', 'three brokers' or 'without enable.idempotence'")
	seed := fs.Uint64("seed", uint64(time.Now().UnixNano()), "of the random choices")
	if err := fs.Parse(args); err != nil {
		return false, err
	}
	fmt.Fprintf(r.out, "kill9: seed %d\n", *seed)
	r.random = rand.New(rand.NewPCG(*seed, 9))
	place, err := os.MkdirTemp(*folder, "kill9-")
	if err != nil {
		return false, err
	}
	if r.Plugin, err = filepath.Abs(r.Plugin); err != nil {
		return false, err
	}
	r.Dir = filepath.Join(place, "spool")
	if *once {
		n := 0
		ok, err := runOnce(ctx, r, func() (string, error) { n++; return filepath.Join(place, fmt.Sprint(n), "spool"), nil })
		if !ok || err != nil {
			fmt.Fprintf(r.out, "kill9: the spools are kept in %s\n", place)
			return false, err
		}
		return true, os.RemoveAll(place)
	}
	switch {
	case r.Host == "spool":
	case r.Host != "plugin":
		return false, fmt.Errorf("there is no host %q", r.Host)
	case *kafka == "kafka":
		r.broker, err = startApache(ctx)
	default:
		r.broker, err = startEmbedded()
	}
	if err != nil {
		return false, errors.Join(err, os.RemoveAll(place))
	}
	if r.broker != nil {
		defer r.broker.close()
	}
	ok, err = r.all(ctx)
	if !ok || err != nil {
		// The folder is the evidence.
		fmt.Fprintf(r.out, "kill9: the spool is kept in %s\n", r.Dir)
		return false, err
	}
	return true, os.RemoveAll(place)
}

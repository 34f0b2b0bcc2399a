// Command blackhole is the broker of the bench: one process that speaks enough of Kafka's protocol for a producer, acknowledges
// every batch at once, and keeps nothing.
//
// It promises to be cheap and exact: the read loop allocates nothing, looks at no more of a batch than its header, and counts
// the records of each produce request that it acknowledges, so that a bench can check that what was reported as delivered
// arrived. It has every topic that is asked for, with the same number of partitions, on one broker.
//
// It refuses what a producer does not need (fetching, groups, transactions, SASL): such a request closes its connection.
// It listens on loopback only.
//
// At start it prints one JSON line with its addresses, {"broker":"127.0.0.1:1","control":"127.0.0.1:2"}. The control address
// takes lines: "stat" answers with the totals as JSON, "mode ack", "mode hang" and "mode refuse" change what it does. It ends
// with a signal or when its standard input ends, and prints the totals.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "blackhole:", err)
		os.Exit(1)
	}
}

func run() error {
	partitions := flag.Int("partitions", 12, "partitions of every topic")
	name := flag.String("mode", "ack", "ack, hang (never answer a produce request) or refuse (no listener, no connection)")
	nodes := flag.Int("nodes", 1, "brokers of the cluster, which share the partitions; with more than one, refuse leaves the others")
	encrypted := flag.Bool("tls", false, "TLS, with a certificate that nobody has signed")
	address := flag.String("listen", "127.0.0.1:0", "address of the broker, on loopback")
	flag.Parse()
	mode, err := parseMode(*name)
	if err != nil {
		return err
	}
	// One processor: there is one connection that matters, and idle processors of the Go runtime spin, on cores that the
	// producer under test needs.
	runtime.GOMAXPROCS(1)

	var secure *tls.Config
	if *encrypted {
		if secure, err = selfSigned(); err != nil {
			return err
		}
	}
	b, err := newBroker(*address, int32(*partitions), *nodes, secure)
	if err != nil {
		return err
	}
	control, err := serveControl(b)
	if err != nil {
		return err
	}
	if err := b.setMode(mode); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(map[string]string{"broker": b.address, "control": control}); err != nil {
		return err
	}

	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	go func() {
		// The orchestrator holds our standard input: when it dies, so do we.
		_, _ = io.Copy(io.Discard, os.Stdin)
		end <- os.Interrupt
	}()
	<-end
	return out.Encode(b.stat())
}

// Command wire measures what the loopback and the black-hole broker carry: it sends one record batch that was encoded
// ahead, again and again, and does nothing else. No producer can be faster, so the figures of the plugins also stand as a
// share of this one.
//
// The batch is as large as the producers' default limit allows, and as many requests are under way as a producer has.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
)

// inFlight is the number of requests that are sent before the first is answered.
const inFlight = 5

type result struct {
	Messages  int64   `json:"accepted"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"messages_per_second"`
	CPU       float64 `json:"cpu_us_per_message"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "wire:", err)
		os.Exit(1)
	}
}

func run() error {
	address := flag.String("broker", "", "address of the black-hole broker")
	length := flag.Duration("for", 2*time.Second, "how long to send")
	var s shape
	flag.IntVar(&s.value, "value-bytes", 200, "bytes of a value")
	flag.IntVar(&s.key, "key-bytes", 12, "bytes of a key")
	flag.IntVar(&s.headers, "headers", 0, "headers of a record")
	flag.IntVar(&s.limit, "batch-bytes", 1000000, "most bytes of a batch")
	flag.Parse()
	runtime.GOMAXPROCS(1) // as the broker

	request, records := encode(s)
	// A producer's next batch lies elsewhere in memory than its last: one buffer would never leave the CPU's cache.
	requests := make([][]byte, 32)
	for i := range requests {
		requests[i] = bytes.Clone(request)
	}
	c, err := net.Dial("tcp4", *address)
	if err != nil {
		return err
	}
	defer c.Close()
	began, cpu := time.Now(), used()
	sent, err := send(c, requests, *length)
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	n := sent * int64(records)
	return json.NewEncoder(os.Stdout).Encode(result{
		Messages: n, Seconds: seconds, PerSecond: float64(n) / seconds,
		CPU: float64((used() - cpu).Microseconds()) / float64(n),
	})
}

// used is the CPU time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// send writes the requests, one after another and from the start again, until the time is over, waits for the answers and
// returns their number.
func send(c net.Conn, requests [][]byte, length time.Duration) (int64, error) {
	free := make(chan struct{}, inFlight) // a place for each request that may be under way
	answered := make(chan error, 1)
	go func() { answered <- receive(c, free) }()

	var n int64
	for until := time.Now().Add(length); time.Now().Before(until); n++ {
		select {
		case free <- struct{}{}:
		case err := <-answered:
			return n, err
		}
		if _, err := c.Write(requests[n%int64(len(requests))]); err != nil {
			return n, err
		}
	}
	// All is answered once every place can be taken.
	for range inFlight {
		select {
		case free <- struct{}{}:
		case err := <-answered:
			return n, err
		}
	}
	return n, nil
}

// receive frees the place of a request for each answer, until the connection ends.
func receive(c net.Conn, free <-chan struct{}) error {
	in := bufio.NewReader(c)
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return fmt.Errorf("the broker closed the connection: %w", err)
		}
		if _, err := in.Discard(int(binary.BigEndian.Uint32(size[:]))); err != nil {
			return err
		}
		<-free
	}
}

package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// mode is what the broker does with its clients.
type mode int32

const (
	modeAck    mode = iota // acknowledge every produce request at once
	modeHang               // answer everything but produce requests
	modeRefuse             // no listener, and every connection closed: the host is up and the broker is gone
)

func parseMode(name string) (mode, error) {
	switch name {
	case "ack":
		return modeAck, nil
	case "hang":
		return modeHang, nil
	case "refuse":
		return modeRefuse, nil
	}
	return 0, fmt.Errorf("mode %q: want ack, hang or refuse", name)
}

// broker is one address, its connections and its totals.
type broker struct {
	address    string         // of the first listener, the same after a refusal
	nodes      []*net.TCPAddr // of every broker of the cluster, which are this one under several addresses
	secure     *tls.Config    // nil: not encrypted
	partitions int32

	mode    atomic.Int32
	records atomic.Int64 // acknowledged, as are the next three
	batches atomic.Int64
	bytes   atomic.Int64 // of batches, compressed as they came
	produce atomic.Int64 // requests

	mu       sync.Mutex   // guards what follows
	listener net.Listener // of the first node
	conns    map[net.Conn]struct{}
}

// totals is what a bench asks for.
type totals struct {
	Records  int64 `json:"records"`
	Batches  int64 `json:"batches"`
	Bytes    int64 `json:"bytes"`
	Requests int64 `json:"requests"`
	CPU      int64 `json:"cpu_us"`
}

// newBroker takes the address, and for each further node of the cluster one of its own; nothing is accepted before setMode.
func newBroker(address string, partitions int32, nodes int, secure *tls.Config) (*broker, error) {
	if partitions < 1 || nodes < 1 {
		return nil, fmt.Errorf("%d partitions and %d nodes: want at least 1", partitions, nodes)
	}
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return nil, err
	}
	at := l.Addr().(*net.TCPAddr)
	if !at.IP.IsLoopback() {
		return nil, fmt.Errorf("address %s is not on loopback", at)
	}
	b := &broker{
		address: at.String(), nodes: []*net.TCPAddr{at}, secure: secure, partitions: partitions,
		listener: l, conns: make(map[net.Conn]struct{}),
	}
	go b.accept(l)
	for range nodes - 1 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		b.nodes = append(b.nodes, l.Addr().(*net.TCPAddr))
		go b.accept(l)
	}
	return b, nil
}

// setMode changes what the broker does. Requests that hung stay unanswered, so leaving hang closes the connections: the
// clients then send again at once instead of after their request timeout.
func (b *broker) setMode(m mode) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := mode(b.mode.Swap(int32(m)))
	if m == modeRefuse || old == modeHang && m != modeHang {
		for c := range b.conns {
			_ = c.Close()
		}
	}
	switch {
	case m == modeRefuse && b.listener != nil:
		_ = b.listener.Close()
		b.listener = nil
	case m != modeRefuse && b.listener == nil:
		l, err := net.Listen("tcp4", b.address)
		if err != nil {
			return err
		}
		b.listener = l
		go b.accept(l)
	}
	return nil
}

func (b *broker) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // the listener is closed
		}
		if !b.keep(c) {
			_ = c.Close()
			continue
		}
		go func() {
			if b.secure != nil {
				newConn(b, tls.Server(c, b.secure)).serve()
			} else {
				newConn(b, c).serve()
			}
			b.forget(c)
		}()
	}
}

// keep remembers a connection, so that a refusal can close it; it reports whether the broker takes it.
func (b *broker) keep(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if mode(b.mode.Load()) == modeRefuse {
		return false
	}
	b.conns[c] = struct{}{}
	return true
}

func (b *broker) forget(c net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
	_ = c.Close()
}

func (b *broker) stat() totals {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return totals{
		Records: b.records.Load(), Batches: b.batches.Load(), Bytes: b.bytes.Load(), Requests: b.produce.Load(),
		CPU: cpu.Microseconds(),
	}
}

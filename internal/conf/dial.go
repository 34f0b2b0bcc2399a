package conf

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// network is the part of the settings that connections need.
type network struct {
	family       string // any, v4 or v6
	canonical    bool   // bootstrap names are replaced by the names of their addresses
	addressTTL   time.Duration
	setup        time.Duration // how long it may take to connect
	firstAnswer  time.Duration // how long a broker may take for its first answer
	idle         time.Duration // 0 is never
	sendBuffer   int
	recvBuffer   int
	keepAlive    bool
	noDelay      bool
	backoff, max time.Duration
}

func (c *Conf) network() network {
	ms := func(name string) time.Duration { return time.Duration(c.number(name)) * time.Millisecond }
	return network{
		family:      c.word("broker.address.family"),
		canonical:   c.word("client.dns.lookup") == "resolve_canonical_bootstrap_servers_only",
		addressTTL:  ms("broker.address.ttl"),
		setup:       ms("socket.connection.setup.timeout.ms"),
		firstAnswer: ms("api.version.request.timeout.ms"),
		idle:        ms("connections.max.idle.ms"),
		sendBuffer:  int(c.number("socket.send.buffer.bytes")),
		recvBuffer:  int(c.number("socket.receive.buffer.bytes")),
		keepAlive:   c.truth("socket.keepalive.enable"),
		noDelay:     c.truth("socket.nagle.disable"),
		backoff:     ms("reconnect.backoff.ms"),
		max:         ms("reconnect.backoff.max.ms"),
	}
}

// noBrokers stands for an empty list of brokers. The dialer refuses it before anything is resolved.
const noBrokers = "no-bootstrap-servers:9092"

var errNoBrokers = errors.New("no bootstrap.servers configured")

// ErrPaused is an attempt that ended while the broker was still left alone after its last loss: it
// tells nothing new of the broker.
var ErrPaused = errors.New("the broker is left alone for a moment after it was lost")

// dialer connects to brokers with the socket, address and reconnect properties, and puts TLS on
// top. kgo calls it from many goroutines.
type dialer struct {
	set  *Settings
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	own  bool      // dial is TCP and not a caller's stand-in for it
	tls  *tlsFiles // nil where the protocol is not encrypted

	mu        sync.Mutex
	pauses    map[string]*pause   // by address, guarded by mu
	addresses map[string]resolved // by host, guarded by mu
}

// pause is how long a broker is left alone after it was lost.
type pause struct {
	next  time.Duration // the pause after the next loss
	until time.Time
}

func (s *Settings) newDialer(deps Deps) *dialer {
	d := &dialer{set: s, dial: deps.Dialer, tls: s.tls.with(deps), pauses: map[string]*pause{}, addresses: map[string]resolved{}}
	if d.dial == nil {
		d.dial, d.own = s.network.dialTCP, true
	}
	return d
}

// connect is kgo's dial function: it waits for the broker's pause to end, connects, and shakes hands
// where the protocol is encrypted.
func (d *dialer) connect(ctx context.Context, _, address string) (net.Conn, error) {
	if address == noBrokers {
		return nil, errNoBrokers
	}
	if err := d.wait(ctx, address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.set.network.setup)
	defer cancel()
	conn, err := d.reach(ctx, address)
	if err != nil {
		d.lost(address)
		return nil, err
	}
	return conn, nil
}

func (d *dialer) reach(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	targets := []string{host}
	if d.own {
		if host, targets, err = d.resolve(ctx, host, d.set.isSeed(address)); err != nil {
			return nil, err
		}
	}
	var conn net.Conn
	for i, target := range targets {
		// No address may use up the time of those that come after it.
		if conn, err = d.dialOne(ctx, net.JoinHostPort(target, port), len(targets)-i); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	broker := &brokerConn{Conn: conn, first: d.set.network.firstAnswer}
	if d.tls != nil {
		if broker.Conn, broker.renewal.outdated, err = d.tls.handshake(ctx, conn, host); err != nil {
			return nil, err
		}
		broker.renewal.mute = d.set.Acks == 0
	}
	return broker, nil
}

// OnBrokerConnect implements [kgo.HookBrokerConnect]: it is called when the login is over too.
func (d *dialer) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, conn net.Conn, err error) {
	if c, ok := conn.(*brokerConn); ok && err == nil {
		c.isUp()
	}
}

func (d *dialer) dialOne(ctx context.Context, address string, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	return d.dial(ctx, d.set.network.tcp(), address)
}

// wait blocks until the broker may be connected to again.
func (d *dialer) wait(ctx context.Context, address string) error {
	d.mu.Lock()
	var left time.Duration
	if p := d.pauses[address]; p != nil {
		left = time.Until(p.until)
	}
	d.mu.Unlock()
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrPaused, ctx.Err())
	}
}

// lost starts the pause of a broker: it doubles with each loss, and is spread from three quarters to
// one and a half so that many clients do not come back together.
func (d *dialer) lost(address string) {
	n := d.set.network
	if n.backoff == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pauses[address]
	if p == nil {
		p = &pause{next: n.backoff}
		d.pauses[address] = p
	}
	now := time.Now()
	if now.Before(p.until) {
		return // several connections to one broker end together: that is one loss
	}
	p.until = now.Add(min(time.Duration(float64(p.next)*(0.75+0.75*rand.Float64())), n.max))
	p.next = min(p.next*2, n.max)
}

// OnBrokerDisconnect implements [kgo.HookBrokerDisconnect]: a broker that hangs up is left alone for a
// moment too.
func (d *dialer) OnBrokerDisconnect(meta kgo.BrokerMetadata, _ net.Conn) { d.lost(address(meta)) }

func address(meta kgo.BrokerMetadata) string {
	return net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port)))
}

// OnBrokerE2E implements [kgo.HookBrokerE2E]: a broker that answers has come back, and its next loss
// is its first.
func (d *dialer) OnBrokerE2E(meta kgo.BrokerMetadata, _ int16, e2e kgo.BrokerE2E) {
	if e2e.Err() != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.pauses) > 0 {
		delete(d.pauses, address(meta))
	}
}

// tcp returns the network of the address family.
func (n network) tcp() string {
	switch n.family {
	case "v4":
		return "tcp4"
	case "v6":
		return "tcp6"
	}
	return "tcp"
}

// dialTCP connects with the socket properties.
func (n network) dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: -1, Control: n.setBuffers}
	if n.keepAlive {
		dialer.KeepAlive = 0
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok && !n.noDelay {
		err = tcp.SetNoDelay(false)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// setBuffers runs before the connection is made: the receive buffer decides the window that is
// offered in the handshake.
func (n network) setBuffers(_, _ string, raw syscall.RawConn) error {
	var failed error
	set := func(fd uintptr, option, size int) {
		if size > 0 && failed == nil {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, size)
		}
	}
	if err := raw.Control(func(fd uintptr) {
		set(fd, syscall.SO_SNDBUF, n.sendBuffer)
		set(fd, syscall.SO_RCVBUF, n.recvBuffer)
	}); err != nil {
		return err
	}
	return failed
}

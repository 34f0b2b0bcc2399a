package conf

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// network is the part of the settings that connections need.
type network struct {
	family     string // any, v4 or v6
	canonical  bool   // bootstrap names are replaced by the names of their addresses
	addressTTL time.Duration
	setup      time.Duration // how long it may take to connect
	sendBuffer int
	recvBuffer int
	keepAlive  bool
	noDelay    bool
}

func (c *Conf) network() network {
	return network{
		family:     c.word("broker.address.family"),
		canonical:  c.word("client.dns.lookup") == "resolve_canonical_bootstrap_servers_only",
		addressTTL: c.ms("broker.address.ttl"),
		setup:      c.ms("socket.connection.setup.timeout.ms"),
		sendBuffer: int(c.number("socket.send.buffer.bytes")),
		recvBuffer: int(c.number("socket.receive.buffer.bytes")),
		keepAlive:  c.truth("socket.keepalive.enable"),
		noDelay:    c.truth("socket.nagle.disable"),
	}
}

// A Dialer connects to brokers with the socket and address properties, and puts TLS on
// top. It is safe for many goroutines.
type Dialer struct {
	set  *Settings
	wrap func(net.Conn) net.Conn
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	own  bool      // dial is TCP and not a caller's stand-in for it
	tls  *tlsFiles // nil where the protocol is not encrypted

	mu        sync.Mutex
	addresses map[string]resolved // by host, guarded by mu
}

// Dialer returns the dialer of these settings.
func (s *Settings) Dialer(deps Deps) *Dialer {
	deps = s.with(deps)
	d := &Dialer{set: s, dial: deps.Dialer, wrap: deps.Wrap, tls: s.tls.with(deps), addresses: map[string]resolved{}}
	if d.dial == nil {
		d.dial, d.own = s.network.dialTCP, true
	}
	return d
}

// Connect resolves a broker's address, connects, and shakes hands
// where the protocol is encrypted. It blocks for socket.connection.setup.timeout.ms at most. outdated says of the
// connection whether the files of its certificate have changed since; it is nil where there is none.
func (d *Dialer) Connect(ctx context.Context, address string) (conn net.Conn, outdated func() bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.set.network.setup)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, err
	}
	targets := []string{host}
	if d.own {
		if host, targets, err = d.resolve(ctx, host, d.set.isSeed(address)); err != nil {
			return nil, nil, err
		}
	}
	for i, target := range targets {
		// No address may use up the time of those that come after it.
		if conn, err = d.dialOne(ctx, net.JoinHostPort(target, port), len(targets)-i); err == nil {
			break
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if d.tls != nil {
		return d.tls.handshake(ctx, conn, host)
	}
	return conn, nil, nil
}

func (d *Dialer) dialOne(ctx context.Context, address string, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	conn, err := d.dial(ctx, d.set.network.tcp(), address)
	if err == nil && d.wrap != nil {
		conn = d.wrap(conn)
	}
	return conn, err
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

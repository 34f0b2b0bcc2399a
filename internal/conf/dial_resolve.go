package conf

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"
)

// resolved is what a name stood for a moment ago.
type resolved struct {
	name      string // the name to connect to: the canonical one for a bootstrap name, if asked for
	addresses []string
	until     time.Time
}

// resolve returns the addresses of a broker, which may be up to broker.address.ttl old. An address
// needs no resolving.
func (d *dialer) resolve(ctx context.Context, host string, seed bool) (name string, addresses []string, err error) {
	canonical := seed && d.set.network.canonical
	if net.ParseIP(host) != nil && !canonical {
		return host, []string{host}, nil
	}
	d.mu.Lock()
	known, ok := d.addresses[host]
	d.mu.Unlock()
	if ok && time.Now().Before(known.until) {
		return known.name, known.addresses, nil
	}
	network := strings.Replace(d.set.network.tcp(), "tcp", "ip", 1)
	ips, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	if err != nil {
		return "", nil, err
	}
	fresh := resolved{name: host, until: time.Now().Add(d.set.network.addressTTL)}
	for _, ip := range ips {
		fresh.addresses = append(fresh.addresses, ip.Unmap().String())
	}
	if canonical {
		if names, err := net.DefaultResolver.LookupAddr(ctx, fresh.addresses[0]); err == nil && len(names) > 0 {
			fresh.name = strings.TrimSuffix(names[0], ".")
		}
	}
	d.mu.Lock()
	d.addresses[host] = fresh
	d.mu.Unlock()
	return fresh.name, fresh.addresses, nil
}

// brokerConn is a connection whose first answer has a time limit of its own: it tells which
// protocol versions the broker speaks, and something that is no broker never sends it.
//
// kgo writes and reads on two goroutines, one of each.
type brokerConn struct {
	net.Conn
	first time.Duration

	mu       sync.Mutex
	limit    time.Time // for the first answer, once the first question was sent; guarded by mu
	answered bool      // guarded by mu
	deadline time.Time // the caller's; guarded by mu
	up       bool      // the broker has let the client in; guarded by mu
	lost     error     // guarded by mu
	renewal  renewal   // guarded by mu
}

func (c *brokerConn) isUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = true
}

// Lost returns what has ended a connection that was up, and nil while it stands or when this side
// has closed it.
func (c *brokerConn) Lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.up {
		return nil
	}
	return c.lost
}

// Write implements [net.Conn].
func (c *brokerConn) Write(p []byte) (int, error) {
	if err := c.renew(); err != nil {
		return 0, err
	}
	c.mu.Lock()
	if c.limit.IsZero() {
		c.limit = time.Now().Add(c.first)
	}
	c.renewal.asked(p)
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// Close implements [net.Conn].
func (c *brokerConn) Close() error {
	c.mu.Lock()
	c.renewal.closed = true
	c.renewal.wake()
	c.mu.Unlock()
	return c.Conn.Close()
}

// SetReadDeadline implements [net.Conn].
func (c *brokerConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	if !c.answered && !c.limit.IsZero() && (t.IsZero() || c.limit.Before(t)) {
		t = c.limit
	}
	c.mu.Unlock()
	return c.Conn.SetReadDeadline(t)
}

// Read implements [net.Conn].
func (c *brokerConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	if err != nil && c.lost == nil && !c.renewal.closed && !errors.Is(err, net.ErrClosed) {
		c.lost = err
	}
	c.renewal.answered(p[:n])
	if err != nil {
		c.renewal.closed = true
		c.renewal.wake()
	}
	if n == 0 {
		c.mu.Unlock()
		return n, err
	}
	first := !c.answered
	c.answered = true
	deadline := c.deadline
	c.mu.Unlock()
	if first && err == nil {
		err = c.Conn.SetReadDeadline(deadline)
	}
	return n, err
}

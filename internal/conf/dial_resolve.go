package conf

import (
	"context"
	"net"
	"strings"
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
func (d *Dialer) resolve(ctx context.Context, host string, seed bool) (name string, addresses []string, err error) {
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

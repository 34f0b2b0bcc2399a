package client

import (
	"context"
	"encoding/binary"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
)

// open makes a usable connection: it connects, learns the versions, and logs in.
func (b *broker) open(ctx context.Context) (*conn, Stage, error) {
	if b.address == "" {
		return nil, Connecting, net.UnknownNetworkError("no address")
	}
	raw, outdated, err := b.client.dial.Connect(ctx, b.address)
	if err != nil {
		return nil, Connecting, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	c := &conn{Conn: raw, broker: b, outdated: outdated, kick: make(chan struct{}, 1), ended: make(chan struct{}), used: time.Now()}
	if err = c.learnVersions(); err != nil {
		raw.Close()
		return nil, Versions, err
	}
	if stage, err := c.logIn(ctx); err != nil {
		raw.Close()
		return nil, stage, err
	}
	if err = raw.SetDeadline(time.Time{}); err != nil {
		raw.Close()
		return nil, Versions, err
	}
	b.client.run(c.read)
	if b.client.life.Err() != nil { // then nobody reads
		raw.Close()
		return nil, Connecting, ErrClosed
	}
	return c, Login, nil
}

// exchange writes one request and reads its answer, before anything else is on the connection.
func (c *conn) exchange(key, version int16, body []byte, limit time.Duration) ([]byte, error) {
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	c.correlation++
	flexible := version >= spoken[key].flexible
	r := &call{key: key, version: version, flexible: flexible, correlation: c.correlation, encode: func(dst []byte) []byte { return append(dst, body...) }}
	if _, err := c.Write(c.request(r)); err != nil {
		return nil, err
	}
	answer, err := c.frame()
	if err != nil {
		return nil, err
	}
	if len(answer) < 4 || int32(binary.BigEndian.Uint32(answer)) != r.correlation {
		return nil, nonsensef("the answer to another question")
	}
	answer = answer[4:]
	if flexible && key != keyAPIVersions {
		return skipTags(answer)
	}
	return answer, nil
}

// frame reads one answer. Nothing is sent before it was read, so nothing comes behind it.
func (c *conn) frame() ([]byte, error) {
	in := frames{conn: c.Conn, limit: c.broker.client.conns.ReceiveMax}
	body, err := in.next(func() error { return context.DeadlineExceeded })
	if err == nil && in.have > in.start {
		err = nonsensef("more than was asked for")
	}
	return body, err
}

// learnVersions asks which versions the broker speaks. A broker that is too old for the question says so in the oldest form, and
// is asked in that.
func (c *conn) learnVersions() error {
	if v := c.broker.client.set.MaxVersions(); v != nil {
		c.versions = legacyVersions(v)
		return c.versions.usable()
	}
	limit := c.broker.client.conns.FirstAnswer
	for _, version := range []int16{spoken[keyAPIVersions].most, 0} {
		var body []byte
		if version >= spoken[keyAPIVersions].flexible {
			name, release := c.broker.client.set.Software(c.broker.client.own)
			body = kbin.AppendCompactString(body, name)
			body = kbin.AppendCompactString(body, release)
			body = append(body, 0)
		}
		answer, err := c.exchange(keyAPIVersions, version, body, limit)
		if err != nil {
			return err
		}
		v, code, err := readVersions(answer, version)
		if err != nil {
			return err
		}
		if code == codeUnsupportedVersion && version > 0 {
			continue
		}
		if code != 0 {
			return kerr.ErrorForCode(code)
		}
		c.versions = v
		return v.usable()
	}
	return kerr.UnsupportedVersion
}

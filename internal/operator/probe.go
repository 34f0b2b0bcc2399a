package operator

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/reason"
)

// A broker that is spoken to in the wrong way mostly closes the connection, and that says nothing. So once an
// attempt has failed without a reason of its own, the port is asked what it does speak. No certificate is
// checked here, because nothing is believed and nothing that is secret is sent.

// listener is what a port was found to speak.
type listener struct {
	plain, tls bool     // it answered without TLS, or shook hands
	mechanisms []string // of the login that it expects; none if it expects none, or did not tell
}

// probeTime is how long each try may take at most.
const probeTime = 2 * time.Second

// probe asks a port. Each try to connect and to get an answer ends after limit, or with ctx.
func probe(ctx context.Context, address string, limit time.Duration) listener {
	dialer := net.Dialer{Timeout: limit}
	dial := func() net.Conn {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil
		}
		if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
			conn.Close()
			return nil
		}
		return conn
	}
	var l listener
	if l.plain, l.mechanisms = talk(dial); l.plain {
		return l
	}
	host, _, _ := net.SplitHostPort(address)
	_, l.mechanisms = talk(func() net.Conn {
		conn := dial()
		if conn == nil {
			return nil
		}
		secure := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true})
		err := secure.HandshakeContext(ctx)
		if _, refused := reason.Alert(err); err == nil || refused {
			l.tls = true
		}
		if err != nil {
			conn.Close()
			return nil
		}
		return secure
	})
	return l
}

// talk reports whether it is a Kafka broker that dial connects to, and the mechanisms if it expects a login.
func talk(dial func() net.Conn) (kafka bool, mechanisms []string) {
	kafka, open := begin(dial, func(conn net.Conn) bool {
		// A broker that expects a login ends the connection at the first request before it.
		cluster := kmsg.NewPtrMetadataRequest()
		cluster.Version, cluster.Topics = 1, []kmsg.MetadataRequestTopic{}
		answer := kmsg.NewPtrMetadataResponse()
		answer.Version = 1
		return exchange(conn, cluster, answer) == nil
	})
	if !kafka || open {
		return kafka, nil
	}
	begin(dial, func(conn net.Conn) bool {
		// A name that is no mechanism is answered with those that there are.
		login := kmsg.NewPtrSASLHandshakeRequest()
		login.Version, login.Mechanism = 1, "?"
		offer := kmsg.NewPtrSASLHandshakeResponse()
		offer.Version = 1
		if exchange(conn, login, offer) == nil && offer.ErrorCode == kerr.UnsupportedSaslMechanism.Code {
			mechanisms = offer.SupportedMechanisms
		}
		return mechanisms != nil
	})
	return true, mechanisms
}

// begin connects, asks for the protocol versions, which every broker tells before any login, and goes on.
func begin(dial func() net.Conn, then func(net.Conn) bool) (kafka, done bool) {
	conn := dial()
	if conn == nil {
		return false, false
	}
	defer conn.Close()
	if err := exchange(conn, kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrApiVersionsResponse()); err != nil {
		return false, false
	}
	return true, then(conn)
}

var errNoKafka = errors.New("the answer is not that of a Kafka broker")

// exchange sends a request of a version without tagged fields and reads its answer.
func exchange(conn net.Conn, req kmsg.Request, resp kmsg.Response) error {
	const (
		largest     = 1 << 20
		correlation = 1
	)
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, correlation)); err != nil {
		return err
	}
	var head [8]byte // size and correlation
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:4])
	if size < 4 || size > largest || int32(binary.BigEndian.Uint32(head[4:])) != correlation {
		return errNoKafka
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		return err
	}
	return resp.ReadFrom(body)
}

package client

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/sasl"
)

// A session is a login that is over.
type session struct {
	mechanism sasl.Mechanism
	renewAt   time.Time // zero: never
}

// logIn logs in where the protocol asks for it.
func (c *conn) logIn(ctx context.Context) (Stage, error) {
	mechanism := c.broker.client.set.Login(c.broker.client.own)
	if mechanism == nil {
		return Versions, nil
	}
	c.login = &session{mechanism: mechanism}
	limit := c.broker.client.conns.FirstAnswer
	version, err := c.versions.of(keySASLHandshake)
	if err != nil {
		return Versions, kerr.UnsupportedSaslMechanism
	}
	answer, err := c.exchange(keySASLHandshake, version, handshakeBody(mechanism.Name()), limit)
	if err == nil {
		err = readHandshake(answer)
	}
	if err != nil {
		return Versions, err
	}
	return c.login.run(ctx, c, func(token []byte) ([]byte, int64, error) {
		if version == 0 { // before Kafka 1.0: the tokens are bare
			if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(token))), token...)); err != nil {
				return nil, 0, err
			}
			answer, err := c.frame()
			return answer, 0, err
		}
		v, err := c.versions.of(keySASLAuthenticate)
		if err != nil {
			return nil, 0, err
		}
		answer, err := c.exchange(keySASLAuthenticate, v, authenticateBody(token, v), limit)
		if err != nil {
			return nil, 0, err
		}
		return readAuthenticate(answer, v)
	})
}

// run goes through the steps of the mechanism. exchange sends a token and returns the broker's, and the lifetime of the session in
// milliseconds.
func (s *session) run(ctx context.Context, c *conn, exchange func(token []byte) ([]byte, int64, error)) (Stage, error) {
	began := time.Now()
	steps, token, err := s.mechanism.Authenticate(ctx, hostOf(c.broker.address))
	if err != nil {
		return Versions, err
	}
	if len(token) == 0 {
		return Versions, fmt.Errorf("%s has nothing to say to the broker", s.mechanism.Name())
	}
	var lifetime int64
	const mostSteps = 32 // no mechanism has more than four
	for range mostSteps {
		var answer []byte
		if answer, lifetime, err = exchange(token); err != nil {
			return Login, err
		}
		if err = s.tooCostly(answer); err != nil {
			return Login, err
		}
		var over bool
		if over, token, err = steps.Challenge(answer); err != nil {
			return Login, err
		}
		if over {
			s.renewAt = time.Time{}
			if lifetime > 0 {
				// Well before its end: a broker closes a connection on the first request after it.
				s.renewAt = began.Add(time.Duration(lifetime) * time.Millisecond * 85 / 100)
			}
			return Login, nil
		}
	}
	return Login, nonsensef("a login without an end")
}

// mostIterations bounds the work that a broker can ask of a login by SCRAM: more only keeps a processor busy.
const mostIterations = 1_000_000

var iterations = regexp.MustCompile(`(?:^|,)i=([0-9]+)`)

func (s *session) tooCostly(answer []byte) error {
	if !strings.HasPrefix(s.mechanism.Name(), "SCRAM") {
		return nil
	}
	m := iterations.FindSubmatch(answer)
	if m == nil {
		return nil
	}
	if n, err := strconv.Atoi(string(m[1])); err != nil || n > mostIterations {
		return fmt.Errorf("the broker asks for %.20s iterations of %s, and more than %d are refused", m[1], s.mechanism.Name(), mostIterations)
	}
	return nil
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// authenticateAgain logs in again on a connection in use, on which nothing is pending. It runs on the writer's goroutine.
func (c *conn) authenticateAgain() {
	limit := c.broker.client.set.SocketTimeout
	ask := func(key, version int16, body []byte) (answer []byte, err error) {
		got := make(chan error, 1)
		c.write(&call{
			key: key, version: version, flexible: version >= spoken[key].flexible, patience: limit,
			encode: func(dst []byte) []byte { return append(dst, body...) },
			done: func(body []byte, err error) {
				answer = append([]byte(nil), body...)
				got <- err
			},
		})
		select {
		case err = <-got:
		case <-c.ended:
			err = c.reason()
		}
		return answer, err
	}
	handshake, err := c.versions.of(keySASLHandshake)
	if err == nil {
		var answer []byte
		if answer, err = ask(keySASLHandshake, handshake, handshakeBody(c.login.mechanism.Name())); err == nil {
			err = readHandshake(answer)
		}
	}
	if err == nil {
		var v int16
		if v, err = c.versions.of(keySASLAuthenticate); err == nil {
			_, err = c.login.run(c.broker.client.life, c, func(token []byte) ([]byte, int64, error) {
				answer, err := ask(keySASLAuthenticate, v, authenticateBody(token, v))
				if err != nil {
					return nil, 0, err
				}
				return readAuthenticate(answer, v)
			})
		}
	}
	if err != nil {
		c.fail(err)
	}
}

func handshakeBody(mechanism string) []byte { return kbin.AppendString(nil, mechanism) }

func readHandshake(body []byte) error {
	r := kbin.Reader{Src: body}
	code := r.Int16()
	if !r.Ok() {
		return nonsensef("an incomplete answer to the handshake of the login")
	}
	return kerr.ErrorForCode(code)
}

func authenticateBody(token []byte, version int16) []byte {
	if version >= spoken[keySASLAuthenticate].flexible {
		return append(kbin.AppendCompactBytes(nil, token), 0)
	}
	return kbin.AppendBytes(nil, token)
}

func readAuthenticate(body []byte, version int16) (token []byte, lifetime int64, err error) {
	r := kbin.Reader{Src: body}
	code := r.Int16()
	var message *string
	if version >= spoken[keySASLAuthenticate].flexible {
		message, token = r.CompactNullableString(), r.CompactBytes()
	} else {
		message, token = r.NullableString(), r.Bytes()
	}
	if version >= 1 {
		lifetime = r.Int64()
	}
	if !r.Ok() {
		return nil, 0, nonsensef("an incomplete answer to the login")
	}
	if code != 0 {
		err = kerr.ErrorForCode(code)
		if message != nil && *message != "" {
			err = fmt.Errorf("%w: %s", err, *message)
		}
		return nil, 0, err
	}
	return token, lifetime, nil
}

package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
)

// mostLifetime bounds what a broker says: more would not fit into a duration.
const mostLifetime = 365 * 24 * time.Hour

// mostSteps bounds the talk of a login. The longest real one has four.
const mostSteps = 16

// login logs in, or renews the login, with nothing else under way. stage is how far it came.
func (n *conn) login(ctx context.Context) (stage Stage, err error) {
	mechanism := n.b.c.mechanism
	framed, err := n.chooseMechanism(ctx, mechanism.Name())
	if err != nil {
		return Versions, err
	}
	session, token, err := mechanism.Authenticate(ctx, n.b.address)
	if err != nil {
		return Versions, err
	}
	if len(token) == 0 {
		return Versions, errors.New("the mechanism " + mechanism.Name() + " has nothing to say first")
	}
	asked := time.Now()
	lifetime, err := n.talk(ctx, bounded(mechanism, session), token, framed)
	if err != nil {
		return Login, err
	}
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	n.relogin = time.Time{}
	if lifetime > 0 {
		n.relogin = asked.Add(time.Duration(float64(min(lifetime, mostLifetime)) * (0.85 + 0.1*rand.Float64())))
	}
	return Login, nil
}

// chooseMechanism names the mechanism, and returns whether the tokens travel in requests, as they do
// since Kafka 1.0.
func (n *conn) chooseMechanism(ctx context.Context, mechanism string) (framed bool, err error) {
	v, ok := n.has[handshakeKey]
	if !ok {
		return false, errors.New("the broker does not speak SaslHandshake: it has no login on this port")
	}
	body := func(dst []byte, version int16) []byte {
		r := kmsg.NewSASLHandshakeRequest()
		r.Version, r.Mechanism = version, mechanism
		return r.AppendTo(dst)
	}
	a, err := exchange(ctx, n, &request{key: handshakeKey, body: body}, v.max, readHandshake)
	if err != nil {
		return false, err
	}
	if a.code != 0 {
		return false, fmt.Errorf("the broker offers %q: %w", a.mechanisms, kerr.ErrorForCode(a.code))
	}
	_, has := n.has[loginKey]
	return v.max >= 1 && has, nil
}

// talk exchanges tokens until both sides are content, and returns how long the login lasts.
func (n *conn) talk(ctx context.Context, session sasl.Session, token []byte, framed bool) (lifetime time.Duration, err error) {
	done := false
	for range mostSteps {
		if done && len(token) == 0 {
			return lifetime, nil
		}
		var a loginAnswer
		switch {
		case framed:
			a, err = exchange(ctx, n, &request{key: loginKey, body: loginBody(token)}, n.has[loginKey].max, readLogin)
		case done:
			// The last word of the oldest form has no answer.
			r := &request{key: loginKey, raw: true, silent: true, body: rawBody(token)}
			_, err = n.send(r, 0)
		default:
			a, err = exchange(ctx, n, &request{key: loginKey, raw: true, body: rawBody(token)}, 0, readRaw)
		}
		if err != nil {
			return 0, err
		}
		if a.code != 0 {
			return 0, errMessage(a.code, a.message)
		}
		lifetime = max(time.Duration(min(a.lifetimeMS, mostLifetime.Milliseconds()))*time.Millisecond, 0)
		token = nil
		if !done {
			if done, token, err = session.Challenge(a.challenge); err != nil {
				return 0, err
			}
		}
	}
	return 0, nonsensef("the broker goes on asking in the login after %d steps", mostSteps)
}

func loginBody(token []byte) func([]byte, int16) []byte {
	return func(dst []byte, version int16) []byte {
		r := kmsg.NewSASLAuthenticateRequest()
		r.Version, r.SASLAuthBytes = version, token
		return r.AppendTo(dst)
	}
}

func rawBody(token []byte) func([]byte, int16) []byte {
	return func(dst []byte, _ int16) []byte { return append(dst, token...) }
}

func readRaw(a *cursor, _ int16) (loginAnswer, error) {
	return loginAnswer{challenge: append([]byte{}, a.Src...)}, nil
}

// renewLogin logs in again on a connection that has nothing open.
func (b *broker) renewLogin(n *conn) (Stage, error) {
	b.enter(LoggingIn)
	ctx, cancel := context.WithTimeout(b.c.ctx, b.c.net.Setup)
	defer cancel()
	return n.login(ctx)
}

// mostIterations bounds the work that a broker can ask of a login by SCRAM. Brokers ask for a few
// thousand; this many take a second, and 2^31 an hour.
const mostIterations = 1_000_000

// scram is a login by SCRAM whose first challenge is looked at before it is worked on.
type scram struct {
	sasl.Session
	name string
}

// bounded returns the session with what bounds its work.
func bounded(m sasl.Mechanism, s sasl.Session) sasl.Session {
	if strings.HasPrefix(m.Name(), "SCRAM-") {
		return scram{s, m.Name()}
	}
	return s
}

// Challenge implements [sasl.Session].
func (s scram) Challenge(challenge []byte) (bool, []byte, error) {
	for item := range bytes.SplitSeq(challenge, []byte(",")) {
		text, ok := bytes.CutPrefix(item, []byte("i="))
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(string(text), 10, 64); err != nil || n > mostIterations {
			return false, nil, fmt.Errorf("the broker asks for %s iterations of %s, and more than %d are refused", quoted(string(text)), s.name, mostIterations)
		}
	}
	return s.Session.Challenge(challenge)
}

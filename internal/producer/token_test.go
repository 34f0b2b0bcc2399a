package producer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/resperr"
)

// tokenLife is how long a token of the test's endpoint is good.
const tokenLife = 10 * time.Second

// endpoint gives out tokens. It is outside of the bubble, because a socket there would stop the
// bubble's clock, and gets the time.
type endpoint struct {
	*httptest.Server
	clock atomic.Int64 // the bubble's, in milliseconds
	given atomic.Int64
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "mail" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		e.given.Add(1)
		part := base64.RawURLEncoding.EncodeToString
		ends := time.UnixMilli(e.clock.Load()).Add(tokenLife)
		claims := fmt.Sprintf(`{"sub":"mail","exp":%d.%03d}`, ends.Unix(), ends.Nanosecond()/1e6)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"`+part([]byte(`{"alg":"none"}`))+"."+part([]byte(claims))+`."}`)
	}))
	t.Cleanup(e.Close)
	return e
}

// session is what a broker knows of logins: until when the last token is good.
type session struct {
	mu     sync.Mutex
	ends   time.Time
	logins int
	late   int // requests after the end
}

// tokens makes the cluster's broker ask for OAUTHBEARER, and end connections whose token has ended.
func (c *cluster) tokens() *session {
	s := &session{}
	answer := func(key kmsg.Key, do func(kmsg.Request) (kmsg.Response, error, bool)) {
		c.fake.ControlKey(int16(key), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
			c.fake.KeepControl()
			s.mu.Lock()
			defer s.mu.Unlock()
			return do(kreq)
		})
	}
	answer(kmsg.SASLHandshake, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		resp := kreq.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.SupportedMechanisms = []string{"OAUTHBEARER"}
		return resp, nil, true
	})
	answer(kmsg.SASLAuthenticate, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		_, token, _ := bytes.Cut(kreq.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes, []byte("auth=Bearer "))
		token, _, _ = bytes.Cut(token, []byte{1})
		parts := strings.Split(string(token), ".")
		if len(parts) != 3 {
			return nil, errors.New("no token"), true
		}
		claims, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			return nil, err, true
		}
		var seconds, millis int64
		if _, err := fmt.Sscanf(string(claims), `{"sub":"mail","exp":%d.%d}`, &seconds, &millis); err != nil {
			return nil, err, true
		}
		ends := time.UnixMilli(seconds*1000 + millis)
		left := time.Until(ends)
		if left <= 0 {
			return nil, errors.New("the token has ended"), true
		}
		s.ends = ends
		s.logins++
		resp := kreq.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.SessionLifetimeMillis = left.Milliseconds()
		return resp, nil, true
	})
	for _, key := range []kmsg.Key{kmsg.Produce, kmsg.Metadata} {
		answer(key, func(kmsg.Request) (kmsg.Response, error, bool) {
			if !time.Now().Before(s.ends) {
				s.late++
				return nil, errors.New("the session has ended"), true
			}
			return nil, nil, false
		})
	}
	return s
}

func TestATokenOfTenSecondsDoesNotInterruptAnIdleProducer(t *testing.T) {
	tokens := newEndpoint(t)
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		defer close(done)
		tokens.clock.Store(time.Now().UnixMilli())
		go func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					tokens.clock.Store(time.Now().UnixMilli())
				case <-done:
					return
				}
			}
		}()
		c := newCluster(t, kfake.SeedTopics(1, "mail"))
		broker := c.tokens()
		log := &logged{}
		p := c.queue(log, "security.protocol=sasl_plaintext", "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.method=oidc",
			"sasl.oauthbearer.client.id=mail", "sasl.oauthbearer.client.secret=secret",
			"sasl.oauthbearer.token.endpoint.url="+tokens.URL)
		sent := int64(0)
		send := func(pause time.Duration) {
			t.Helper()
			if code := offer(p, value("v")); code != resperr.NoError {
				t.Fatal(code)
			}
			sent++
			time.Sleep(time.Second)
			if s := p.Snapshot(); s.Delivered != sent {
				t.Fatalf("message %d is not delivered after a second: %+v\n%s", sent, s, log)
			}
			time.Sleep(pause - time.Second)
		}
		for _, pause := range []time.Duration{time.Second, 9 * time.Second, 10 * time.Second, 11 * time.Second, 35 * time.Second} {
			for range 5 {
				send(pause)
			}
		}
		broker.mu.Lock()
		defer broker.mu.Unlock()
		if broker.late > 0 || broker.logins < 10 || tokens.given.Load() < 10 {
			t.Errorf("%d requests came late, %d logins, %d tokens", broker.late, broker.logins, tokens.given.Load())
		}
		if got := log.String(); got != "" {
			t.Errorf("logged\n%s", got)
		}
	})
}

package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
)

var plain = []string{"security.protocol=sasl_plaintext", "sasl.mechanisms=PLAIN", "sasl.username=me", "sasl.password=secret"}

func TestLogins(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for _, password := range []string{"right", "wrong"} {
			t.Run(mechanism+" "+password, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := start(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "me", "right"))
					b := newBench(t, f.dial, "bootstrap.servers=localhost:9092", "security.protocol=sasl_plaintext",
						"sasl.mechanisms="+mechanism, "sasl.username=me", "sasl.password="+password)
					defer b.c.Close()
					b.c.AskMetadata([]string{"mail"}, false)
					if password == "right" {
						b.next(MetadataReceived)
						return
					}
					b.next(MetadataFailed)
					if !strings.Contains(b.told(), "failed localhost:9092 login: EOF") { // kfake hangs up
						t.Error(b.told())
					}
				})
			})
		}
	}
}

// speech is a mechanism of so many words, whose last one has no challenge after it.
type speech []string

func (s speech) Name() string { return "GSSAPI" }

func (s speech) Authenticate(_ context.Context, address string) (sasl.Session, []byte, error) {
	if address != "one:9092" {
		return nil, nil, errors.New("Kerberos and AWS want the host and the port, not " + address)
	}
	rest := s[1:]
	return &rest, []byte(s[0]), nil
}

func (s *speech) Challenge([]byte) (bool, []byte, error) {
	word := (*s)[0]
	*s = (*s)[1:]
	return len(*s) == 0, []byte(word), nil
}

// The last word of a login is sent, and its answer awaited, before anything else: Kerberos ends so.
func TestTheLastWordOfALoginIsSent(t *testing.T) {
	for _, framed := range []bool{true, false} {
		t.Run(fmt.Sprint("framed ", framed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLiar(t)
				var mu sync.Mutex
				var heard []string
				l.lies(func(c *talk) bool {
					mu.Lock()
					defer mu.Unlock()
					switch c.key {
					case loginKey:
						heard = append(heard, string(c.req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes))
					case versionsKey:
						r := l.honest(c).(*kmsg.ApiVersionsResponse)
						for i := range r.ApiKeys {
							if !framed && r.ApiKeys[i].ApiKey == handshakeKey {
								r.ApiKeys[i].MaxVersion = 0
							}
						}
						c.answer(r.AppendTo(nil))
						return true
					case handshakeKey:
						if !framed {
							c.answer(l.honest(c).AppendTo(nil))
							for i := range 3 {
								heard = append(heard, string(<-c.frames))
								if i < 2 {
									c.send([]byte("yes"))
								}
							}
							return true
						}
					}
					return false
				})
				b := newBench(t, l.dial, append([]string{"bootstrap.servers=one:9092"}, plain...)...)
				defer b.c.Close()
				b.c.mechanism = speech{"one", "two", "three"}
				b.ask("mail")
				mu.Lock()
				defer mu.Unlock()
				if fmt.Sprint(heard) != "[one two three]" {
					t.Errorf("the broker has heard %v", heard)
				}
			})
		})
	}
}

func TestLoginsThatMakeNoSense(t *testing.T) {
	challenge := func(text string) func(*liar, *talk) bool {
		return twisted(func(r *kmsg.SASLAuthenticateResponse) { r.SASLAuthBytes = []byte(text) })
	}
	for _, test := range []struct {
		name, mechanism string
		lie             func(*liar, *talk) bool
		says            string
	}{
		{"2,147,483,647 iterations", "SCRAM-SHA-256", func(_ *liar, c *talk) bool {
			if c.key != loginKey {
				return false
			}
			first := string(c.req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes)
			_, nonce, _ := strings.Cut(first, "r=")
			r := c.req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
			r.SASLAuthBytes = []byte("r=" + nonce + "x,s=c2FsdA==,i=2147483647")
			c.answer(r.AppendTo(nil))
			return true
		}, `the broker asks for "2147483647" iterations of SCRAM-SHA-256, and more than 1000000 are refused`},
		{"no nonce", "SCRAM-SHA-512", challenge("i=4096"), "login"},
		{"no mechanism", "PLAIN", twisted(func(r *kmsg.SASLHandshakeResponse) { r.ErrorCode, r.SupportedMechanisms = 33, []string{"GSSAPI"} }), `the broker offers ["GSSAPI"]: UNSUPPORTED_SASL_MECHANISM`},
		{"a refusal with a sentence", "PLAIN", twisted(func(r *kmsg.SASLAuthenticateResponse) {
			r.ErrorCode, r.ErrorMessage = 58, kmsg.StringPtr("the account is locked")
		}), "SASL Authentication failed.: the account is locked"},
		{"a refusal that rings", "PLAIN", twisted(func(r *kmsg.SASLAuthenticateResponse) {
			r.ErrorCode, r.ErrorMessage = 58, kmsg.StringPtr("no\n<0>kafka: forged")
		}), `SASL Authentication failed.: "no\n<0>kafka: forged"`},
		{"it hangs up at the login", "PLAIN", only(loginKey, func(c *talk) { c.Close() }), "login: EOF"},
		{"it is silent at the login", "PLAIN", only(loginKey, func(*talk) {}), "login: no answer to SaslAuthenticate"},
		{"a login cut short", "PLAIN", only(loginKey, func(c *talk) { c.answer([]byte{0, 0}) }), "SaslAuthenticate is cut short"},
		{"no login at all", "PLAIN", versions([3]int16{0, 0, 9}, [3]int16{3, 0, 9}), "does not speak SaslHandshake"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLiar(t)
				l.lies(func(c *talk) bool { return test.lie(l, c) })
				b := newBench(t, l.dial, "bootstrap.servers=one:9092", "security.protocol=sasl_plaintext",
					"sasl.mechanisms="+test.mechanism, "sasl.username=me", "sasl.password=secret")
				defer b.c.Close()
				b.c.AskMetadata(nil, false)
				b.next(MetadataFailed)
				if !strings.Contains(b.told(), test.says) || strings.Contains(b.told(), "secret") {
					t.Errorf("the log lacks %q:\n%s", test.says, b.told())
				}
				l.lies(nil)
			})
		})
	}
}

// Before the lifetime of a login ends, what is open is awaited, the login renewed on the same
// connection, and the rest sent.
func TestLoginsAreRenewed(t *testing.T) {
	world(t, plain, func(l *liar, b *bench) {
		var mu sync.Mutex
		var story []string
		note := func(s string) {
			mu.Lock()
			defer mu.Unlock()
			story = append(story, s)
		}
		began := time.Now()
		l.lies(func(c *talk) bool {
			switch c.key {
			case loginKey:
				note(fmt.Sprintf("login %d", c.logins))
				r := l.honest(c).(*kmsg.SASLAuthenticateResponse)
				r.SessionLifetimeMillis = 60_000
				c.answer(r.AppendTo(nil))
				return true
			case produceKey:
				note("produce")
				if time.Since(began) > 40*time.Second && time.Since(began) < 58*time.Second {
					time.Sleep(time.Until(began.Add(58 * time.Second)))
				}
			}
			return false
		})
		b.ask("mail")
		b.up(1)
		time.Sleep(50 * time.Second)
		open := b.post(mail(-1))
		time.Sleep(time.Second)
		for b.c.Ready(1) { // until the renewal is due
			time.Sleep(100 * time.Millisecond)
		}
		if d := time.Since(began); d < 51*time.Second || d > 57*time.Second+time.Second {
			t.Errorf("the renewal begins after %v of a minute", d)
		}
		if err := <-open; err != nil {
			t.Errorf("an open request is not awaited: %v", err)
		}
		b.next(Up)
		if _, err := b.send(1, mail(-1)); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if got := strings.Join(story, ", "); got != "login 0, produce, login 1, produce" || l.dials.Load() != 1 || b.told() != "" {
			t.Errorf("%s; %d connections; the log: %s", got, l.dials.Load(), b.told())
		}
	})
}

func TestARefusedRenewalEndsTheConnection(t *testing.T) {
	world(t, plain, func(l *liar, b *bench) {
		l.lies(func(c *talk) bool {
			if c.key != loginKey {
				return false
			}
			r := l.honest(c).(*kmsg.SASLAuthenticateResponse)
			r.SessionLifetimeMillis = 10_000
			if c.logins > 0 {
				r.ErrorCode = kerr.SaslAuthenticationFailed.Code
			}
			c.answer(r.AppendTo(nil))
			return true
		})
		b.ask("mail")
		b.up(1)
		if e := b.next(Down); !errors.Is(e.Err, kerr.SaslAuthenticationFailed) || e.Idle {
			t.Errorf("%+v", e)
		}
		b.next(Up)
	})
}

// byteConn reads one byte at a time.
type byteConn struct{ net.Conn }

func (c byteConn) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(1, len(p))]) }

func TestAnswersThatComeInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLiar(t)
		l.lies(func(c *talk) bool {
			resp := l.honest(c)
			if resp == nil {
				return true
			}
			var frame bytes.Buffer
			head := kbin.AppendInt32(nil, c.id)
			if c.req.IsFlexible() && c.key != versionsKey {
				head = append(head, 0)
			}
			body := append(head, resp.AppendTo(nil)...)
			frame.Write(kbin.AppendInt32(nil, int32(len(body))))
			frame.Write(body)
			for _, one := range frame.Bytes() {
				c.bytes([]byte{one})
			}
			return true
		})
		b := newBench(t, func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := l.dial(ctx, network, address)
			return byteConn{conn}, err
		}, append([]string{"bootstrap.servers=one:9092"}, plain...)...)
		defer b.c.Close()
		b.deliver()
		if b.told() != "" {
			t.Error(b.told())
		}
	})
}

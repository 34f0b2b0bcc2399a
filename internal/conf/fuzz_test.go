package conf

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

// FuzzSetFinalizeOptions takes lines of NAME=VALUE all the way from text to connections: nothing on
// the way may panic.
func FuzzSetFinalizeOptions(f *testing.F) {
	f.Add("bootstrap.servers=127.0.0.1:1\nacks=1\nlinger.ms=0.5")
	f.Add("bootstrap.servers=[::1]:1,a]b:c:d,[x,http://y\nclient.id=" + strings.Repeat("x", 300))
	f.Add("security.protocol=ssl\nssl.cipher.suites=HIGH:!aNULL:+RSA\nssl.curves.list=X25519:?foo\nssl.ca.pem=x")
	f.Add("security.protocol=sasl_plaintext\nsasl.mechanism=SCRAM-SHA-256\nsasl.username=u\nsasl.password=p")
	f.Add("security.protocol=sasl_plaintext\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.method=oidc\nsasl.oauthbearer.token.endpoint.url=http://x/")
	f.Add("topic.blacklist=^(a|b)*[[:alpha:]]{2,3}$,\\<x\\>\nenable.idempotence=true\nenable.gapless.guarantee=true")
	f.Add("message.max.bytes=1000000000\nreceive.message.max.bytes=1000\nrequest.timeout.ms=1\nsocket.timeout.ms=10\nconnections.max.idle.ms=1")
	f.Add("topic.metadata.refresh.interval.ms=1\ntopic.metadata.refresh.fast.interval.ms=60000\nmetadata.max.age.ms=1\nretries=0\nmax.in.flight=1000000")
	f.Add("topic.compression.codec=lz4\ncompression.level=12\nbroker.version.fallback=0.8.1\napi.version.request=false\nenable.metrics.push=f")
	f.Add("transactional.id=t\ntransaction.timeout.ms=1000\npartition.assignment.strategy=range ,x\nclient.software.name=!!\ndebug=all")
	f.Fuzz(func(t *testing.T, text string) {
		c := New()
		for line := range strings.SplitSeq(text, "\n") {
			name, value, _ := strings.Cut(line, "=")
			var refused *SetError
			if err := c.Set(name, value); err != nil && !errors.As(err, &refused) {
				t.Fatalf("Set(%q, %q) returned a %T", name, value, err)
			}
			if p, ok := Lookup(name); ok {
				c.Get(p.Name)
			}
		}
		s, _, err := c.Finalize(1)
		if err != nil {
			var refused *NewError
			if !errors.As(err, &refused) {
				t.Fatalf("Finalize returned a %T", err)
			}
			return
		}
		s.Blacklisted("aab")
		s.Connections()
		s.MaxVersions()
		s.InFlight(true)
		s.Software(Deps{})
		if _, _, err := s.Dialer(Deps{Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }}).Connect(t.Context(), "h:1"); err == nil {
			t.Fatal("a connection from nowhere")
		}
	})
}

var errRefused = errors.New("refused")

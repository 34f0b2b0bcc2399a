package conf

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/authority"
)

// ping logs in to a broker and asks it something.
func ping(t *testing.T, s *Settings, deps Deps) error {
	t.Helper()
	dialer := s.Dialer(deps)
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.SASL(s.Login(deps)), kgo.RequestRetries(0),
		kgo.Dialer(func(ctx context.Context, _, address string) (net.Conn, error) {
			conn, _, err := dialer.Connect(ctx, address)
			return conn, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return client.Ping(ctx)
}

func TestLogins(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "plain", "p1"), kfake.Superuser("SCRAM-SHA-256", "s256", "p2"), kfake.Superuser("SCRAM-SHA-512", "s512", "p3"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	for _, c := range []struct {
		mechanism, user, password string
		works                     bool
	}{
		{"PLAIN", "plain", "p1", true},
		{"PLAIN", "plain", "p2", false},
		{"SCRAM-SHA-256", "s256", "p2", true},
		{"SCRAM-SHA-256", "s256", "wrong", false},
		{"SCRAM-SHA-512", "s512", "p3", true},
		{"SCRAM-SHA-512", "s256", "p2", false},
		{"SCRAM-SHA-1", "s1", "p", false}, // kfake has none, as Apache Kafka
	} {
		s := settingsFor(t, "bootstrap.servers", cluster.ListenAddrs()[0], "security.protocol", "sasl_plaintext",
			"sasl.mechanism", c.mechanism, "sasl.username", c.user, "sasl.password", c.password)
		err := ping(t, s, Deps{})
		if (err == nil) != c.works {
			t.Errorf("%s as %s with %s: %v", c.mechanism, c.user, c.password, err)
		}
		if err != nil && strings.Contains(err.Error(), c.password+"\"") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestPasswordComesFromOutside(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "new"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	s := settingsFor(t, "bootstrap.servers", cluster.ListenAddrs()[0], "security.protocol", "sasl_plaintext",
		"sasl.mechanism", "PLAIN", "sasl.username", "u", "sasl.password", "old")
	if err := ping(t, s, Deps{}); err == nil {
		t.Error("the old password still works")
	}
	secret := func(property string) (string, bool) { return "new", property == "sasl.password" }
	if err := ping(t, s, Deps{Secret: secret}); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

// TestScramSHA1 plays the broker's part of RFC 5802, section 3.
func TestScramSHA1(t *testing.T) {
	const user, password, rounds = "us,er=", "pencil", 4096
	c := New()
	for name, text := range map[string]string{"sasl.username": user, "sasl.password": password} {
		if err := c.Set(name, text); err != nil {
			t.Fatal(err)
		}
	}
	salt := []byte("QSXCR+Q6sek8bf92")
	for _, c2 := range []struct {
		name, brokerPassword string
		works                bool
	}{{"the same password", password, true}, {"another password", "chalk", false}} {
		session, first, err := scramSHA1{credentials{conf: c}}.Authenticate(t.Context(), "h:1")
		if err != nil {
			t.Fatal(err)
		}
		bare := strings.TrimPrefix(string(first), "n,,")
		_, nonce, _ := strings.Cut(bare, ",r=")
		if !strings.HasPrefix(bare, "n=us=2Cer=3D,r=") || nonce == "" {
			t.Fatalf("first message %q", first)
		}
		challenge := fmt.Sprintf("r=%sbroker,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString(salt), rounds)
		done, final, err := session.Challenge([]byte(challenge))
		if err != nil || done {
			t.Fatalf("%v %v", done, err)
		}
		without, proof, _ := strings.Cut(string(final), ",p=")
		message := []byte(bare + "," + challenge + "," + without)
		salted, err := pbkdf2.Key(sha1.New, c2.brokerPassword, salt, rounds, sha1.Size)
		if err != nil {
			t.Fatal(err)
		}
		clientKey := mac(salted, []byte("Client Key"))
		stored := sha1.Sum(clientKey)
		shown, err := base64.StdEncoding.DecodeString(proof)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range mac(stored[:], message) {
			shown[i] ^= b
		}
		if hmac.Equal(shown, clientKey) != c2.works {
			t.Errorf("%s: the proof holds: %v", c2.name, !c2.works)
		}
		verifier := base64.StdEncoding.EncodeToString(mac(mac(salted, []byte("Server Key")), message))
		if done, _, err := session.Challenge([]byte("v=" + verifier)); done != c2.works || (err == nil) != c2.works {
			t.Errorf("%s: %v %v", c2.name, done, err)
		}
	}
}

func TestScramSHA1RefusesABrokerThatMakesNoSense(t *testing.T) {
	for _, challenge := range []string{"", "e=other-error", "r=x,s=c2FsdA==,i=4096", "r=%s,s=c2FsdA==,i=0", "r=%s,s=?,i=1", "r=%s,s=c2FsdA==,i=99999999"} {
		session, first, err := scramSHA1{credentials{conf: New()}}.Authenticate(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		_, nonce, _ := strings.Cut(string(first), ",r=")
		if _, _, err := session.Challenge([]byte(strings.ReplaceAll(challenge, "%s", nonce))); err == nil {
			t.Errorf("%q is accepted", challenge)
		}
	}
}

// claimsOf returns head and claims of a token.
func claimsOf(t *testing.T, token string) (head, claims map[string]any) {
	t.Helper()
	part := strings.Split(token, ".")
	for i, into := range []*map[string]any{&head, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(part[i])
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatalf("%q: %v", token, err)
		}
	}
	return head, claims
}

func TestUnsecuredToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "security.protocol", "sasl_plaintext", "sasl.mechanism", "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt", "true",
			"sasl.oauthbearer.config", "principal=admin scope=a,,b lifeSeconds=60 extension_x=y")
		auth, err := s.tokenSource(credentials{conf: s.conf})(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		head, claims := claimsOf(t, auth.Token)
		now := float64(time.Now().Unix())
		if head["alg"] != "none" || claims["sub"] != "admin" || fmt.Sprint(claims["scope"]) != "[a b]" ||
			claims["iat"] != now || claims["exp"] != now+60 || auth.Extensions["x"] != "y" || !strings.HasSuffix(auth.Token, ".") {
			t.Errorf("%v %v %v", head, claims, auth.Extensions)
		}
	})
}

func TestUnsecuredTokenNeedsItsParts(t *testing.T) {
	for _, config := range []string{"", "scope=a", "principal=p lifeSeconds=0", "principal=p lifeSeconds=x", "principal"} {
		c := New()
		if err := c.Set("sasl.oauthbearer.config", config); err != nil {
			t.Fatal(err)
		}
		if _, err := unsecuredToken(credentials{conf: c}); err == nil {
			t.Errorf("%q gives a token", config)
		}
	}
}

// tokenServer is a token endpoint: it checks what it is asked and counts.
type tokenServer struct {
	*httptest.Server
	mu    sync.Mutex
	asked []*http.Request // with their forms; guarded by mu
	life  time.Duration
	down  bool // guarded by mu
	wrong bool // it answers with what is no token; guarded by mu
}

func newTokenServer(t *testing.T, life time.Duration) *tokenServer {
	t.Helper()
	s := &tokenServer{life: life}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r)
		if s.down {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		token, err := encodeToken(map[string]any{"alg": "none"}, map[string]any{
			"sub": "me", "n": len(s.asked), "exp": float64(time.Now().Add(s.life).UnixMilli()) / 1000,
		})
		if err != nil {
			t.Error(err)
		}
		if s.wrong {
			token = "nonsense"
		}
		if err := json.NewEncoder(w).Encode(map[string]string{"access_token": token + ".x"}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// source returns the tokens of a configuration that trusts the server.
func (s *tokenServer) source(t *testing.T, properties ...string) (*Settings, *oidc) {
	t.Helper()
	set := settingsFor(t, append([]string{
		"security.protocol", "sasl_plaintext", "sasl.mechanism", "OAUTHBEARER", "sasl.oauthbearer.method", "oidc",
		"sasl.oauthbearer.token.endpoint.url", s.URL + "/token", "https.ca.pem", string(authority.Chain(s.Certificate())),
	}, properties...)...)
	return set, newOIDC(set, credentials{conf: set.conf})
}

func TestClientCredentials(t *testing.T) {
	server := newTokenServer(t, time.Hour)
	_, o := server.source(t, "sasl.oauthbearer.client.id", "id", "sasl.oauthbearer.client.secret", "geheim",
		"sasl.oauthbearer.scope", "a b", "sasl.oauthbearer.extensions", "k=v,l=w")
	auth, err := o.auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again.Token != auth.Token || len(server.requests()) != 1 {
		t.Errorf("a good token was asked for %d times", len(server.requests()))
	}
	r := server.requests()[0]
	user, password, _ := r.BasicAuth()
	if user != "id" || password != "geheim" || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("scope") != "a b" || r.URL.Path != "/token" {
		t.Errorf("%s %q %q %v", r.URL, user, password, r.Form)
	}
	if fmt.Sprint(auth.Extensions) != "map[k:v l:w]" {
		t.Errorf("extensions %v", auth.Extensions)
	}
}

// TestTokenIsRenewedAheadOfItsEnd asks for a token at moments of its life, which is long beside what the test takes itself.
func TestTokenIsRenewedAheadOfItsEnd(t *testing.T) {
	server := newTokenServer(t, 10*time.Minute)
	_, o := server.source(t, "sasl.oauthbearer.client.id", "id", "sasl.oauthbearer.client.secret", "geheim")
	ask := func() error {
		_, err := o.auth(t.Context())
		return err
	}
	age := func(d time.Duration) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.fresh, o.ends = o.fresh.Add(-d), o.ends.Add(-d)
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	age(7 * time.Minute)
	if err := ask(); err != nil || len(server.requests()) != 1 {
		t.Errorf("after 7 of 10 min: %d requests, %v", len(server.requests()), err)
	}
	age(90 * time.Second)
	server.mu.Lock()
	server.down = true
	server.mu.Unlock()
	if err := ask(); err != nil || len(server.requests()) != 2 {
		t.Errorf("after 8.5 of 10 min, the endpoint down: %d requests, %v", len(server.requests()), err)
	}
	age(2 * time.Minute)
	if err := ask(); err == nil || !strings.Contains(err.Error(), "invalid_client") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("after the end, the endpoint down: %v", err)
	}
	server.mu.Lock()
	server.down = false
	server.mu.Unlock()
	if err := ask(); err != nil {
		t.Errorf("the endpoint is back: %v", err)
	}
}

// An endpoint that is out of order and still answers is like one that is down: the token that is still good serves.
func TestAnAnswerThatIsNoTokenDoesNotReplaceAGoodOne(t *testing.T) {
	server := newTokenServer(t, 10*time.Minute)
	_, o := server.source(t, "sasl.oauthbearer.client.id", "id", "sasl.oauthbearer.client.secret", "geheim")
	first, err := o.auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	o.fresh = time.Now()
	o.mu.Unlock()
	server.mu.Lock()
	server.wrong = true
	server.mu.Unlock()
	if second, err := o.auth(t.Context()); err != nil || second.Token != first.Token || len(server.requests()) != 2 {
		t.Errorf("the token is %q, of %d requests, %v; want the one before", second.Token, len(server.requests()), err)
	}
}

func TestATemplateWithoutItsPartsIsRefused(t *testing.T) {
	for _, text := range []string{`{}`, `null`, `{"header":{}}`, `{"payload":{}}`, `{"header":null,"payload":{}}`, `[]`, ``} {
		path := write(t, filepath.Join(t.TempDir(), "template.json"), []byte(text))
		_, o := newTokenServer(t, time.Hour).source(t, "sasl.oauthbearer.grant.type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "sasl.oauthbearer.assertion.jwt.template.file", path,
			"sasl.oauthbearer.assertion.private.key.pem", "none is read", "sasl.oauthbearer.assertion.claim.sub", "s")
		if _, err := o.assertion(); err == nil || !strings.Contains(err.Error(), "is not a JSON file with header and payload") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestEndpointOfAnotherCA(t *testing.T) {
	server := newTokenServer(t, time.Hour)
	_, o := server.source(t, "sasl.oauthbearer.client.id", "id", "sasl.oauthbearer.client.secret", "geheim",
		"https.ca.pem", string(authority.Chain(authority.New(t, "ca").Cert)))
	if _, err := o.auth(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("error %v, want an unknown authority", err)
	}
}

func TestAssertions(t *testing.T) {
	dir := t.TempDir()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := write(t, filepath.Join(dir, "template.json"), []byte(`{"header":{"kid":"k1","alg":"none"},"payload":{"sub":"from template","exp":1,"x":"y"}}`))
	encrypted, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), []byte("secret"), x509.PEMCipherAES256) //nolint:staticcheck // operators have such keys
	if err != nil {
		t.Fatal(err)
	}
	ready := write(t, filepath.Join(dir, "ready.jwt"), []byte("ready.made.assertion\n"))
	keyFile := write(t, filepath.Join(dir, "rsa.key"), pem.EncodeToMemory(encrypted))
	const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	const prefix = "sasl.oauthbearer.assertion."
	for _, c := range []struct {
		name       string
		properties []string
		key        crypto.PublicKey // nil for a ready assertion
		claims     map[string]any
	}{
		{name: "a ready file", properties: []string{prefix + "file", ready}},
		{
			name: "RS256 with an encrypted key file and a template", key: rsaKey.Public(),
			properties: []string{
				prefix + "private.key.file", keyFile, prefix + "private.key.passphrase", "secret", prefix + "jwt.template.file", template,
				prefix + "claim.iss", "me", prefix + "claim.aud", "them", prefix + "claim.exp.seconds", "60", prefix + "claim.nbf.seconds", "5",
			},
			claims: map[string]any{"sub": "from template", "x": "y", "iss": "me", "aud": "them"},
		},
		{
			name: "ES256 with a key in the configuration", key: ecKey.Public(),
			properties: []string{
				prefix + "private.key.pem", string(authority.Key(t, tls.Certificate{PrivateKey: ecKey})), prefix + "algorithm", "ES256", prefix + "claim.sub", "s", prefix + "claim.jti.include", "true",
				prefix + "claim.exp.seconds", "60", prefix + "claim.nbf.seconds", "5",
			},
			claims: map[string]any{"sub": "s"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := newTokenServer(t, time.Hour)
			_, o := server.source(t, append([]string{"sasl.oauthbearer.grant.type", grant, "sasl.oauthbearer.scope", "a b"}, c.properties...)...)
			if _, err := o.auth(t.Context()); err != nil {
				t.Fatal(err)
			}
			form := server.requests()[0].Form
			if form.Get("grant_type") != grant || form.Get("scope") != "a b" {
				t.Errorf("form %v", form)
			}
			assertion := form.Get("assertion")
			if c.key == nil {
				if assertion != "ready.made.assertion" {
					t.Errorf("assertion %q", assertion)
				}
				return
			}
			head, claims := claimsOf(t, assertion)
			for name, want := range c.claims {
				if claims[name] != want {
					t.Errorf("claim %s is %v, want %v", name, claims[name], want)
				}
			}
			if claims["exp"].(float64)-claims["iat"].(float64) != 60 || claims["iat"].(float64)-claims["nbf"].(float64) != 5 {
				t.Errorf("times of %v", claims)
			}
			end := strings.LastIndexByte(assertion, '.')
			digest := sha256.Sum256([]byte(assertion[:end]))
			signature, err := base64.RawURLEncoding.DecodeString(assertion[end+1:])
			if err != nil {
				t.Fatal(err)
			}
			switch key := c.key.(type) {
			case *rsa.PublicKey:
				if head["alg"] != "RS256" || head["kid"] != "k1" || rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) != nil {
					t.Errorf("head %v, or the signature does not hold", head)
				}
			case *ecdsa.PublicKey:
				r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
				if head["alg"] != "ES256" || claims["jti"] == nil || !ecdsa.Verify(key, digest[:], r, s) {
					t.Errorf("head %v, claims %v, or the signature does not hold", head, claims)
				}
			}
		})
	}
}

func TestAzureTokens(t *testing.T) {
	server := newTokenServer(t, time.Hour)
	_, o := server.source(t, "sasl.oauthbearer.metadata.authentication.type", "azure_imds",
		"sasl.oauthbearer.config", "query=api-version=1&resource=r,other=x")
	if _, err := o.auth(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := server.requests()[0]
	if r.Method != http.MethodGet || r.Header.Get("Metadata") != "true" || r.URL.RawQuery != "api-version=1&resource=r" {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
}

func TestTokensThatAreNone(t *testing.T) {
	encode := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
	}
	for _, token := range []string{"", "a.b", "a.?.c", encode("x"), encode(`{"sub":"s"}`), encode(`{"exp":1}`), encode(`{"exp":"1","sub":"s"}`), encode(`{"exp":1,"sub":""}`)} {
		if _, err := tokenEnds(token, "sub"); err == nil {
			t.Errorf("%q is taken for a token", token)
		}
	}
	if ends, err := tokenEnds(encode(`{"exp":1.5,"who":"s"}`), "who"); err != nil || ends.UnixMilli() != 1500 {
		t.Errorf("%v %v", ends, err)
	}
}

package operator

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/halon-extras/kafka/internal/authority"
)

// embedded starts a broker in this process and returns its address.
func embedded(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, string) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.ClusterID("the-cluster"), kfake.SeedTopics(3, "mail")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, c.ListenAddrs()[0]
}

// silent takes connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	var taken []net.Conn
	t.Cleanup(func() {
		for _, conn := range taken {
			conn.Close()
		}
	})
	return taking(t, func(conn net.Conn) { taken = append(taken, conn) })
}

// closing takes connections and ends them once something was said.
func closing(t *testing.T) string {
	t.Helper()
	return taking(t, func(conn net.Conn) {
		conn.Read(make([]byte, 1<<16)) // what is left unread would reset the connection
		conn.Close()
	})
}

// withoutTLS passes connections on to a broker, and closes those that begin with TLS, as Kafka does; the embedded broker waits for more.
func withoutTLS(t *testing.T, broker string) string {
	t.Helper()
	const handshake = 0x16
	return taking(t, func(conn net.Conn) {
		said := make([]byte, 1<<16)
		n, err := conn.Read(said)
		if err != nil || said[0] == handshake {
			conn.Close()
			return
		}
		to, err := net.Dial("tcp", broker)
		if err != nil {
			conn.Close()
			return
		}
		pass := func(dst, src net.Conn) {
			io.Copy(dst, src)
			dst.Close()
		}
		to.Write(said[:n])
		go pass(to, conn)
		go pass(conn, to)
	})
}

// taking listens, and does with each connection what take says, one after the other.
func taking(t *testing.T, take func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			take(conn)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// closed is an address where nothing listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyPair writes a certificate and its key, and returns the two settings.
func keyPair(t *testing.T, c tls.Certificate) []string {
	t.Helper()
	return []string{
		"ssl.certificate.location=" + write(t, "c.pem", authority.Chain(c.Leaf)),
		"ssl.key.location=" + write(t, "c.key", authority.Key(t, c)),
	}
}

// allow lets a user do one thing with one topic.
func allow(topic string, operation kmsg.ACLOperation) kfake.ACL {
	return kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true}
}

// TestConnect holds the sentence for each thing that can be wrong on the way to a cluster.
func TestConnect(t *testing.T) {
	defer goleak.VerifyNone(t)
	// The clusters must be gone before goroutines are counted.
	t.Run("on", testConnect)
}

func testConnect(t *testing.T) {
	ca, stranger := authority.New(t, "our ca"), authority.New(t, "another ca")
	past := time.Now().Add(-time.Minute)
	server := func(c tls.Certificate) kfake.Opt {
		return kfake.TLS(&tls.Config{Certificates: []tls.Certificate{c}})
	}
	trust := "ssl.ca.location=" + write(t, "ca.pem", authority.Chain(ca.Cert))

	_, plain := embedded(t)
	_, login := embedded(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "right"),
		kfake.User("PLAIN", "reader", "right", allow("mail", kmsg.ACLOperationRead)),
		kfake.User("PLAIN", "writer", "right", allow("mail", kmsg.ACLOperationWrite)))
	_, secure := embedded(t, server(ca.Issue("broker", "127.0.0.1")))
	_, misnamed := embedded(t, server(ca.Issue("broker", "kafka.example", "10.0.0.1")))
	_, expired := embedded(t, server(ca.IssueFor(ca.Key, func(c *x509.Certificate) { c.NotAfter = past })))
	_, mutual := embedded(t, kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{ca.Issue("broker", "127.0.0.1")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
	}))
	_, both := embedded(t, server(ca.Issue("broker", "127.0.0.1")), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "admin", "right"))
	moved, advertises := embedded(t)
	gone := closed(t)
	moved.ControlKey(3, func(kmsg.Request) (kmsg.Response, error, bool) {
		moved.KeepControl()
		resp := kmsg.NewPtrMetadataResponse()
		resp.Version, resp.ClusterID = 13, kmsg.StringPtr("the-cluster")
		b := kmsg.NewMetadataResponseBroker()
		host, port, _ := net.SplitHostPort(gone)
		b.NodeID, b.Host = 7, host
		for _, c := range port {
			b.Port = b.Port*10 + (c - '0')
		}
		resp.Brokers = append(resp.Brokers, b)
		return resp, nil, true
	})
	takesTokens, tokens := embedded(t, kfake.EnableSASL())
	takesTokens.ControlKey(17, func(kmsg.Request) (kmsg.Response, error, bool) {
		takesTokens.KeepControl()
		resp := kmsg.NewPtrSASLHandshakeResponse()
		resp.Version, resp.SupportedMechanisms = 1, []string{"OAUTHBEARER"}
		return resp, nil, true
	})
	noLogins, refusesLogins := embedded(t) // as Apache's brokers do it on a port without logins
	noLogins.ControlKey(17, func(kmsg.Request) (kmsg.Response, error, bool) {
		noLogins.KeepControl()
		resp := kmsg.NewPtrSASLHandshakeResponse()
		resp.Version, resp.ErrorCode = 1, kerr.IllegalSaslState.Code
		return resp, nil, true
	})
	answers, says58 := embedded(t, kfake.EnableSASL()) // and to a wrong password
	answers.ControlKey(36, func(kmsg.Request) (kmsg.Response, error, bool) {
		answers.KeepControl()
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.Version, resp.ErrorCode, resp.ErrorMessage = 2, kerr.SaslAuthenticationFailed.Code, kmsg.StringPtr("Authentication failed: invalid credentials")
		return resp, nil, true
	})
	quiet, shut := silent(t), closing(t)

	const cluster = "cluster the-cluster with 1 broker\nbroker 0 at ADDR in rack krack: Kafka VERSION\n"
	user := func(name, password string) []string {
		return []string{"security.protocol=sasl_plaintext", "sasl.mechanism=PLAIN", "sasl.username=" + name, "sasl.password=" + password}
	}
	ssl := []string{"security.protocol=ssl", trust}
	for _, test := range []struct {
		sentence string
		address  string
		settings []string
		flags    []string
		want     string // ADDR is the address
	}{
		{"a cluster", plain, nil, nil, cluster},
		{"a topic that exists, and one that does not", plain, nil, []string{"--topic", "mail", "--topic", "nosuch"}, cluster +
			"topic mail: 3 partitions\ntopic nosuch: it does not exist; the first message asks the cluster to create it\n"},
		{"a topic that does not exist and would not be created", plain, []string{"allow.auto.create.topics=false"}, []string{"--topic", "nosuch"}, cluster +
			"topic nosuch: it does not exist\n"},
		{"a topic that topic.blacklist hides", plain, []string{"topic.blacklist=^ma"}, []string{"--topic", "mail"}, cluster +
			"topic mail: topic.blacklist hides it: messages fail as for an unknown topic\n"},
		{
			"one of two bootstrap servers is down", plain + "," + gone, nil, nil,
			"warning: " + gone + ": the connection is refused: nothing listens there, or a firewall rejects it; another of the bootstrap.servers answered\n" + strings.ReplaceAll(cluster, "ADDR", plain),
		},
		{"a name that is not resolved", "no..such:9092", nil, nil, "ADDR: the name no..such is not known to DNS\n"},
		{"nothing listens", gone, nil, nil, "ADDR: the connection is refused: nothing listens there, or a firewall rejects it\n"},
		{"no broker is configured", "", nil, nil, "bootstrap.servers names no broker: there is no cluster to reach\n"},
		{"something that never answers", quiet, nil, nil, "ADDR: it takes the connection and did not answer within 300ms: is it a Kafka broker?\n"},
		{"something that never shakes hands", quiet, ssl, nil, "ADDR: there is no connection after 300ms: the host is down, or a firewall drops what is sent to it\n"},
		{"something that closes at once", shut, nil, nil, "ADDR: it closes the connection without an answer: is it a Kafka broker?\n"},
		{"a broker that the cluster names and nobody reaches", advertises, nil, nil, "cluster the-cluster with 1 broker\nbroker 7 at " + gone +
			": the connection is refused: nothing listens there, or a firewall rejects it; the cluster names this address in its advertised.listeners\n"},

		{"a login", login, user("admin", "right"), nil, cluster},
		{"a wrong password", login, user("admin", "wrong"), nil, "ADDR: the login of the user admin with PLAIN is refused: wrong sasl.username or sasl.password\n"},
		{"a wrong password, and the broker says so", says58, user("admin", "wrong"), nil, "ADDR: the login of the user admin with PLAIN is refused: wrong sasl.username or sasl.password (the broker says: Authentication failed: invalid credentials)\n"},
		{
			"a wrong password with SCRAM", both,
			[]string{"security.protocol=sasl_ssl", trust, "sasl.mechanism=SCRAM-SHA-256", "sasl.username=admin", "sasl.password=wrong"},
			nil,
			"ADDR: the login of the user admin with SCRAM-SHA-256 is refused: wrong sasl.username or sasl.password\n",
		},
		{"a login is expected", login, nil, nil, "ADDR: it expects a login with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, and security.protocol is plaintext: set it to sasl_plaintext, or correct the port\n"},
		{"no login is expected", refusesLogins, user("admin", "right"), nil, "ADDR: the broker does not use SASL, and security.protocol is sasl_plaintext: set it to plaintext, or correct the port\n"},
		{
			"another mechanism is expected", login,
			[]string{"security.protocol=sasl_plaintext", "sasl.mechanism=OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt=true"},
			nil,
			"ADDR: it does not offer OAUTHBEARER, but PLAIN, SCRAM-SHA-256, SCRAM-SHA-512: set sasl.mechanism\n",
		},
		{"a topic that may be written", login, user("writer", "right"), []string{"--topic", "mail"}, cluster + "topic mail: 3 partitions\n"},
		{"a topic that may only be read", login, user("reader", "right"), []string{"--topic", "mail"}, cluster +
			"topic mail: it is not authorised: the user reader may see it, and not write to it\n"},
		{"a topic that may not be seen", login, user("reader", "right"), []string{"--topic", "secret"}, cluster +
			"topic secret: it is not authorised: the user reader may not see it\n"},

		{"TLS", secure, ssl, nil, cluster},
		{"TLS is expected", secure, nil, nil, "ADDR: it expects TLS, and security.protocol is plaintext: set it to ssl, or correct the port\n"},
		{"TLS and a login are expected", both, nil, nil, "ADDR: it expects TLS, and security.protocol is plaintext: set it to sasl_ssl, or correct the port\n"},
		{"a login behind TLS is expected", both, ssl, nil, "ADDR: it expects a login with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, and security.protocol is ssl: set it to sasl_ssl, or correct the port\n"},
		{"TLS and a login", both, []string{"security.protocol=sasl_ssl", trust, "sasl.mechanism=SCRAM-SHA-256", "sasl.username=admin", "sasl.password=right"}, nil, cluster},
		{"no TLS is expected", withoutTLS(t, plain), ssl, nil, "ADDR: the port is not a TLS listener, and security.protocol is ssl: set it to plaintext, or correct the port\n"},
		{
			"an unknown authority", secure,
			[]string{"security.protocol=ssl", "ssl.ca.location=" + write(t, "x.pem", authority.Chain(stranger.Cert))},
			nil,
			"ADDR: its certificate is signed by an unknown authority (CN=our ca): ssl.ca.location must name the certificate of that authority\n",
		},
		{
			"a certificate for another name", misnamed, ssl, nil,
			"ADDR: its certificate is for kafka.example, 10.0.0.1, and not for 127.0.0.1: bootstrap.servers must use a name of the certificate\n",
		},
		{"a certificate for another name, which is not looked at", misnamed, append(ssl[:2:2], "ssl.endpoint.identification.algorithm=none"), nil, cluster},
		{"a certificate that has expired", expired, ssl, nil, "ADDR: its certificate has expired on " + past.UTC().Format(time.RFC3339) + "\n"},
		{
			"a client certificate is expected", mutual, ssl, nil,
			"ADDR: it wants a certificate from this client: set ssl.certificate.location and ssl.key.location, or ssl.keystore.location\n",
		},
		{"a client certificate", mutual, append(ssl[:2:2], keyPair(t, ca.Issue("client"))...), nil, cluster},
		{
			"a client certificate of somebody else", mutual, append(ssl[:2:2], keyPair(t, stranger.Issue("client"))...), nil,
			"ADDR: it refuses the certificate of this client, or trusts no authority that signed it: tls: certificate required\n",
		},
		{"a token server that is down", tokens, []string{
			"security.protocol=sasl_plaintext", "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.method=oidc",
			"sasl.oauthbearer.client.id=me", "sasl.oauthbearer.client.secret=hunter2", "sasl.oauthbearer.token.endpoint.url=http://" + gone + "/token",
		}, nil, "ADDR: the login with OAUTHBEARER fails on this side: sasl.oauthbearer.token.endpoint.url: dial tcp " + gone + ": connect: connection refused\n"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			t.Parallel()
			args := []string{"check", "--connect", "--set", "bootstrap.servers=" + test.address}
			for _, s := range test.settings {
				args = append(args, "--set", s)
			}
			if test.address == quiet {
				args = append(args, "--timeout", "0.3")
			}
			out, errs, status := run(t, "", append(args, test.flags...)...)
			want := strings.ReplaceAll(test.want, "ADDR", test.address)
			got := regexp.MustCompile(`Kafka (v|between v)[^\n]+`).ReplaceAllString(foundIn(out), "Kafka VERSION")
			if got != want || errs != "" {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, want, errs)
			}
			fine := strings.Contains(want, "cluster the-cluster") && !regexp.MustCompile(`(?m)^(broker|topic) .*(nosuch|hides|refused|authorised)`).MatchString(want)
			if (status == exitFine) != fine {
				t.Errorf("status %d", status)
			}
			if strings.Contains(out, "hunter2") || strings.Contains(out, "right") {
				t.Errorf("a secret was printed:\n%s", out)
			}
		})
	}
}

// foundIn cuts the verdict, the values and the warnings about the configuration off.
func foundIn(out string) string {
	var kept []string
	for line := range strings.SplitSeq(out, "\n") {
		if line == "OK" || regexp.MustCompile(`^[a-z._]+=`).MatchString(line) || regexp.MustCompile(`^warning: [^0-9]`).MatchString(line) {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

// TestConnectFile is for two queues in one file, of which one reaches nothing.
func TestConnectFile(t *testing.T) {
	_, up := embedded(t)
	down := closed(t)
	config := "plugins:\n- id: kafka\n  config:\n    queues:\n" +
		"    - id: a\n      config: {bootstrap.servers: '" + up + "'}\n" +
		"    - id: b\n      config: {bootstrap.servers: '" + down + "'}\n" +
		"    - id: c\n      config: {acks: many}\n"
	out, _, status := run(t, config, "check", "-c", "-", "--connect", "--topic", "mail")
	want := `standard input:10:16: plugins[0].config.queues[2].config.acks: c: Invalid value for configuration property "request.required.acks" (want integer from -1 to 1000, or ` + "`all`" + ` for -1)
standard input:10:7: plugins[0].config.queues[2].config: warning: c: No ` + "`bootstrap.servers`" + ` configured: client will not be able to connect to Kafka cluster
a: cluster the-cluster with 1 broker
a: broker 0 at ` + up + ` in rack krack: Kafka VERSION
a: topic mail: 3 partitions
b: ` + down + `: the connection is refused: nothing listens there, or a firewall rejects it
standard input: 3 queues, 2 problems, 1 warning, no notes
`
	if got := regexp.MustCompile(`Kafka (v|between v)[^\n]+\n`).ReplaceAllString(out, "Kafka VERSION\n"); got != want || status != exitWrong {
		t.Errorf("status %d, got\n%s\nwant\n%s", status, got, want)
	}

	out, _, status = run(t, config, "check", "-c", "-", "--connect", "--topic", "mail", "--json")
	var found struct {
		Queues []struct {
			ID      string
			Cluster *struct {
				ID       string
				Brokers  []struct{ Address, Version string }
				Topics   []struct{ Partitions int }
				Problems []string
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || status != exitWrong || len(found.Queues) != 3 {
		t.Fatalf("%v, status %d: %s", err, status, out)
	}
	a, b, c := found.Queues[0].Cluster, found.Queues[1].Cluster, found.Queues[2].Cluster
	if a.ID != "the-cluster" || len(a.Brokers) != 1 || a.Brokers[0].Address != up || a.Topics[0].Partitions != 3 || len(b.Problems) != 1 || c != nil {
		t.Errorf("found %s", out)
	}
}

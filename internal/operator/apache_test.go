package operator

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/authority"
	"github.com/halon-extras/kafka/internal/realkafka"
)

// TestConnectApache holds the sentences against Apache Kafka's own listeners: what it answers, and when it just
// ends the connection, differs from the embedded broker. Without KAFKA_E2E=1 it is skipped.
func TestConnectApache(t *testing.T) {
	if os.Getenv("KAFKA_E2E") != "1" {
		t.Skip("starts Apache Kafka: set KAFKA_E2E=1")
	}
	ca, stranger := authority.New(t, "our ca"), authority.New(t, "another ca")
	server := ca.Issue("broker", "127.0.0.1")
	store := write(t, "store.pem", slices.Concat(authority.Key(t, server), authority.Chain(server.Leaf)))
	caFile := write(t, "ca.pem", authority.Chain(ca.Cert))

	properties := map[string]string{
		"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":           "User:ANONYMOUS;User:admin;User:CN=client",
	}
	for _, listener := range []string{"ssl", "mutual", "both"} {
		prefix := "listener.name." + listener + "."
		properties[prefix+"ssl.keystore.type"] = "PEM"
		properties[prefix+"ssl.keystore.location"] = store
		properties[prefix+"ssl.truststore.type"] = "PEM"
		properties[prefix+"ssl.truststore.location"] = caFile
	}
	properties["listener.name.mutual.ssl.client.auth"] = "required"
	for _, listener := range []string{"login", "both"} {
		prefix := "listener.name." + listener + "."
		properties[prefix+"sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256"
		properties[prefix+"plain.sasl.jaas.config"] = `org.apache.kafka.common.security.plain.PlainLoginModule required user_admin="right" user_reader="right";`
		properties[prefix+"scram-sha-256.sasl.jaas.config"] = `org.apache.kafka.common.security.scram.ScramLoginModule required;`
	}
	kafka, err := realkafka.Start(t.Context(), realkafka.Options{
		Listeners: []realkafka.Listener{
			{Name: "LOGIN", Protocol: "SASL_PLAINTEXT"},
			{Name: "SSL", Protocol: "SSL"},
			{Name: "MUTUAL", Protocol: "SSL"},
			{Name: "BOTH", Protocol: "SASL_SSL"},
		},
		Properties: properties,
		Format:     []string{"--add-scram", "SCRAM-SHA-256=[name=admin,password=right]"},
	})
	realkafka.Require(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the broker's log:\n%s", kafka.Log())
		}
		kafka.Close()
	})
	prepareApache(t, kafka.Addr())

	const cluster = "cluster ID with 1 broker\nbroker 1 at ADDR: Kafka VERSION\n"
	trust := "ssl.ca.location=" + caFile
	login := func(mechanism, name, password string) []string {
		return []string{"security.protocol=sasl_plaintext", "sasl.mechanism=" + mechanism, "sasl.username=" + name, "sasl.password=" + password}
	}
	ssl := []string{"security.protocol=ssl", trust}
	for _, test := range []struct {
		sentence string
		listener string
		settings []string
		flags    []string
		want     string
	}{
		{"a cluster", "PLAINTEXT", nil, []string{"--topic", "mail", "--topic", "nosuch", "--topic", "no/such"}, cluster +
			"topic mail: 3 partitions\ntopic nosuch: it does not exist; the first message asks the cluster to create it\ntopic no/such: its name is not valid in Kafka\n"},
		{"TLS on a port without", "PLAINTEXT", ssl, nil, "ADDR: the port is not a TLS listener, and security.protocol is ssl: set it to plaintext, or correct the port\n"},
		{"a login on a port without", "PLAINTEXT", login("PLAIN", "admin", "right"), nil, "ADDR: the broker does not use SASL, and security.protocol is sasl_plaintext: set it to plaintext, or correct the port\n"},

		{"PLAIN", "LOGIN", login("PLAIN", "admin", "right"), []string{"--topic", "mail"}, cluster + "topic mail: 3 partitions\n"},
		{"PLAIN with a wrong password", "LOGIN", login("PLAIN", "admin", "wrong"), nil, "ADDR: the login of the user admin with PLAIN is refused: wrong sasl.username or sasl.password (the broker says: Authentication failed: Invalid username or password)\n"},
		{"SCRAM", "LOGIN", login("SCRAM-SHA-256", "admin", "right"), nil, cluster},
		{"SCRAM with a wrong password", "LOGIN", login("SCRAM-SHA-256", "admin", "wrong"), nil, "ADDR: the login of the user admin with SCRAM-SHA-256 is refused: wrong sasl.username or sasl.password (the broker says: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256)\n"},
		{"SCRAM with an unknown user", "LOGIN", login("SCRAM-SHA-256", "nobody", "right"), nil, "ADDR: the login of the user nobody with SCRAM-SHA-256 is refused: wrong sasl.username or sasl.password (the broker says: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256)\n"},
		{"a mechanism that is not offered", "LOGIN", login("SCRAM-SHA-512", "admin", "right"), nil, "ADDR: it does not offer SCRAM-SHA-512, but PLAIN, SCRAM-SHA-256: set sasl.mechanism\n"},
		{"no login", "LOGIN", nil, nil, "ADDR: it expects a login with PLAIN, SCRAM-SHA-256, and security.protocol is plaintext: set it to sasl_plaintext, or correct the port\n"},
		{"topics that may only be read, and not even that", "LOGIN", login("PLAIN", "reader", "right"), []string{"--topic", "mail", "--topic", "other"}, cluster +
			"topic mail: it is not authorised: the user reader may see it, and not write to it\ntopic other: it is not authorised: the user reader may not see it\n"},

		{"TLS", "SSL", append(ssl[:2:2], keyPair(t, ca.Issue("client"))...), nil, cluster},
		{"no TLS on a port with it", "SSL", nil, nil, "ADDR: it expects TLS, and security.protocol is plaintext: set it to ssl, or correct the port\n"},
		{
			"an unknown authority", "SSL",
			[]string{"security.protocol=ssl", "ssl.ca.location=" + write(t, "x.pem", authority.Chain(stranger.Cert))},
			nil,
			"ADDR: its certificate is signed by an unknown authority (CN=our ca): ssl.ca.location must name the certificate of that authority\n",
		},
		{"a client certificate", "MUTUAL", append(ssl[:2:2], keyPair(t, ca.Issue("client"))...), []string{"--topic", "mail"}, cluster + "topic mail: 3 partitions\n"},
		{"no client certificate", "MUTUAL", ssl, nil, "ADDR: it wants a certificate from this client: set ssl.certificate.location and ssl.key.location, or ssl.keystore.location\n"},
		{"a client certificate of somebody else", "MUTUAL", append(ssl[:2:2], keyPair(t, stranger.Issue("client"))...), nil, "ADDR: it refuses the certificate of this client, or trusts no authority that signed it: tls: bad certificate\n"},

		{"TLS and a login", "BOTH", append(login("PLAIN", "admin", "right"), "security.protocol=sasl_ssl", trust), nil, cluster},
		{"TLS and no login", "BOTH", ssl, nil, "ADDR: it expects a login with PLAIN, SCRAM-SHA-256, and security.protocol is ssl: set it to sasl_ssl, or correct the port\n"},
		{"a login and no TLS", "BOTH", login("PLAIN", "admin", "right"), nil, "ADDR: it expects TLS, and security.protocol is sasl_plaintext: set it to sasl_ssl, or correct the port\n"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			address := kafka.Address(test.listener)
			args := []string{"check", "--connect", "--set", "bootstrap.servers=" + address}
			for _, s := range test.settings {
				args = append(args, "--set", s)
			}
			out, errs, _ := run(t, "", append(args, test.flags...)...)
			got := regexp.MustCompile(`Kafka (v|at least v)[0-9.]+`).ReplaceAllString(foundIn(out), "Kafka VERSION")
			got = regexp.MustCompile(`cluster [\w-]{22} `).ReplaceAllString(got, "cluster ID ")
			// Which of the two alerts Java sends depends on its version.
			got = strings.Replace(got, "tls: certificate required", "tls: bad certificate", 1)
			if want := strings.ReplaceAll(test.want, "ADDR", address); got != want || errs != "" {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, want, errs)
			}
		})
	}
}

// prepareApache creates the topics and lets the user reader read one of them.
func prepareApache(t *testing.T, address string) {
	t.Helper()
	var log bytes.Buffer
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.WithLogger(kgo.BasicLogger(&log, kgo.LogLevelWarn, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopics(t.Context(), 3, 1, nil, "mail", "other"); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	results, err := admin.CreateACLs(t.Context(), kadm.NewACLs().Topics("mail").ResourcePatternType(kadm.ACLPatternLiteral).
		Operations(kadm.OpRead).Allow("User:reader").AllowHosts("*"))
	if err != nil || len(results) != 1 || results[0].Err != nil {
		t.Fatalf("%v, %+v\n%s", err, results, log.String())
	}
}

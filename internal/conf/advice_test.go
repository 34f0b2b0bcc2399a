package conf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is read is what Set does, see TestSet; here is what is said of it.
func TestAdviseOnOneValue(t *testing.T) {
	const behind = ": what stands behind the number is left out"
	for _, test := range []struct{ name, text, want string }{
		{"message.timeout.ms", "5m", `message.timeout.ms: "5m" is read as 5 milliseconds` + behind + `; 300000 is perhaps meant`},
		{"message.timeout.ms", "5 min", `message.timeout.ms: "5 min" is read as 5 milliseconds` + behind + `; 300000 is perhaps meant`},
		{"message.timeout.ms", "1.5s", `message.timeout.ms: "1.5s" is read as 1 milliseconds` + behind + `; 1500 is perhaps meant`},
		{"message.timeout.ms", "5ms", `message.timeout.ms: "5ms" is read as 5 milliseconds` + behind},
		{"message.timeout.ms", "5 lightyears", `message.timeout.ms: "5 lightyears" is read as 5 milliseconds` + behind},
		{"topic.message.timeout.ms", "2h", `topic.message.timeout.ms: "2h" is read as 2 milliseconds` + behind + `; 7200000 is perhaps meant`},
		{"delivery.timeout.ms", "90d", `delivery.timeout.ms: "90d" is read as 90 milliseconds` + behind},
		{"queue.buffering.max.messages", "10k", `queue.buffering.max.messages: "10k" is read as 10` + behind + `; 10000 is perhaps meant`},
		{"queue.buffering.max.messages", "1e6", `queue.buffering.max.messages: "1e6" is read as 1` + behind + `; 1000000 is perhaps meant`},
		{"queue.buffering.max.messages", "100_000", `queue.buffering.max.messages: "100_000" is read as 100` + behind + `; 100000 is perhaps meant`},
		{"queue.buffering.max.messages", "100,000", `queue.buffering.max.messages: "100,000" is read as 100` + behind + `; 100000 is perhaps meant`},
		{"queue.buffering.max.messages", "08", `queue.buffering.max.messages: "08" is read as 0` + behind + `; 8 is perhaps meant`},
		{"queue.buffering.max.messages", "010", `queue.buffering.max.messages: "010" is read as 8: a zero in front makes a number octal`},
		{"queue.buffering.max.messages", "4294967297", `queue.buffering.max.messages: "4294967297" is read as 1: of a larger number only 32 bits are left`},
		{"queue.buffering.max.kbytes", "1GiB", `queue.buffering.max.kbytes: "1GiB" is read as 1 KiB` + behind + `; 1048576 is perhaps meant`},
		{"message.max.bytes", "1MB", `message.max.bytes: "1MB" is read as 1 bytes` + behind + `; 1000000 is perhaps meant`},
		{"batch.size", "64k", `batch.size: "64k" is read as 64 bytes` + behind + `; 65536 is perhaps meant`},
		{"linger.ms", "5ms", `linger.ms: "5ms" is read as 5 milliseconds` + behind},
		{"linger.ms", "0.5s", `linger.ms: "0.5s" is read as 0.5 milliseconds` + behind + `; 500 is perhaps meant`},
		{"linger.ms", "nan", `linger.ms: "nan" is no number: it is read as 0`},
		{"linger.ms", "1e2", ""},
		{"linger.ms", "5.5", ""},
		{"retries", "0x10", ""},
		{"retries", " 10 ", ""},
		{"retries", "0", ""},
		{"acks", "all", ""},
		{"acks", "1", ""},
		{"acks", "2", `acks: brokers refuse every message with 2: only 0, 1 and all are left in Kafka`},
		{"nosuch", "5m", ""},

		{"bootstrap.servers", "a:9092,b:9092, [::1]:9092,ssl://c:1/x,::1,d", ""},
		{"bootstrap.servers", "a:9092;b:9092", `bootstrap.servers: "a:9092;b:9092" is taken as one broker: brokers are separated by commas, a:9092,b:9092 is perhaps meant`},
		{"bootstrap.servers", "a:9092 b:9092", `bootstrap.servers: "a:9092 b:9092" is taken as one broker: brokers are separated by commas, a:9092,b:9092 is perhaps meant`},
		{"metadata.broker.list", "a:99092", `metadata.broker.list: the port of "a:99092" is none: it is read as 33556, and ports go from 1 to 65535`},
		{"bootstrap.servers", "a:0", `bootstrap.servers: the port of "a:0" is none: it is read as 0, and ports go from 1 to 65535`},
		{"bootstrap.servers", "a:kafka", `bootstrap.servers: the port of "a:kafka" is no number: it is read as 0`},
		{"bootstrap.servers", "a:", `bootstrap.servers: the port of "a:" is no number: it is read as 0`},
		{"bootstrap.servers", "a:9092:b:9092", `bootstrap.servers: "a:9092:b:9092" is taken as the name of a host, with the port 9092: it has more than one colon and is no IPv6 address`},

		{"client.id", "${NAME}", `client.id: nothing replaces ${NAME}, it is a part of the value: write !Env "${NAME}" and start smtpd with --config-env-substitution`},
		{"client.id", "$NAME", `client.id: nothing replaces $NAME, it is a part of the value: write !Env "$NAME" and start smtpd with --config-env-substitution`},
		{"client.id", "a{{ name }}", `client.id: nothing replaces {{ name }}, it is a part of the value: write !Env "a{{ name }}" and start smtpd with --config-env-substitution`},
		{"client.id", "five$", ""},
		{"sasl.username", "$ConnectionString", ""},
		{"sasl.password", "$ConnectionString", "sasl.password: nothing replaces the variable in it: keep the value under secrets, as {env: NAME} or {file: PATH}"},
		{"sasl.password", "hunter2${X}", "sasl.password: nothing replaces the variable in it: keep the value under secrets, as {env: NAME} or {file: PATH}"},
	} {
		if got := strings.Join(Advise(test.name, test.text), "\n"); got != test.want {
			t.Errorf("%s=%s: got\n%q\nwant\n%q", test.name, test.text, got, test.want)
		}
	}
}

func TestAdviseOnTheWhole(t *testing.T) {
	dir := t.TempDir()
	open, closed := filepath.Join(dir, "open"), filepath.Join(dir, "closed")
	for file, mode := range map[string]os.FileMode{open: 0o644, closed: 0o640} {
		if err := os.WriteFile(file, []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ settings, want string }{
		{"security.protocol=sasl_ssl sasl.mechanism=PLAIN", ""},
		{"security.protocol=sasl_plaintext sasl.mechanism=PLAIN", "security.protocol: PLAIN without TLS sends the password over the network as it is: set sasl_ssl"},
		{"security.protocol=sasl_plaintext sasl.mechanism=SCRAM-SHA-512", ""},
		{"sasl.mechanism=PLAIN", ""},
		{"security.protocol=ssl enable.ssl.certificate.verification=false", "enable.ssl.certificate.verification: it is false: any certificate is taken, so anybody on the way can read along and pretend to be the broker"},
		{"enable.ssl.certificate.verification=false", ""},
		{"security.protocol=ssl ssl.endpoint.identification.algorithm=none", "ssl.endpoint.identification.algorithm: it is none: a certificate for any other host is taken too"},
		{"security.protocol=sasl_ssl sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.method: OAUTHBEARER has no way to a token: set it to oidc, with sasl.oauthbearer.token.endpoint.url"},
		{"security.protocol=sasl_ssl sasl.mechanism=OAUTHBEARER enable.sasl.oauthbearer.unsecure.jwt=true", "enable.sasl.oauthbearer.unsecure.jwt: the token is not signed: only brokers for tests take it"},
		{"security.protocol=sasl_ssl sasl.mechanism=OAUTHBEARER sasl.oauthbearer.method=oidc sasl.oauthbearer.token.endpoint.url=https://a/", ""},
		{"security.protocol=sasl_ssl sasl.mechanism=OAUTHBEARER sasl.oauthbearer.method=oidc sasl.oauthbearer.token.endpoint.url=HTTP://a/", "sasl.oauthbearer.token.endpoint.url: its address is http: the client secret and the token go over the network as they are, use https"},
		{"ssl.key.location=" + closed, ""},
		{"ssl.key.location=" + open, "ssl.key.location: every user of this system can read the file " + open + ": chmod o-r takes that away"},
		{"sasl.kerberos.keytab=/nosuch", ""},
	} {
		c := New()
		for _, setting := range strings.Fields(test.settings) {
			name, text, _ := strings.Cut(setting, "=")
			if err := c.Set(name, text); err != nil {
				t.Fatal(err)
			}
		}
		var all []string
		for _, a := range c.Advice() {
			all = append(all, a.Text)
			if !strings.HasPrefix(a.Text, a.Property+": ") {
				t.Errorf("%q is not about %s", a.Text, a.Property)
			}
		}
		if got := strings.Join(all, "\n"); got != test.want {
			t.Errorf("%s: got\n%q\nwant\n%q", test.settings, got, test.want)
		}
	}
}

// Names of the Java client are kept here only where librdkafka has none of that name, and what they mean must exist.
func TestJavaNames(t *testing.T) {
	for name, here := range javaNames {
		if _, known := Lookup(name); known {
			t.Errorf("%s is a property", name)
		}
		if strings.Contains(here, ".") && !strings.Contains(here, " ") {
			if _, known := Lookup(here); !known {
				t.Errorf("%s: there is no %s", name, here)
			}
		}
	}
}

func TestMechanismsSayWhatTheyNeed(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	for _, test := range []struct{ mechanism, keytab, want string }{
		{"", "", "GSSAPI needs a keytab, set sasl.kerberos.keytab and sasl.kerberos.principal; it is the default of sasl.mechanism, set that if another one is meant"},
		{"GSSAPI", "", "GSSAPI needs a keytab, set sasl.kerberos.keytab and sasl.kerberos.principal"},
		{"GSSAPI", "/nosuch", "GSSAPI needs its keytab: sasl.kerberos.keytab: "},
		{"AWS_MSK_IAM", "", "AWS_MSK_IAM needs an access key: set sasl.username and sasl.password, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"},
		{"NOSUCH", "", ""},
	} {
		c := New()
		_ = c.Set("security.protocol", "sasl_ssl")
		if test.mechanism != "" {
			_ = c.Set("sasl.mechanism", test.mechanism)
		}
		_ = c.Set("sasl.kerberos.keytab", test.keytab)
		_, _, err := c.Finalize(1)
		var refused *NewError
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.Reason, test.want) || test.want == "" && refused.Reason != "" {
			t.Errorf("%q: %+v", test.mechanism, err)
		}
	}
}

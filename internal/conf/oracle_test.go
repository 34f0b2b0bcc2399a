//go:build librdkafka

package conf

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The tests in this file hold the package against librdkafka itself, on random settings and
// configurations. They run with `go test -tags librdkafka` where a C compiler is, and fetch the
// library as a part of its own Go module.

const oracleModule = "github.com/confluentinc/confluent-kafka-go/v2@v2.15.0"

// oracle is a process that asks librdkafka.
type oracle struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	download := exec.Command("go", "mod", "download", "-json", oracleModule)
	download.Dir = t.TempDir()
	data, err := download.Output()
	if err != nil {
		t.Fatalf("go mod download %s: %v", oracleModule, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(data, &module); err != nil {
		t.Fatal(err)
	}
	vendor := filepath.Join(module.Dir, "kafka", "librdkafka_vendor")
	binary := filepath.Join(t.TempDir(), "oracle")
	build := exec.Command("cc", "-O1", "-Wno-deprecated-declarations", "-o", binary, "testdata/oracle/oracle.c", "-I"+vendor,
		filepath.Join(vendor, "librdkafka_glibc_linux_"+runtime.GOARCH+".a"), "-lm", "-lpthread", "-ldl", "-lrt")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	run := exec.Command(binary)
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := run.Wait(); err != nil {
			t.Errorf("oracle: %v", err)
		}
	})
	return &oracle{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
}

func (o *oracle) ask(fields ...string) []string {
	o.t.Helper()
	if _, err := fmt.Fprintln(o.in, strings.Join(fields, "\t")); err != nil {
		o.t.Fatal(err)
	}
	line, err := o.out.ReadString('\n')
	if err != nil {
		o.t.Fatalf("the oracle ended at %q: %v", fields, err)
	}
	return strings.Split(strings.TrimSuffix(line, "\n"), "\t")
}

func (o *oracle) decode(s string) string {
	o.t.Helper()
	data, err := hex.DecodeString(s)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(data)
}

func encode(s string) string { return hex.EncodeToString([]byte(s)) }

// oddTexts are values that have something to say to many kinds.
var oddTexts = []string{
	"", " ", "0", "1", "-1", "+5", "10k", "0x1F", "0X", "010", "08", "1e3", ".5", "5.", "1e400", "nan", "-nan", "inf",
	"2147483647", "2147483648", "-2147483649", "4294967297", "9223372036854775808", "-9223372036854775809", "1_000",
	"true", "TRUE", " t", "f", "yes", "all", "ALL", " all", "none", "gzip ", "\tgzip", "\v5", "\f5", "\xa05", "é", "a,b", "a b",
	"+broker,-topic", ",,", "-", "0b1", "0x", "0x.8p1", "0x1p", "1e+", "infinity", "nan(1)", "--1", "+-1", "- 1", "topic.",
}

// randomText returns a value for p: from its words, around its range, from the odd ones, or noise.
func randomText(p Property) string {
	switch rand.IntN(5) {
	case 0:
		if len(p.Words) > 0 {
			word := p.Words[rand.IntN(len(p.Words))].Name
			return []string{word, strings.ToUpper(word), " " + word, word + " ", word + "," + word, "-" + word, "+" + word}[rand.IntN(7)]
		}
		fallthrough
	case 1:
		base := []int64{int64(p.Min), int64(p.Max), 0}[rand.IntN(3)] + rand.Int64N(5) - 2
		return fmt.Sprintf([]string{"%d", "%d ", " %d", "%#x", "%#o", "%dms", "%d.5"}[rand.IntN(7)], base)
	case 2:
		noise := make([]byte, rand.IntN(8))
		for i := range noise {
			noise[i] = "0123456789 xXeE.+-,_abfinty\t\n"[rand.IntN(29)]
		}
		return string(noise)
	}
	return oddTexts[rand.IntN(len(oddTexts))]
}

func TestSetAgainstLibrary(t *testing.T) {
	o := newOracle(t)
	settable := func(p Property) bool {
		return p.Name != "ut_handle_ProduceResponse" && p.Name != "plugin.library.paths"
	}
	for range 60000 {
		p := properties[rand.IntN(len(properties))]
		if !settable(p) {
			continue
		}
		name := p.Name
		if rand.IntN(3) == 0 {
			name = topicPrefix + name
		}
		o.compareSet(name, randomText(p))
	}
}

func TestPatternsAgainstLibrary(t *testing.T) {
	o := newOracle(t)
	for range 60000 {
		var b strings.Builder
		for range rand.IntN(9) {
			// What docs/compatibility.md lists is left out.
			pieces := []string{"a", "b|", "(a)", "(", "[a-z]", "[^a]", "[", "[[:alpha:]]", "[[:foo:]]", "a*", "b+", "a?", "a{2}", ",", "$", "a{32768}"}
			b.WriteString(pieces[rand.IntN(len(pieces))])
		}
		o.compareSet("topic.blacklist", b.String())
	}
}

func (o *oracle) compareSet(name, text string) {
	o.t.Helper()
	answer := o.ask("set", encode(name), encode(text))
	c := New()
	verdict, words := "OK", ""
	var refused *SetError
	if err := c.Set(name, text); errors.As(err, &refused) {
		verdict, words = string(refused.Verdict), refused.Text
	}
	value := "-"
	if got, ok := c.Get(name); ok {
		value = "=" + encode(got)
	}
	// The defaults of callbacks are addresses.
	if p, ok := Lookup(name); ok && p.Kind == Pointer {
		value = answer[2]
	}
	if verdict != answer[0] || words != o.decode(answer[1]) || value != answer[2] {
		o.t.Errorf("Set(%q, %q): %s %q %s, librdkafka %s %q %s", name, text, verdict, words, value, answer[0], o.decode(answer[1]), answer[2])
	}
}

// newTexts are the values that random configurations are made of.
var newTexts = map[string][]string{
	"bootstrap.servers": {
		"127.0.0.1:1", "", " ", "plaintext://127.0.0.1:1", "SSL://127.0.0.1:1", "http://x", "://x", "127.0.0.1:1,foo://127.0.0.1:2,127.0.0.1:3",
		"[::1]:1,[::1]:1", "127.0.0.1:1/x", "azure.invalid:1",
	},
	"client.id":                                     {"c", strings.Repeat("long", 50)},
	"client.software.name":                          {"my client!", "-a-"},
	"client.software.version":                       {"1.0", "-1_0-"},
	"enable.idempotence":                            {"true", "false"},
	"transactional.id":                              {"t", ""},
	"transaction.timeout.ms":                        {"1000", "60000"},
	"socket.timeout.ms":                             {"1000", "1101", "60000"},
	"message.timeout.ms":                            {"0", "1", "1000", "60001"},
	"linger.ms":                                     {"0", "5", "1000", "400000", "nan", "0.3"},
	"acks":                                          {"all", "1", "0", "2"},
	"retries":                                       {"0", "1"},
	"max.in.flight":                                 {"1", "5", "6"},
	"queuing.strategy":                              {"fifo", "lifo"},
	"enable.gapless.guarantee":                      {"true", "false"},
	"reconnect.backoff.ms":                          {"1", "20000"},
	"retry.backoff.ms":                              {"10", "2000"},
	"debug":                                         {"feature,-feature", "interceptor"},
	"log_level":                                     {"3", "4", "6"},
	"security.protocol":                             {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"},
	"sasl.mechanism":                                {"PLAIN", "plain", "SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-3", "OAUTHBEARER", "oauthbearer", "GSSAPI", "SCRAM"},
	"sasl.username":                                 {"u", "", " "},
	"sasl.password":                                 {"p", ""},
	"ssl.keystore.location":                         {"/nonexistent"},
	"ssl.keystore.password":                         {"x"},
	"https.ca.location":                             {"probe", "/nonexistent", "/"},
	"https.ca.pem":                                  {"x"},
	"sasl.oauthbearer.method":                       {"oidc", "default"},
	"sasl.oauthbearer.config":                       {"query=a", "a=b,query=c", "x"},
	"sasl.oauthbearer.client.id":                    {"i"},
	"sasl.oauthbearer.grant.type":                   {"client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
	"sasl.oauthbearer.client.secret":                {"s"},
	"sasl.oauthbearer.token.endpoint.url":           {"http://127.0.0.1:1/"},
	"sasl.oauthbearer.sub.claim.name":               {" ", "sub", ""},
	"sasl.oauthbearer.assertion.file":               {"/x"},
	"sasl.oauthbearer.assertion.private.key.file":   {"/y"},
	"sasl.oauthbearer.assertion.private.key.pem":    {"z"},
	"sasl.oauthbearer.assertion.claim.exp.seconds":  {"300"},
	"sasl.oauthbearer.metadata.authentication.type": {"none", "azure_imds", "aws_iam"},
	"enable.sasl.oauthbearer.unsecure.jwt":          {"true"},
	"group.protocol.type":                           {"consumer", "", "Consumer", "consume", "consumerx", " consumer", "consumer ", "x"},
	"partition.assignment.strategy": {
		"range", "cooperative-sticky", "range,roundrobin", "range, cooperative-sticky", "bogus ", "range, ", ",range", "range ,bogus", "", " ", ",,",
	},
	"topic.metadata.refresh.interval.ms":      {"-1", "0", "1000"},
	"topic.metadata.refresh.fast.interval.ms": {"10", "2000"},
	"topic.compression.codec":                 {"gzip", "inherit"},
	"group.id":                                {"g"},
	"broker.version.fallback":                 {"0.9.0.1", "0.10"},
	"api.version.request":                     {"false"},
	"ssl.curves.list":                         {"P-256", "FOO"},
	"ssl.cipher.suites":                       {"HIGH", "FOO"},
	"sticky.partitioning.linger.ms":           {"0"},
	"queue.buffering.backpressure.threshold":  {"1", "2"},
}

func TestNewAgainstLibrary(t *testing.T) {
	o := newOracle(t)
	var names []string
	for name := range newTexts {
		names = append(names, name)
	}
	// What librdkafka's own parts put there, or hide, is not ours to compare.
	var shown []string
	for _, p := range properties {
		if p.Scope == GlobalScope && p.Kind != Pointer && p.Kind != Internal && p.Kind != Java && p.Kind != Alias && p.Name != "opaque" {
			shown = append(shown, p.Name)
		}
	}
	for range 4000 {
		var config []string
		for range 1 + rand.IntN(9) {
			name := names[rand.IntN(len(names))]
			config = append(config, name, newTexts[name][rand.IntN(len(newTexts[name]))])
		}
		o.compareNew(config, shown)
	}
}

// cutStale is cutSSL for a process that has seen errors: OpenSSL gives an old one where it has none.
func cutStale(words string) string { return cutSSL(strings.ReplaceAll(words, noReason, "error:")) }

func (o *oracle) compareNew(config, shown []string) {
	o.t.Helper()
	fields := []string{"new", fmt.Sprint(len(shown))}
	for _, s := range append(append([]string(nil), shown...), config...) {
		fields = append(fields, encode(s))
	}
	answer := o.ask(fields...)
	c := New()
	for i := 0; i < len(config); i += 2 {
		if err := c.Set(config[i], config[i+1]); err != nil {
			if o.decode(answer[1]) != err.Error() {
				o.t.Errorf("%q: %v, librdkafka %s %q", config, err, answer[0], o.decode(answer[1]))
			}
			return
		}
	}
	s, warnings, err := c.Finalize(1)
	if err != nil {
		if answer[0] != "NEW_FAIL" || cutStale(err.Error()) != cutStale(o.decode(answer[1])) {
			o.t.Errorf("%q: NEW_FAIL %v, librdkafka %s %q", config, err, answer[0], o.decode(answer[1]))
		}
		return
	}
	if answer[0] != "OK" {
		o.t.Errorf("%q: OK, librdkafka %s %q", config, answer[0], o.decode(answer[1]))
		return
	}
	cut := func(name string) string { return name[:min(len(name), 120)] }
	if want := o.decode(answer[1]); strings.TrimRight(cut(s.Name), "0123456789") != strings.TrimRight(cut(want), "0123456789") {
		o.t.Errorf("%q: name %q, librdkafka %q", config, s.Name, want)
	}
	var logs []string
	for _, w := range warnings {
		if w.Facility != noEffect {
			logs = append(logs, fmt.Sprintf("%d|%s|%s", w.Level, w.Facility, w.Text))
		}
	}
	want := expectedLogs(strings.ReplaceAll(o.decode(answer[2]), "\n", " || "))
	if fmt.Sprint(logs) != fmt.Sprint(want) {
		o.t.Errorf("%q: warnings %q, librdkafka %q", config, logs, want)
	}
	for i, value := range strings.Split(answer[3], ",") {
		got := "-"
		if text, ok := s.Get(shown[i]); ok {
			got = "=" + encode(text)
		}
		if got != value {
			o.t.Errorf("%q: %s is %s, librdkafka %s", config, shown[i], got, value)
		}
	}
}

func TestCipherSuitesAgainstLibrary(t *testing.T) {
	o := newOracle(t)
	families := strings.Fields(suiteNames)
	for range 3 {
		families = append(families, strings.Fields(
			"ALL COMPLEMENTOFALL DEFAULT kRSA kDHE DH kECDHE ECDH kPSK kRSAPSK kECDHEPSK kDHEPSK kSRP aRSA aDSS DSS aNULL aECDSA "+
				"aPSK aSRP DHE ECDHE eNULL RSA ADH AECDH PSK SRP AES128 AES256 AES AESGCM AESCCM AESCCM8 CAMELLIA CAMELLIA128 CHACHA20 ARIA ARIA256 "+
				"CBC MD5 SHA1 SHA SHA256 SHA384 SSLv3 TLSv1 TLSv1.0 TLSv1.2 LOW MEDIUM HIGH FIPS RC4 foo aes")...)
	}
	for range 6000 {
		var b strings.Builder
		for range 1 + rand.IntN(4) {
			b.WriteString(families[rand.IntN(len(families))])
			b.WriteString([]string{":", ",", " ", "+", ":+", ":!", ":-"}[rand.IntN(7)])
		}
		b.WriteString(families[rand.IntN(len(families))])
		o.compareNew([]string{"bootstrap.servers", "127.0.0.1:1", "security.protocol", "ssl", "ssl.cipher.suites", b.String()}, []string{"client.id"})
	}
}

func TestFilesAgainstLibrary(t *testing.T) {
	o := newOracle(t)
	certs := authority.New(t, "ca").Folder()
	texts := map[string][]string{
		"ssl.ca.location":          {"", "ca.pem", "garbage.pem", "cadir", "emptydir", "missing", "client.key", "crl.pem"},
		"ssl.ca.pem":               {"@ca.pem", "@garbage.pem", "@client.key", "@chain.pem"},
		"ssl.crl.location":         {"crl.pem", "crlv1.pem", "garbage.pem", "missing", "emptydir", "ca.pem"},
		"ssl.certificate.location": {"client.pem", "chain.pem", "garbage.pem", "missing", "client.key", "emptydir"},
		"ssl.certificate.pem":      {"@client.pem", "@chain.pem", "@garbage.pem", "@ca.pem"},
		"ssl.key.location":         {"client.key", "other.key", "client.enc.key", "garbage.pem", "missing", "client.pem"},
		"ssl.key.pem":              {"@client.key", "@other.key", "@client.enc.key", "@garbage.pem"},
		"ssl.key.password":         {"=secret", "=wrong", "="},
		"ssl.keystore.location":    {"client.p12", "client.legacy.p12", "garbage.pem", "missing", "emptydir"},
		"ssl.keystore.password":    {"=secret", "=secret", "=wrong"},
		"ssl.providers":            {"=default", "=base, default", "=legacy", "=,", "=foo"},
		"ssl.curves.list":          {"=P-256", "=?foo", "=x25519:P-384", "=P-256:", "=a/b", "=-P-256", "=DEFAULT", "=P-256/X25519"},
		"ssl.sigalgs.list":         {"=RSA+SHA256", "=garbage", "=?garbage", "=ed25519:PSS+SHA256", "=SHA256+RSA", "= SHA1+ECDSA : RSA+SHA1 ", "=SHA1+PSS", "=RSA +SHA256"},
	}
	var names []string
	for name := range texts {
		names = append(names, name)
	}
	for range 3000 {
		config := []string{"bootstrap.servers", "127.0.0.1:1", "security.protocol", "ssl"}
		for range 1 + rand.IntN(4) {
			name := names[rand.IntN(len(names))]
			text := texts[name][rand.IntN(len(texts[name]))]
			switch {
			case strings.HasPrefix(text, "="):
				text = text[1:]
			case strings.HasPrefix(text, "@"):
				data, err := os.ReadFile(filepath.Join(certs, text[1:]))
				if err != nil {
					t.Fatal(err)
				}
				text = string(data)
			case text != "":
				text = filepath.Join(certs, text)
			}
			config = append(config, name, text)
		}
		o.compareNew(config, []string{"client.id"})
	}
}

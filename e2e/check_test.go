package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/authority"
)

// TestCheckMeansStart holds halon-kafka check against the plugin itself, in the host: of generated configurations, with
// every kind of fault, it passes exactly those that start.
func TestCheckMeansStart(t *testing.T) {
	if under.broker == apache {
		t.Skip("no broker is needed")
	}
	count := 200
	if n, err := strconv.Atoi(os.Getenv("CHECK_CONFIGURATIONS")); err == nil {
		count = n
	}
	seed := uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("CHECK_SEED"), 10, 64); err == nil {
		seed = n
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "hunter2\n", "empty": "", "file": "x", "nul": "a\x00b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Root reads and writes all of them; the verdict must be that of the start either way.
	for name, mode := range map[string]os.FileMode{"unreadable": 0, "readonly": 0o500, "unsearchable": 0o600} {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(path, 0o700) }) // else it cannot be removed
	}
	if err := os.WriteFile(filepath.Join(dir, "locked"), []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	makeCertificate(t, dir)
	script := filepath.Join(dir, "nothing.hsl")
	if err := os.WriteFile(script, []byte("echo 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KAFKA_TEST_SECRET", "hunter2")
	t.Setenv("KAFKA_TEST_SIZE", "1MiB")
	results := make([]struct {
		file          string
		check, start  int
		found, logged string
	}, count)
	t.Run("generated", func(t *testing.T) {
		for i := range count {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				home := filepath.Join(dir, strconv.Itoa(i))
				if err := os.Mkdir(home, 0o700); err != nil {
					t.Fatal(err)
				}
				g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(i))), files: dir, home: home}
				r := &results[i]
				r.file = g.file()
				path := filepath.Join(home, "smtpd.yaml")
				if err := os.WriteFile(path, []byte(r.file), 0o600); err != nil {
					t.Fatal(err)
				}
				files := []string{"-c", path}
				if i%3 == 0 {
					running := filepath.Join(home, "smtpd-app.yaml")
					text := g.running()
					r.file += text
					if err := os.WriteFile(running, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
					reloaded(t, path, running, script, r.file)
					files = append(files, "-A", running)
				}
				// check comes first: what it changed, the start would find.
				r.check, r.found = exits(t, "halon-kafka", append([]string{"check"}, files...)...)
				r.start, r.logged = exits(t, "hslrun", append(files, script)...)
				if r.check > 1 {
					t.Errorf("halon-kafka check exits with %d: %s\n%s", r.check, r.found, r.file)
				}
				if (r.check == 0) != (r.start == 0) {
					t.Errorf("check exits with %d:\n%s\nthe start exits with %d:\n%s\n%s", r.check, r.found, r.start, r.logged, r.file)
				}
			})
		}
	})
	started := 0
	for _, r := range results {
		if r.start == 0 {
			started++
		}
	}
	t.Logf("%d of %d configurations start", started, count)
	if started < count/5 || started > count*4/5 {
		t.Errorf("%d of %d start: the generator makes too few of one kind", started, count)
	}
}

// reloaded holds check against a reload, where the plugin starts without the running configuration.
func reloaded(t *testing.T, path, running, script, text string) {
	t.Helper()
	if status, _ := exits(t, "halon-kafka", "check", "-c", path); status != 0 {
		return
	}
	check, found := exits(t, "halon-kafka", "check", "-c", path, "-A", running)
	status, logged := exits(t, "hslrun", "-c", path, "--reload", running, script)
	loaded := strings.Contains(logged, "the running configuration is loaded") && !strings.Contains(logged, "is refused, and the queues stay as they are")
	if loaded != (check == 0) || loaded && status != 0 {
		t.Errorf("check exits with %d:\n%s\nthe reload says, with status %d:\n%s\n%s", check, found, status, logged, text)
	}
}

// exits runs one of the programs under test and returns its exit status and what it printed.
func exits(t *testing.T, program string, args ...string) (status int, out string) {
	t.Helper()
	var b bytes.Buffer
	c := exec.Command(filepath.Join(under.bin, program), args...)
	c.Stdout, c.Stderr = &b, &b
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), b.String()
}

// generator writes an smtpd.yaml. Each choice is right more often than not, so that about half of the files start.
type generator struct {
	*rand.Rand
	files string // with a file of each kind
	home  string // for this configuration alone
	ids   int
}

// odd is true once in n.
func (g *generator) odd(n int) bool { return g.IntN(n) == 0 }

func (g *generator) one(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) file() string {
	if g.odd(30) {
		return "plugins:\n- id: kafka\n  config: " + g.one("text", "~", "[]", "{}", "[queues]", "{queues: }", "{queues: text}", "{queues: 5}", "{queues: {}}",
			"{queues: []}", "{queues: {id: a}}", "{queue: []}", "{acks: all}", "{queues: [], metrics2: 1}", "{queues: [~]}", "{queues: [a]}") + "\n"
	}
	var b strings.Builder
	b.WriteString("plugins:\n- id: kafka\n  config:\n")
	if g.odd(6) {
		b.WriteString("    metrics: " + g.one("{listen: 127.0.0.1:1}", "{listen: ':1'}", "{listen: 1}", "{listen: 203.0.113.1:1}", "{listen: '[::1]:1'}", "{listen: localhost:1}",
			"{listen: localhost}", "{listen: 127.0.0.1:70000}", "{listen: kafka.example:1}", "{}", "~", "[]", "text", "{lisen: 1}", "{listen: ~}", "{listen: 127.0.0.1:1, tls: true}") + "\n")
	}
	b.WriteString("    queues:\n")
	for range 1 + g.IntN(3) {
		b.WriteString(g.queue())
	}
	return b.String()
}

// running writes an smtpd-app.yaml to go with the other file.
func (g *generator) running() string {
	if g.odd(8) {
		return "plugins:\n- id: kafka\n  config: " + g.one("text", "~", "[]", "{}", "{queues: text}", "{queues: []}", "{metrics: {listen: 1}}", "{queues: [~]}") + "\n"
	}
	if g.odd(6) {
		g.ids = 0 // its ids are those of the other file
	}
	text := "plugins:\n- id: kafka\n  config:\n    queues:\n"
	for range 1 + g.IntN(2) {
		text += g.queue()
	}
	return text
}

func (g *generator) queue() string {
	g.ids++
	id := fmt.Sprintf("q%d", g.ids)
	if g.odd(12) {
		id = g.one("q1", `""`, "5", "true", "[x]", "~", "{}", `"a\0b"`, "0x1f", "'with space'", `"é"`, `"q1\0"`)
	}
	lines := []string{"id: " + id}
	if !g.odd(25) {
		lines = append(lines, g.config())
	} else {
		lines = append(lines, g.one("config: ", "config: text", "config: []", "config: [a]", "config: {}", `config: ""`, "bootstrap.servers: a:9092", "cfg: {}"))
	}
	if g.odd(3) {
		lines = append(lines, g.spool())
	}
	if g.odd(4) {
		lines = append(lines, g.secrets())
	}
	if g.odd(40) {
		lines = append(lines, g.one("spol: {}", "queues: []", "description: text", "acks: 1"))
	}
	return "    - " + strings.Join(lines, "\n      ") + "\n"
}

// Properties that start, and such that do not.
var (
	rightProperties = []string{
		"bootstrap.servers: 127.0.0.1:1", "bootstrap.servers: a:9092;b:9092", "bootstrap.servers: ''", "metadata.broker.list: a", "acks: all", "acks: -1", "acks: 2",
		"linger.ms: 5", "linger.ms: 5.5ms", "linger.ms: 1e1", "message.timeout.ms: 5m", "queue.buffering.max.messages: 10k", "compression.type: zstd", "compression.codec: lz4",
		"compression.level: 12", "enable.idempotence: true", "max.in.flight: 5", "client.id: ${NAME}", "client.id: ~", "client.id: [a]", "client.id: {}", "spool: {path: /x}",
		"group.id: x", "socket.max.fails: 3", "statistics.interval.ms: 1000", "sasl.mechanism: PLAIN", "sasl.username: me", "ssl.endpoint.identification.algorithm: none",
		"enable.ssl.certificate.verification: false", "retries: 0", "batch.size: 1", "topic.acks: 1", "partitioner: murmur2", "debug: 'all,-msg'", "log_level: 0",
		"sasl.kerberos.keytab: /nosuch", "receive.message.max.bytes: 1000000000", "nosuch: [a]", "security.protocol: ssl", "transactional.id: x", "topic.blacklist: '^a,b'",
	}
	wrongProperties = []string{
		"nosuch: 1", "max.request.size: 5", "acks: many", "linger.ms: soon", "linger.ms: ''", "message.timeout.ms: -1", "compression.codec: brotli", "enable.idempotence: maybe",
		"max.in.flight: 0", "security.protocol: tls", "security.protocol: sasl_ssl", "sasl.mechanism: 'PLAIN,SCRAM'", "ssl.keystore.location: /nosuch", "partitioner: own",
		"sasl.jaas.config: x", "dr_cb: 1", "reconnect.backoff.max.ms: 1", "debug: nosuch", "plugin.library.paths: x", "transaction.timeout.ms: 0", "retry.backoff.ms: 0",
		"topic.blacklist: '['", "partition.assignment.strategy: own", "https.ca.location: /nosuch", "queue.buffering.max.kbytes: 0", "enable.gapless.guarantee: true",
	}
	together = []string{
		"enable.idempotence: true\n        acks: 1", "enable.idempotence: true\n        max.in.flight: 6", "security.protocol: sasl_plaintext\n        sasl.mechanism: PLAIN",
		"security.protocol: sasl_ssl\n        sasl.mechanism: AWS_MSK_IAM", "linger.ms: 400\n        message.timeout.ms: 300", "security.protocol: ssl\n        ssl.ca.location: /nosuch",
		"security.protocol: ssl\n        ssl.ca.location: FILES/cert.pem", "security.protocol: ssl\n        ssl.ca.location: FILES/file", "security.protocol: ssl\n        ssl.ca.location: FILES/locked",
		"security.protocol: ssl\n        ssl.certificate.location: FILES/cert.pem\n        ssl.key.location: FILES/key.pem",
		"security.protocol: ssl\n        ssl.certificate.location: FILES/cert.pem\n        ssl.key.location: FILES/other.pem",
		"security.protocol: ssl\n        ssl.certificate.location: FILES/key.pem\n        ssl.key.location: FILES/key.pem",
		"security.protocol: ssl\n        ssl.key.location: FILES/secret", "security.protocol: ssl\n        ssl.cipher.suites: nosuch", "security.protocol: ssl\n        ssl.crl.location: FILES/file",
		"security.protocol: sasl_ssl\n        sasl.mechanism: GSSAPI\n        sasl.kerberos.keytab: FILES/file",
		"sasl.mechanism: OAUTHBEARER\n        sasl.oauthbearer.method: oidc", "security.protocol: sasl_plaintext\n        sasl.mechanism: OAUTHBEARER",
		"transactional.id: x\n        enable.idempotence: false", "security.protocol: sasl_plaintext\n        sasl.mechanism: SCRAM-SHA-512\n        sasl.username: a\n        sasl.password: b",
	}
)

func (g *generator) config() string {
	seen := map[string]bool{}
	text := "config:"
	add := func(property string) {
		key, _, _ := strings.Cut(property, ":")
		if !seen[key] && !strings.Contains(property, "\n") || strings.Contains(property, "\n") && len(seen) == 0 {
			seen[key] = true
			text += "\n        " + property
		}
	}
	if g.odd(8) {
		add(strings.ReplaceAll(g.one(together...), "FILES", g.files))
		return text
	}
	for range 1 + g.IntN(4) {
		add(g.one(rightProperties...))
	}
	if g.odd(6) {
		add(g.one(wrongProperties...))
	}
	return text
}

func (g *generator) secrets() string {
	if g.odd(8) {
		return "secrets: " + g.one("text", "~", "[]", "[a]", "{}")
	}
	name := g.one("sasl.password", "ssl.key.password", "sasl.oauthbearer.client.secret", "ssl.keystore.password")
	if g.odd(8) {
		name = g.one("linger.ms", "nosuch", "client.id")
	}
	source := g.one("{file: "+g.files+"/secret}", "{env: KAFKA_TEST_SECRET}", "{env: !Env '${KAFKA_TEST_NAME:KAFKA_TEST_SECRET}'}")
	if g.odd(4) {
		source = g.one("text", "~", "{file: /nosuch}", "{file: "+g.files+"/empty}", "{file: "+g.files+"/nul}", "{env: KAFKA_TEST_NOSUCH}", "{vault: x}", "{file: "+g.files+"/locked}", "{file: "+g.files+"}",
			"{file: a, env: b}", "{file: ''}", "{}", "{env: 5}", "{file: [a]}")
	}
	return "secrets:\n        " + name + ": " + source
}

func (g *generator) spool() string {
	if g.odd(12) {
		return "spool: " + g.one("text", "~", "[]", "{}", "{mode: durable}", "[a]", "{path: }", "{path: ''}")
	}
	path := g.home + "/" + g.one("a", "b", "c/d", "e", "f", "a")
	if g.odd(5) {
		path = g.one("spool", "./spool", g.files+"/file", g.files+"/file/x", "/dev/null", g.home+"/a/dead", "/proc/nosuch", "[x]", g.files+"/readonly", g.files+"/readonly/a", g.files+"/unreadable", g.files+"/unreadable/a", g.files+"/unsearchable/a", "/sys/nosuch", g.home+"/a/../a")
	}
	text := "spool:\n        path: " + path
	for range g.IntN(3) {
		key := g.one("mode", "max_bytes", "segment_bytes", "on_full", "max_age", "dead_letter", "locked", "headers")
		if strings.Contains(text, " "+key+":") {
			continue
		}
		right := map[string][]string{
			"mode": {"durable", "spill"}, "max_bytes": {"1048576", "10GiB", "64KiB", "!Env '${KAFKA_TEST_SIZE}'", `"70000"`, "100000B"}, "segment_bytes": {"4096", "1MiB", "65536"},
			"on_full": {"error", "wait", "drop_oldest"}, "max_age": {"0", "60", "5d", "1h30m", "10s"}, "dead_letter": {"true", "false", "TRUE", `"false"`},
			"locked": {"error", "memory"}, "headers": {"{id: x-id}", "{}", "~", "[]", "{id: 5}"},
		}
		wrong := map[string][]string{
			"mode": {"fast", "~", "[]"}, "max_bytes": {"10G", "1", "1e6", "-5", "~", "[]", "1.5MiB", "0x100000", "5d", "!Env '${KAFKA_TEST_NOSUCH}'"}, "segment_bytes": {"5GiB", "0", "x"},
			"on_full": {"block"}, "max_age": {"5 days", "-1", "5w", "99999999999999"}, "dead_letter": {"maybe", "1", "~"},
			"locked": {"no"}, "headers": {"{key: x}", "text", "{id: ''}", "{id: ~}"},
		}
		values := right[key]
		if g.odd(6) {
			values = wrong[key]
		}
		text += "\n        " + key + ": " + g.one(values...)
	}
	if g.odd(20) {
		text += "\n        " + g.one("max_size: 5", "maxbytes: 1MiB", "pth: x")
	}
	return text
}

// makeCertificate writes cert.pem with its key.pem, and the key of another one.
func makeCertificate(t *testing.T, dir string) {
	t.Helper()
	ca := authority.New(t, "test")
	client := ca.Issue("client")
	for name, text := range map[string][]byte{
		"cert.pem": authority.Chain(client.Leaf), "key.pem": authority.Key(t, client), "other.pem": authority.Key(t, ca.Issue("other")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

package parity

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/conf"
)

// certTable is the table of the differences of TestCertificates. Its scenario is the kind of the file.
const certTable = "certificates.tsv"

// A certCase is a configuration with generated files. In its properties $D is their folder.
type certCase struct {
	kind, name string
	properties []string
	server     *tlsServer // to connect to; nil: it is enough that a client can be made
	unsent     bool       // the client's certificate cannot be verified by a server, and is not sent to one
}

// fewest is how many files the table must have, and alike the share that must be judged alike.
const (
	fewest = 120
	alike  = 0.99
)

// TestCertificates holds what becomes of generated keys, certificates, stores and servers against librdkafka, and connects with each
// identity that is taken to OpenSSL's server, which verifies it.
func TestCertificates(t *testing.T) {
	requireBaseline(t)
	for _, tool := range []string{"openssl", "keytool"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	rows, err := readDifferences(certTable)
	if err != nil {
		t.Fatal(err)
	}
	made := newMaker(t)
	cases := slices.Concat(keyCases(made), pemCases(made), storeCases(made), serverCases(made))
	theirs := askLibrdkafka(t, made, cases)
	members := made.serve("client authentication", "-cert", "srv.pem", "-key", "srv.key", "-CAfile", "ca.pem",
		"-Verify", "2", "-verify_return_error", "-tls1_2")
	var found, right []difference
	same := 0
	for i, c := range cases {
		ours := c.judge(made)
		if testing.Verbose() {
			t.Logf("%s, %s: librdkafka %s, here %s", c.kind, c.name, made.hide(theirs[i]), made.hide(ours))
		}
		if bareVerdict(ours) == bareVerdict(theirs[i]) {
			same++
		} else {
			found = append(found, difference{scenario: c.kind, step: c.name, librdkafka: oneLine(bareVerdict(theirs[i])), here: oneLine(made.hide(ours))})
		}
		if ours == "taken" && c.kind != caKind && !c.unsent {
			if err := c.connect(made, members); err != nil {
				t.Errorf("%s, %s: it is taken, and a server refuses it: %v", c.kind, c.name, err)
			}
		}
	}
	t.Logf("%d files, %d judged as by librdkafka", len(cases), same)
	if len(cases) < fewest || float64(same) < alike*float64(len(cases)) {
		t.Errorf("%d of %d files are judged as by librdkafka, and %.0f %% of at least %d must be", same, len(cases), 100*alike, fewest)
	}
	right, wrong := compareRows(found, rows)
	if *update {
		if err := writeDifferences(certTable, right); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, sentence := range wrong {
		t.Error(sentence)
	}
}

// bareVerdict is a verdict without its reason, which OpenSSL words otherwise.
func bareVerdict(text string) string {
	verdict, _, _ := strings.Cut(text, ": ")
	return verdict
}

// list returns the properties of a case with the names of its files.
func (c *certCase) list(m *maker) []string {
	var all []string
	for i, p := range c.properties {
		if i%2 == 1 {
			p = strings.ReplaceAll(p, "$D", m.folder)
		}
		all = append(all, p)
	}
	if c.server != nil {
		all = append(all, "bootstrap.servers", c.server.address)
	}
	return append(all, "security.protocol", "ssl")
}

// askLibrdkafka returns its verdict on each case.
func askLibrdkafka(t *testing.T, m *maker, cases []certCase) []string {
	t.Helper()
	var in bytes.Buffer
	for _, c := range cases {
		list := c.list(m)
		for i := 0; i < len(list); i += 2 {
			fmt.Fprintf(&in, "%s=%s\t", list[i], list[i+1])
		}
		in.WriteByte('\n')
	}
	command := exec.Command(built.verdict)
	command.Stdin = &in
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(lines) != len(cases) {
		t.Fatalf("%d verdicts on %d cases", len(lines), len(cases))
	}
	for i, line := range lines {
		lines[i] = strings.Replace(line, "\t", ": ", 1)
	}
	return lines
}

// judge returns the plugin's own verdict.
func (c *certCase) judge(m *maker) string {
	set, err := c.settings(m)
	if err != nil {
		return "refused: " + err.Error()
	}
	if c.server == nil {
		return "taken"
	}
	if err := reach(set, c.server.address, c.server); err != nil {
		return "failed: " + err.Error()
	}
	return "connected"
}

func (c *certCase) settings(m *maker) (*conf.Settings, error) {
	list := c.list(m)
	cf := conf.New()
	for i := 0; i < len(list); i += 2 {
		value := list[i+1]
		if path, found := strings.CutPrefix(value, "@"); found {
			content, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			value = string(content)
		}
		if err := cf.Set(list[i], value); err != nil {
			return nil, err
		}
	}
	set, _, err := cf.Finalize(1)
	return set, err
}

// connect shakes hands with a server that verifies the client.
func (c *certCase) connect(m *maker, s *tlsServer) error {
	with := *c
	with.server = s
	with.properties = append(slices.Clone(c.properties), "ssl.endpoint.identification.algorithm", "none", "ssl.ca.location", "$D/ca.pem")
	set, err := with.settings(m)
	if err != nil {
		return err
	}
	return reach(set, s.address, s)
}

// reach connects as the producer does, with every name taken for this machine.
func reach(set *conf.Settings, address string, s *tlsServer) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dialer := set.Dialer(conf.Deps{Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.listens)
	}})
	conn, _, err := dialer.Connect(ctx, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// maker makes files with openssl and keytool in a folder of its own.
type maker struct {
	t      *testing.T
	folder string
}

func (m *maker) hide(text string) string { return strings.ReplaceAll(text, m.folder, "$D") }

func (m *maker) path(name string) string { return filepath.Join(m.folder, name) }

// run runs a tool in the folder.
func (m *maker) run(tool string, args ...string) {
	m.t.Helper()
	command := exec.Command(tool, args...)
	command.Dir = m.folder
	if out, err := command.CombinedOutput(); err != nil {
		m.t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
	}
}

// openssl runs openssl with arguments between blanks; none of them has one.
func (m *maker) openssl(args string) {
	m.t.Helper()
	m.run("openssl", strings.Fields(args)...)
}

func (m *maker) read(name string) string {
	m.t.Helper()
	content, err := os.ReadFile(m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(content)
}

func (m *maker) write(name, content string) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), []byte(content), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// sign makes the certificate name.pem of the key in name.key, or in another file, with the extensions in lines.
func (m *maker) sign(name, key, subject string, extensions []string, more ...string) {
	m.t.Helper()
	m.write(name+".ext", strings.Join(extensions, "\n")+"\n")
	m.run("openssl", "req", "-new", "-key", key, "-subj", subject, "-out", name+".csr")
	m.run("openssl", append(strings.Fields("x509 -req -days 30 -CA ca.pem -CAkey ca.key -CAcreateserial -in "+name+".csr -out "+name+".pem -extfile "+name+".ext"), more...)...)
}

// newMaker makes an authority, and keys and certificates of a client and a server.
func newMaker(t *testing.T) *maker {
	t.Helper()
	m := &maker{t, t.TempDir()}
	m.openssl("req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.pem -subj /CN=authority")
	m.openssl("genrsa -out rsa.key 2048")
	m.openssl("ecparam -name prime256v1 -genkey -noout -out ec.key")
	m.openssl("pkcs8 -topk8 -nocrypt -in ec.key -out ec8.key")
	m.openssl("pkcs8 -topk8 -nocrypt -in rsa.key -out rsa8.key")
	m.sign("rsa", "rsa.key", "/CN=client", nil)
	m.sign("ec", "ec.key", "/CN=client", nil)
	m.openssl("genrsa -out srv.key 2048")
	m.sign("srv", "srv.key", "/CN=broker", []string{"subjectAltName=DNS:localhost"})
	return m
}

// tlsServer is an s_server of OpenSSL.
type tlsServer struct {
	listens string // where
	address string // as a client calls it
}

// serve starts one, which lives until the test ends.
func (m *maker) serve(name string, args ...string) *tlsServer {
	m.t.Helper()
	command := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...)...)
	command.Dir = m.folder
	stdin, err := command.StdinPipe() // its end would end the server
	if err != nil {
		m.t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		m.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var port string
	for port == "" && lines.Scan() {
		if rest, found := strings.CutPrefix(lines.Text(), "ACCEPT "); found {
			_, port, _ = net.SplitHostPort(rest)
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for lines.Scan() {
		}
	}()
	m.t.Cleanup(func() {
		stdin.Close()
		command.Process.Kill()
		<-drained
		command.Wait()
	})
	if port == "" {
		m.t.Fatalf("openssl s_server for %s does not start: %s", name, stderr.String())
	}
	address := net.JoinHostPort("127.0.0.1", port)
	return &tlsServer{listens: address, address: net.JoinHostPort("localhost", port)}
}

// called returns the server under another name.
func (s *tlsServer) called(host string) *tlsServer {
	_, port, _ := net.SplitHostPort(s.listens)
	return &tlsServer{listens: s.listens, address: net.JoinHostPort(host, port)}
}

package conf

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/keyfile"
)

// tlsSource is what the ssl.* properties say: where things are, and not yet what is in them.
type tlsSource struct {
	ca                       string // a file or a folder
	caPEM                    given
	cert, certPEM            given
	key, keyPEM, keyPassword given
	store, storePassword     given
	crl                      given
	verify, verifyName       bool
	suites                   []uint16 // below TLS 1.3; perhaps none
	chosen                   bool     // ssl.cipher.suites says which
	level                    securityLevel
	curves                   []tls.CurveID
}

// A given text is the value of a property, which may be empty: that is a value too, and a bad one.
type given struct {
	text string
	is   bool
}

func (c *Conf) given(name string) given { return given{c.text(name), c.present(name)} }

// tlsFiles makes the TLS configuration of a connection, and makes it again when a file that it was
// read from has changed: a renewed certificate is used by the next connection.
type tlsFiles struct {
	source tlsSource
	secret func(property string) (string, bool) // see [Deps]
	report func(err error)                      // of a change that cannot be used; may be nil

	mu      sync.Mutex
	stamps  []stamp    // of the files that current was read from; guarded by mu
	current *tlsConfig // guarded by mu
	looked  time.Time  // when latest looked at the files; guarded by mu
}

// tlsConfig is what the files held.
type tlsConfig struct {
	roots        *x509.CertPool // nil is the system's
	between      []*x509.Certificate
	certificates []tls.Certificate
	revoked      []*x509.RevocationList
	checkCRL     bool
}

// loadTLS reads what the ssl.* properties name, in librdkafka's order and with its words. They do
// not count, and no file is read, unless the protocol is encrypted.
func (c *Conf) loadTLS() (*tlsFiles, error) {
	if !c.usesTLS() {
		return nil, nil
	}
	source := tlsSource{
		caPEM: c.given("ssl.ca.pem"), crl: c.given("ssl.crl.location"),
		cert: c.given("ssl.certificate.location"), certPEM: c.given("ssl.certificate.pem"),
		key: c.given("ssl.key.location"), keyPEM: c.given("ssl.key.pem"), keyPassword: c.given("ssl.key.password"),
		store: c.given("ssl.keystore.location"), storePassword: c.given("ssl.keystore.password"),
		verify:     c.truth("enable.ssl.certificate.verification"),
		verifyName: c.word("ssl.endpoint.identification.algorithm") == "https",
	}
	if err := c.tlsAlgorithms(&source); err != nil {
		return nil, err
	}
	if location := c.global("ssl.ca.location"); location.present && location.text != "probe" {
		source.ca = location.text
		if source.ca == "" {
			return nil, refuse("ssl.ca.location failed: error:the name of the file is empty")
		}
	}
	stamps := source.stamps()
	current, err := source.load()
	if err != nil {
		return nil, err
	}
	return &tlsFiles{source: source, stamps: stamps, current: current}, nil
}

// with returns files of its own for a client: they are read again for themselves, with the secrets
// and the log of deps.
func (t *tlsFiles) with(deps Deps) *tlsFiles {
	if t == nil {
		return nil
	}
	return &tlsFiles{source: t.source, secret: deps.Secret, report: deps.Report, stamps: t.stamps, current: t.current}
}

// present returns the source with its passwords, and what else is kept elsewhere, as they are now; and the state of everything that the
// configuration is made from: of the files, and of what is kept elsewhere, by its content.
func (t *tlsFiles) present() (*tlsSource, []stamp) {
	source, all := t.source, t.source.stamps()
	for _, one := range []struct {
		property string
		to       *given
	}{
		{"ssl.key.password", &source.keyPassword},
		{"ssl.keystore.password", &source.storePassword},
		{"ssl.key.pem", &source.keyPEM},
		{"ssl.certificate.pem", &source.certPEM},
		{"ssl.ca.pem", &source.caPEM},
	} {
		if text, ok := t.secret(one.property); ok {
			*one.to = given{text, true}
			all = append(all, stamp{path: one.property, sum: sha256.Sum256([]byte(text))})
		}
	}
	return &source, all
}

// load reads the files. Its errors are librdkafka's up to ": error:", behind which OpenSSL's own
// words would come.
func (s *tlsSource) load() (*tlsConfig, error) {
	t := &tlsConfig{checkCRL: s.crl.is}
	if err := s.loadRoots(t); err != nil {
		return nil, err
	}
	if s.crl.is {
		found, err := readTrust(s.crl.text)
		if err != nil {
			return nil, refuse("ssl.crl.location failed: error:%v", err)
		}
		t.revoked = append(t.revoked, found.revoked...)
		if t.roots != nil {
			if err := t.trust(found); err != nil {
				return nil, refuse("ssl.crl.location failed: error:%v", err)
			}
		}
	}
	id, err := s.loadIdentity()
	if err != nil {
		return nil, err
	}
	if id != nil {
		t.certificates = []tls.Certificate{*id}
	}
	return t, nil
}

// trust adds certificates to those that chains may end with. As with OpenSSL a chain ends with a certificate that signed itself, and others in the
// file only help to get there: a broker's own certificate, or one between, is not enough.
func (t *tlsConfig) trust(found trust) error {
	all, err := found.parse()
	for _, cert := range all {
		if !cert.BasicConstraintsValid && cert.KeyUsage&x509.KeyUsageCertSign != 0 {
			// OpenSSL takes the key usage alone as the word of an authority, and Go does not.
			cert.BasicConstraintsValid, cert.IsCA, cert.MaxPathLen = true, true, -1
		}
		if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			t.roots.AddCert(cert)
		} else {
			t.between = append(t.between, cert)
		}
	}
	return err
}

func (s *tlsSource) loadRoots(t *tlsConfig) error {
	if s.ca != "" {
		t.roots = x509.NewCertPool()
		var found trust
		info, err := os.Stat(s.ca)
		if err == nil && info.IsDir() {
			found = readTrustFolder(s.ca)
			err = t.trust(found)
		} else if found, err = readTrust(s.ca); err == nil {
			err = t.trust(found)
		}
		if err != nil {
			return refuse("ssl.ca.location failed: error:%v", err)
		}
		t.revoked = append(t.revoked, found.revoked...)
	}
	if s.caPEM.is {
		if t.roots == nil {
			t.roots = x509.NewCertPool()
		}
		found, err := keyfile.Authorities([]byte(s.caPEM.text))
		if err == nil && len(found) == 0 {
			err = errNoCertificate
		}
		if err == nil {
			err = t.trust(trust{certificates: found})
		}
		if err != nil {
			return refuse("failed to read certificate #%d from ssl.ca.pem: not in PEM format?: error:%v", len(found), err)
		}
	}
	return nil
}

// renewEvery is how often a connection in use looks whether the files of its certificate have
// changed. A renewed certificate is used within this time of the next request.
const renewEvery = 10 * time.Second

// latest is refresh for those who ask often: it looks at the files once in renewEvery.
func (t *tlsFiles) latest() *tlsConfig {
	now := time.Now()
	t.mu.Lock()
	current, due := t.current, now.Sub(t.looked) >= renewEvery
	if due {
		t.looked = now
	}
	t.mu.Unlock()
	if !due {
		return current
	}
	return t.refresh()
}

// config returns the configuration for a connection to host.
func (t *tlsFiles) config(current *tlsConfig, host string) *tls.Config {
	config := &tls.Config{
		ServerName:       strings.TrimSuffix(host, "."),
		RootCAs:          current.roots,
		Certificates:     current.certificates,
		CipherSuites:     t.source.suites,
		CurvePreferences: t.source.curves,
		MinVersion:       tls.VersionTLS12,
	}
	if len(t.source.suites) == 0 {
		// None of the suites asked for is known to Go; those of TLS 1.3 are not part of the list.
		config.CipherSuites, config.MinVersion = nil, tls.VersionTLS13
	}
	// Go's own check would refuse names that OpenSSL takes, cannot leave the name out, and looks at no revocation lists.
	config.InsecureSkipVerify = true
	if t.source.verify {
		config.VerifyConnection = func(state tls.ConnectionState) error {
			return current.verify(state, t.source.verifyName, host, t.source.level)
		}
	}
	return config
}

// stamp tells whether a file is still the one that was read.
type stamp struct {
	path     string
	size     int64
	modified time.Time
	sum      [sha256.Size]byte // of what is no file
}

// stamps returns the state of every file and folder, and of every file in a folder. What cannot be seen
// has an empty one.
func (s *tlsSource) stamps() []stamp {
	var all []stamp
	for _, path := range []string{s.ca, s.crl.text, s.cert.text, s.key.text, s.store.text} {
		if path == "" {
			continue
		}
		for _, file := range append([]string{path}, folder(path)...) {
			one := stamp{path: file}
			if info, err := os.Stat(file); err == nil {
				one.size, one.modified = info.Size(), info.ModTime()
			}
			all = append(all, one)
		}
	}
	return all
}

// refresh returns the configuration, read again if a file has changed. When what is on disk cannot
// be used, because only one of two files is there yet, the old one stays and the next connection
// tries again.
func (t *tlsFiles) refresh() *tlsConfig {
	source, stamps := t.present()
	t.mu.Lock()
	current, same := t.current, slices.EqualFunc(t.stamps, stamps, stamp.same)
	t.mu.Unlock()
	if same {
		return current
	}
	fresh, err := source.load()
	if err != nil {
		if t.report != nil {
			t.report(err)
		}
		return current
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current, t.stamps = fresh, stamps
	return fresh
}

func (s stamp) same(as stamp) bool {
	return s.path == as.path && s.size == as.size && s.sum == as.sum && s.modified.Equal(as.modified)
}

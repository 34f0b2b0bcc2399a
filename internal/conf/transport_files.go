package conf

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/halon-extras/kafka/internal/keyfile"
)

// trust is what a file of certificates to trust holds.
type trust struct {
	certificates [][]byte
	revoked      []*x509.RevocationList
}

// parse returns the certificates. Go knows fewer algorithms than OpenSSL: those that it cannot read are left out, as nothing could
// be verified with them anyway. Where that leaves none, the error tells why.
func (t trust) parse() (all []*x509.Certificate, err error) {
	for _, der := range t.certificates {
		cert, failed := keyfile.ParseCertificate(der)
		if failed != nil {
			err = fmt.Errorf("none of the certificates can be used: %w", failed)
			continue
		}
		all = append(all, cert)
	}
	if len(all) > 0 {
		err = nil
	}
	return all, err
}

// addTo puts the certificates into a pool.
func (t trust) addTo(pool *x509.CertPool) error {
	all, err := t.parse()
	for _, cert := range all {
		pool.AddCert(cert)
	}
	return err
}

// largestFile is more than any certificate store has.
const largestFile = 64 << 20

// readFile reads a file that an operator named. What is no file at all, like a pipe that nobody
// writes to, would delay the start of the host.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: %w", path, errIsFolder)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	case info.Size() > largestFile:
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), largestFile)
	}
	return os.ReadFile(path)
}

// errIsFolder is what reading a folder as a file gives.
var errIsFolder = errors.New("is a folder")

var errNoTrust = errors.New("no certificate or crl found")

// readTrust reads certificates and revocation lists, of which there must be one.
func readTrust(path string) (trust, error) {
	data, err := readFile(path)
	if err != nil {
		return trust{}, err
	}
	found, lists, err := keyfile.Certificates(data)
	if err != nil {
		return trust{}, fmt.Errorf("certificate #%d of %s: %w", len(found), path, err)
	}
	t := trust{certificates: found}
	for _, der := range lists {
		list, err := parseRevocationList(der)
		if err != nil {
			return trust{}, err
		}
		t.revoked = append(t.revoked, list)
	}
	if len(t.certificates)+len(t.revoked) == 0 {
		return trust{}, keyfile.Hint(errNoTrust, data)
	}
	return t, nil
}

// readTrustFolder reads every file of a folder that holds something to trust. A folder without any
// is no error to OpenSSL, which looks into it only when it verifies.
//
// Compat: OpenSSL reads only files whose name is the hash of a subject.
func readTrustFolder(path string) trust {
	var all trust
	for _, file := range folder(path) {
		if t, err := readTrust(file); err == nil {
			all.certificates = append(all.certificates, t.certificates...)
			all.revoked = append(all.revoked, t.revoked...)
		}
	}
	return all
}

func folder(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range entries {
		files = append(files, filepath.Join(path, e.Name()))
	}
	return files
}

// loadIdentity reads the client's own certificate and key, of which there may be none. The last
// source wins, as in librdkafka: text over file, and the PKCS#12 store over both.
func (s *tlsSource) loadIdentity() (*tls.Certificate, error) {
	id := &tls.Certificate{}
	if s.cert.is {
		data, err := readFile(s.cert.text)
		if err == nil {
			err = s.setCertificate(id, data)
		}
		if err != nil {
			return nil, refuse("ssl.certificate.location failed: error:%v", err)
		}
	}
	if s.certPEM.is {
		if err := s.setCertificate(id, []byte(s.certPEM.text)); err != nil {
			return nil, refuse("ssl.certificate.pem failed: not in PEM format?: error:%v", err)
		}
	}
	if s.key.is {
		data, err := readFile(s.key.text)
		if err == nil {
			err = s.setKey(id, data)
		}
		if err == nil {
			err = mismatch(id)
		}
		if err != nil {
			return nil, refuse("ssl.key.location failed: error:%v", err)
		}
	}
	if s.keyPEM.is {
		if err := s.setKey(id, []byte(s.keyPEM.text)); err != nil {
			return nil, refuse("ssl.key.pem failed: not in PEM format?: error:%v", err)
		}
		if err := mismatch(id); err != nil {
			return nil, refuse("ssl.key.pem failed: error:%v", err)
		}
	}
	if s.store.is {
		if err := s.loadStore(id); err != nil {
			return nil, err
		}
	}
	switch {
	case id.PrivateKey == nil:
		return nil, nil // a certificate without a key is never sent
	case id.Leaf == nil || !sameKind(id):
		return nil, refuse("Private key check failed: error:no certificate assigned")
	}
	return id, nil
}

var (
	errNoCertificate = errors.New("no certificate found")
	errKeyPassword   = errors.New("the private key needs ssl.key.password, which is not set")
	errMismatch      = errors.New("key values mismatch")
)

// setCertificate takes the client's certificate and its chain from a PEM text.
func (s *tlsSource) setCertificate(id *tls.Certificate, data []byte) error {
	found, _, err := keyfile.Certificates(data)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return keyfile.Hint(errNoCertificate, data)
	}
	leaf, err := keyfile.ParseCertificate(found[0])
	if err != nil {
		return err
	}
	if err := s.level.check(leaf, "ee"); err != nil {
		return err
	}
	for _, der := range found[1:] {
		if cert, err := keyfile.ParseCertificate(der); err == nil {
			if err := s.level.check(cert, "ca"); err != nil {
				return err
			}
		}
	}
	id.Certificate, id.Leaf = found, leaf
	return nil
}

// setKey takes the client's key from a PEM text and decrypts it where it must.
func (s *tlsSource) setKey(id *tls.Certificate, data []byte) error {
	key, err := keyfile.PrivateKey(data, s.keyPassword.text, s.keyPassword.is)
	if errors.Is(err, keyfile.ErrNoPassword) {
		err = errKeyPassword
	}
	if err != nil {
		return err
	}
	id.PrivateKey = key
	return nil
}

// mismatch tells that key and certificate are of one kind but do not belong together. OpenSSL keeps
// one pair for each kind, and finds a pair of two kinds only at the end.
func mismatch(id *tls.Certificate) error {
	if id.Leaf != nil && sameKind(id) && !keyfile.Fits(id.Leaf, id.PrivateKey) {
		return errMismatch
	}
	return nil
}

func sameKind(id *tls.Certificate) bool {
	switch id.PrivateKey.(type) {
	case *rsa.PrivateKey:
		return id.Leaf.PublicKeyAlgorithm == x509.RSA
	case *ecdsa.PrivateKey:
		return id.Leaf.PublicKeyAlgorithm == x509.ECDSA
	case ed25519.PrivateKey:
		return id.Leaf.PublicKeyAlgorithm == x509.Ed25519
	}
	return false
}

// loadStore takes key, certificate and chain from a PKCS#12 file.
func (s *tlsSource) loadStore(id *tls.Certificate) error {
	data, err := readFile(s.store.text)
	if err != nil && !errors.Is(err, errIsFolder) {
		return refuse("Failed to open ssl.keystore.location: %s: error:%v", s.store.text, err)
	}
	store, err := keyfile.ParseStore(data, s.storePassword.text)
	switch {
	case errors.Is(err, keyfile.ErrNotStore):
		return refuse("Error reading ssl.keystore.location PKCS#12 file: %s: error:%v", s.store.text, err)
	case err != nil:
		return refuse("Failed to parse ssl.keystore.location PKCS#12 file: %s: error:%v", s.store.text, err)
	}
	const unusable = "Failed to use ssl.keystore.location: error:"
	switch {
	case store.Key == nil:
		return refuse(unusable+"there is no private key in %s", s.store.text)
	case store.Leaf == nil:
		return refuse(unusable+"no certificate in %s belongs to its private key", s.store.text)
	}
	if err := s.level.check(store.Leaf, "ee"); err != nil {
		return refuse(unusable+"%v", err)
	}
	id.PrivateKey, id.Leaf, id.Certificate = store.Key, store.Leaf, [][]byte{store.Leaf.Raw}
	for _, cert := range store.Chain {
		id.Certificate = append(id.Certificate, cert.Raw)
	}
	return nil
}

package conf

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// trust is what a file of certificates to trust holds.
type trust struct {
	certificates [][]byte
	revoked      []*x509.RevocationList
}

// addTo puts the certificates into a pool. Go is stricter than OpenSSL about very old ones: those
// that it cannot read are left out, as nothing could be verified with them anyway.
func (t trust) addTo(pool *x509.CertPool) {
	for _, der := range t.certificates {
		if cert, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(cert)
		}
	}
}

// largestFile is more than any certificate store has.
const largestFile = 64 << 20

// readFile reads a file that an operator named. What is no file at all, like a pipe that nobody
// writes to, would hold up the start of the host.
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
	found, bad := parseCertificates(data)
	if bad {
		return trust{}, fmt.Errorf("certificate #%d of %s is not in PEM format", len(found), path)
	}
	t := trust{certificates: found}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "X509 CRL" {
			list, err := parseRevocationList(block.Bytes)
			if err != nil {
				return trust{}, err
			}
			t.revoked = append(t.revoked, list)
		}
	}
	if len(t.certificates)+len(t.revoked) == 0 {
		return trust{}, errNoTrust
	}
	return t, nil
}

// readTrustFolder reads every file of a folder that holds something to trust. A folder without any
// is no error to OpenSSL, which looks into it only when it verifies.
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

// parseCertificates returns the certificates of a PEM text in their order. bad tells that one behind
// them could not be read.
func parseCertificates(data []byte) (found [][]byte, bad bool) {
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return found, false
		}
		// What comes after it starts with the tail of the last line, so this counts whole blocks.
		skipped := data[:len(data)-len(rest)]
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
			// Decode passes over a block that it cannot read, and OpenSSL does not.
			if n := bytes.Count(skipped, []byte("-----BEGIN "+block.Type+"-----")); n > 1 {
				return found, true
			}
			var raw asn1.RawValue
			if _, err := asn1.Unmarshal(block.Bytes, &raw); err != nil {
				return found, true
			}
			found = append(found, raw.FullBytes)
		}
		data = rest
	}
}

// loadIdentity reads the client's own certificate and key, of which there may be none. The last
// source wins, as in librdkafka: text over file, and the PKCS#12 store over both.
func (s *tlsSource) loadIdentity() (*tls.Certificate, error) {
	id := &tls.Certificate{}
	if s.hasCert {
		data, err := readFile(s.cert)
		if err == nil {
			err = setCertificate(id, data)
		}
		if err != nil {
			return nil, refuse("ssl.certificate.location failed: error:%v", err)
		}
	}
	if s.hasCertPEM {
		if err := setCertificate(id, []byte(s.certPEM)); err != nil {
			return nil, refuse("ssl.certificate.pem failed: not in PEM format?: error:%v", err)
		}
	}
	if s.hasKey {
		data, err := readFile(s.key)
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
	if s.hasKeyPEM {
		if err := s.setKey(id, []byte(s.keyPEM)); err != nil {
			return nil, refuse("ssl.key.pem failed: not in PEM format?: error:%v", err)
		}
		if err := mismatch(id); err != nil {
			return nil, refuse("ssl.key.pem failed: error:%v", err)
		}
	}
	if s.hasStore {
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
	errNoKey         = errors.New("no private key found")
	errKeyPassword   = errors.New("the private key needs ssl.key.password, which is not set")
	errMismatch      = errors.New("key values mismatch")
)

// setCertificate takes the client's certificate and its chain from a PEM text.
func setCertificate(id *tls.Certificate, data []byte) error {
	found, bad := parseCertificates(data)
	if bad || len(found) == 0 {
		return errNoCertificate
	}
	leaf, err := x509.ParseCertificate(found[0])
	if err != nil {
		return err
	}
	id.Certificate, id.Leaf = found, leaf
	return nil
}

// setKey takes the client's key from a PEM text and decrypts it where it must.
func (s *tlsSource) setKey(id *tls.Certificate, data []byte) error {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		key, err := decodeKey(block, s.keyPassword, s.hasKeyPassword)
		if err != nil {
			return err
		}
		id.PrivateKey = key
		return nil
	}
	return errNoKey
}

// decodeKey reads a private key in any of the forms that OpenSSL writes.
func decodeKey(block *pem.Block, password string, hasPassword bool) (crypto.PrivateKey, error) {
	der := block.Bytes
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		if !hasPassword {
			return nil, errKeyPassword
		}
		key, err := pkcs8.ParsePKCS8PrivateKey(der, []byte(password))
		if err != nil {
			return nil, errors.New("bad decrypt")
		}
		return key, nil
	}
	// This encryption is weak, and deprecated for it, but operators have keys in it.
	if x509.IsEncryptedPEMBlock(block) { //nolint:staticcheck // see above
		if !hasPassword {
			return nil, errKeyPassword
		}
		plain, err := x509.DecryptPEMBlock(block, []byte(password)) //nolint:staticcheck // see above
		if err != nil {
			return nil, errors.New("bad decrypt")
		}
		der = plain
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("unsupported private key")
}

// mismatch tells that key and certificate are of one kind but do not belong together. OpenSSL keeps
// one pair for each kind, and finds a pair of two kinds only at the end.
func mismatch(id *tls.Certificate) error {
	if id.Leaf == nil || !sameKind(id) {
		return nil
	}
	signer, ok := id.PrivateKey.(crypto.Signer)
	if !ok {
		return errNoKey
	}
	own, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !own.Equal(id.Leaf.PublicKey) {
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

// rc2 is how a store says that its content is encrypted with RC2, which OpenSSL 3 does not read.
var rc2 = []byte{0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x06}

// loadStore takes key, certificate and chain from a PKCS#12 file.
func (s *tlsSource) loadStore(id *tls.Certificate) error {
	data, err := readFile(s.store)
	if err != nil && !errors.Is(err, errIsFolder) {
		return refuse("Failed to open ssl.keystore.location: %s: error:%v", s.store, err)
	}
	var outer struct {
		Version  int
		Contents asn1.RawValue
		MAC      asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(data, &outer); err != nil {
		// The length of what follows can be indefinite, which only the store's own reader knows.
		if len(data) < 2 || data[0] != 0x30 || data[1] != 0x80 {
			return refuse("Error reading ssl.keystore.location PKCS#12 file: %s: error:not a PKCS#12 file", s.store)
		}
	}
	failed := func(reason any) error {
		return refuse("Failed to parse ssl.keystore.location PKCS#12 file: %s: error:%v", s.store, reason)
	}
	if bytes.Contains(data, rc2) {
		return failed("it is encrypted with RC2, which is not supported: export it again with a current OpenSSL")
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, s.storePassword)
	if err != nil {
		return failed(err)
	}
	id.PrivateKey, id.Leaf, id.Certificate = key, leaf, [][]byte{leaf.Raw}
	for _, cert := range chain {
		id.Certificate = append(id.Certificate, cert.Raw)
	}
	return nil
}

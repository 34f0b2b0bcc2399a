package keyfile

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // stores are signed with it
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
	"slices"
)

var (
	// ErrNotStore tells that data is not PKCS#12 at all.
	ErrNotStore = errors.New("not a PKCS#12 file")
	// ErrMAC tells that the password of a store does not fit. The words are OpenSSL's.
	ErrMAC = errors.New("mac verify failure")

	errStoreForm = errors.New("the structure of the store cannot be read")
)

// A Store is what a PKCS#12 file holds for a client.
type Store struct {
	Key   crypto.PrivateKey   // the first one, or nil
	Leaf  *x509.Certificate   // the first certificate of that key, or nil
	Chain []*x509.Certificate // who signed it, and who signed that, as far as they are there
}

// The parts of a store: RFC 7292, and the content types of PKCS#7.
const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidKeyBag        = "1.2.840.113549.1.12.10.1.1"
	oidLockedKeyBag  = "1.2.840.113549.1.12.10.1.2"
	oidCertBag       = "1.2.840.113549.1.12.10.1.3"
	oidNestedBag     = "1.2.840.113549.1.12.10.1.6"
	oidX509          = "1.2.840.113549.1.9.22.1"
	oidPBMAC1        = "1.2.840.113549.1.5.14"
)

type content struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"optional,explicit,tag:0"`
}

type macData struct {
	MAC struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

// ParseStore reads a PKCS#12 file, as PKCS12_parse decides: the MAC is checked where there is one, the first key counts, and its
// certificate is the first one that fits it, wherever it stands. Certificates that package x509 cannot read count for nothing.
func ParseStore(data []byte, password string) (*Store, error) {
	der, err := toDER(data)
	if err != nil {
		return nil, Hint(ErrNotStore, data)
	}
	var outer struct {
		Version int
		Safe    content
		MAC     asn1.RawValue `asn1:"optional"`
	}
	if unmarshal(der, &outer) != nil {
		return nil, ErrNotStore
	}
	safe, err := outer.Safe.octets()
	if err != nil {
		return nil, err
	}
	s := &reader{password: password}
	if password != "" {
		s.bmp = bmpString(password)
	}
	if len(outer.MAC.FullBytes) > 0 {
		if err := s.checkMAC(outer.MAC.FullBytes, safe); err != nil {
			return nil, err
		}
	}
	if err := s.contents(safe); err != nil {
		return nil, err
	}
	return s.split(), nil
}

func (c content) octets() ([]byte, error) {
	if c.Type.String() != oidData {
		return nil, unsupported("a store with the content %s", nameOf(c.Type))
	}
	var octets []byte
	if unmarshal(c.Content.Bytes, &octets) != nil && unmarshal(c.Content.FullBytes, &octets) != nil {
		return nil, errStoreForm
	}
	return octets, nil
}

// reader gathers what is in the bags of a store.
type reader struct {
	password     string
	bmp          []byte // the password as PKCS#12 hashes it; nil is no password at all, which is not the empty one
	key          crypto.PrivateKey
	certificates [][]byte
}

var macHashes = map[string]func() hash.Hash{
	"1.2.840.113549.2.5":     md5.New,
	"1.3.14.3.2.26":          sha1.New,
	"2.16.840.1.101.3.4.2.4": sha256.New224,
	"2.16.840.1.101.3.4.2.1": sha256.New,
	"2.16.840.1.101.3.4.2.2": sha512.New384,
	"2.16.840.1.101.3.4.2.3": sha512.New,
	"2.16.840.1.101.3.4.2.5": sha512.New512_224,
	"2.16.840.1.101.3.4.2.6": sha512.New512_256,
}

func (s *reader) checkMAC(der, signed []byte) error {
	var m macData
	if unmarshal(der, &m) != nil {
		return errStoreForm
	}
	algorithm := m.MAC.Algorithm
	fits := func(function func() hash.Hash, key []byte) bool {
		h := hmac.New(function, key)
		h.Write(signed)
		return hmac.Equal(h.Sum(nil), m.MAC.Digest)
	}
	if algorithm.Algorithm.String() == oidPBMAC1 {
		var p struct{ KDF, Scheme pkix.AlgorithmIdentifier }
		if unmarshal(algorithm.Parameters.FullBytes, &p) != nil {
			return errParameters
		}
		function, ok := pseudoRandom[p.Scheme.Algorithm.String()]
		if !ok {
			return unsupported("a MAC with %s", nameOf(p.Scheme.Algorithm))
		}
		key, err := deriveKey(p.KDF, s.password, 0)
		if err != nil {
			return err
		}
		if !fits(function, key) {
			return ErrMAC
		}
		return nil
	}
	function, ok := macHashes[algorithm.Algorithm.String()]
	if !ok {
		return unsupported("a MAC with %s", nameOf(algorithm.Algorithm))
	}
	if err := checkIterations(m.Iterations); err != nil {
		return err
	}
	size := function().Size()
	if fits(function, deriveStore(function, 3, s.bmp, m.Salt, m.Iterations, size)) {
		return nil
	}
	if s.bmp == nil {
		s.bmp = bmpString("")
		if fits(function, deriveStore(function, 3, s.bmp, m.Salt, m.Iterations, size)) {
			return nil
		}
	}
	return ErrMAC
}

// contents reads the authenticated safe: a list of contents, each of them bags, in the clear or encrypted.
func (s *reader) contents(safe []byte) error {
	safe, err := toDER(safe)
	if err != nil {
		return errStoreForm
	}
	var all []content
	if unmarshal(safe, &all) != nil {
		return errStoreForm
	}
	for _, c := range all {
		var bags []byte
		switch c.Type.String() {
		case oidData:
			bags, err = c.octets()
		case oidEncryptedData:
			var e struct {
				Version int
				Content struct {
					Type      asn1.ObjectIdentifier
					Algorithm pkix.AlgorithmIdentifier
					Data      asn1.RawValue `asn1:"tag:0,optional"`
				}
			}
			if unmarshal(c.Content.Bytes, &e) != nil && unmarshal(c.Content.FullBytes, &e) != nil {
				return errStoreForm
			}
			var data []byte
			if data, err = joined(e.Content.Data); err == nil {
				bags, err = decryptPBE(e.Content.Algorithm, data, s.password, s.bmp)
			}
		default:
			continue
		}
		if err == nil {
			err = s.bags(bags, maxDepth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// joined returns a string of bytes, which may come in pieces.
func joined(raw asn1.RawValue) ([]byte, error) {
	if !raw.IsCompound {
		return raw.Bytes, nil
	}
	var all []byte
	for rest := raw.Bytes; len(rest) > 0; {
		piece, behind, err := cutElement(rest)
		if err != nil || piece.constructed {
			return nil, errStoreForm
		}
		all, rest = append(all, piece.content...), behind
	}
	return all, nil
}

func (s *reader) bags(data []byte, depth int) error {
	data, err := toDER(data)
	if err != nil || depth == 0 {
		return errStoreForm
	}
	var all []struct {
		Type       asn1.ObjectIdentifier
		Value      asn1.RawValue `asn1:"tag:0,explicit"`
		Attributes asn1.RawValue `asn1:"set,optional"`
	}
	if unmarshal(data, &all) != nil {
		return errStoreForm
	}
	for _, bag := range all {
		value := bag.Value.FullBytes
		if bag.Value.Class == asn1.ClassContextSpecific {
			value = bag.Value.Bytes
		}
		var err error
		switch oid := bag.Type.String(); {
		case oid == oidKeyBag && s.key == nil:
			s.key, err = parsePKCS8(value)
		case oid == oidLockedKeyBag && s.key == nil:
			var locked struct {
				Algorithm pkix.AlgorithmIdentifier
				Data      []byte
			}
			if unmarshal(value, &locked) != nil {
				return errStoreForm
			}
			s.key, err = decryptKey(locked.Algorithm, locked.Data, s.password, s.bmp)
		case oid == oidCertBag:
			var c struct {
				Type asn1.ObjectIdentifier
				DER  []byte `asn1:"tag:0,explicit"`
			}
			if unmarshal(value, &c) != nil {
				return errStoreForm
			}
			if c.Type.String() == oidX509 {
				s.certificates = append(s.certificates, c.DER)
			}
		case oid == oidNestedBag:
			err = s.bags(value, depth-1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// split finds the certificate of the key, and those that lead from it to its authority, in that order.
func (s *reader) split() *Store {
	store := &Store{Key: s.key}
	var others []*x509.Certificate
	for _, der := range s.certificates {
		cert, err := ParseCertificate(der)
		switch {
		case err != nil:
		case store.Leaf == nil && Fits(cert, s.key):
			store.Leaf = cert
		default:
			others = append(others, cert)
		}
	}
	for last := store.Leaf; last != nil && !bytes.Equal(last.RawIssuer, last.RawSubject); {
		i := slices.IndexFunc(others, func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawSubject, last.RawIssuer) && last.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			break
		}
		last = others[i]
		store.Chain = append(store.Chain, last)
		others = slices.Delete(others, i, i+1)
	}
	return store
}

// Fits tells whether key is the private key of cert.
func Fits(cert *x509.Certificate, key crypto.PrivateKey) bool {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return false
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}

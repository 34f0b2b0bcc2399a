package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
)

var (
	// ErrNoPassword tells that a key is encrypted and no password was given.
	ErrNoPassword = errors.New("the private key is encrypted and there is no password for it")
	// ErrNoKey tells that a text has no private key.
	ErrNoKey = errors.New("no private key found")

	errKeyForm = errors.New("the private key cannot be read")
	errLabel   = errors.New("the label of the private key names another algorithm than it has")
)

// PrivateKey returns the first private key of a PEM text that can be read. has tells that there is a password, which may be empty;
// it counts for encrypted keys only. The error is of the first key that could not be read.
func PrivateKey(data []byte, password string, has bool) (crypto.PrivateKey, error) {
	failed, all := ErrNoKey, data
	for {
		block, rest, err := Next(data)
		if errors.Is(err, io.EOF) && errors.Is(failed, ErrNoKey) {
			return nil, Hint(ErrNoKey, all)
		}
		if errors.Is(err, io.EOF) {
			return nil, failed
		}
		var key crypto.PrivateKey
		if err == nil {
			if key, err = keyOf(block, password, has); err == nil && key != nil {
				return key, nil
			}
		}
		if err != nil && errors.Is(failed, ErrNoKey) {
			failed = err
		}
		data = rest
	}
}

// keyOf returns the key of a block, or nil where it is none.
func keyOf(block *Block, password string, has bool) (crypto.PrivateKey, error) {
	switch block.Type {
	case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY":
	default:
		return nil, nil //nolint:nilnil // is not an error
	}
	der, encrypted := block.Bytes, block.header != ""
	if encrypted {
		var err error
		if der, err = decryptPEM(block, password, has); err != nil {
			return nil, err
		}
	}
	key, err := parseKey(block.Type, der, password, has)
	// What a wrong password decrypts to is nothing, even where its end looks like padding.
	if encrypted && errors.Is(err, errKeyForm) {
		err = ErrPassword
	}
	return key, err
}

func parseKey(kind string, der []byte, password string, has bool) (crypto.PrivateKey, error) {
	switch kind {
	case "RSA PRIVATE KEY":
		if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
			return key, nil
		}
		key, err := parsePKCS8(der) // which may stand under an old label too
		if _, ok := key.(*rsa.PrivateKey); err == nil && !ok {
			return nil, errLabel
		}
		return key, err
	case "EC PRIVATE KEY":
		key, err := parseEC(der, nil)
		if err == nil || !errors.Is(err, errKeyForm) {
			return key, err
		}
		other, err := parsePKCS8(der)
		if _, ok := other.(*ecdsa.PrivateKey); err == nil && !ok {
			return nil, errLabel
		}
		return other, err
	case "DSA PRIVATE KEY":
		return nil, unsupported("a key for DSA")
	default:
		var locked struct {
			Algorithm pkix.AlgorithmIdentifier
			Data      []byte
		}
		if unmarshal(der, &locked) == nil {
			if !has {
				return nil, ErrNoPassword
			}
			return decryptKey(locked.Algorithm, locked.Data, password, bmpString(password))
		}
	}
	return parsePKCS8(der)
}

func decryptKey(algorithm pkix.AlgorithmIdentifier, data []byte, password string, bmp []byte) (crypto.PrivateKey, error) {
	plain, err := decryptPBE(algorithm, data, password, bmp)
	if err != nil {
		return nil, err
	}
	key, err := parsePKCS8(plain)
	if errors.Is(err, errKeyForm) {
		err = ErrPassword
	}
	return key, err
}

// The algorithms of keys that are read. Part of PKCS#8.
var (
	oidRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC      = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidEd25519 = asn1.ObjectIdentifier{1, 3, 101, 112}
)

// parsePKCS8 reads a PrivateKeyInfo of RFC 5958.
func parsePKCS8(der []byte) (crypto.PrivateKey, error) {
	var info struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		Key        []byte
		Attributes asn1.RawValue `asn1:"optional,tag:0"`
		Public     asn1.RawValue `asn1:"optional,tag:1"`
	}
	if unmarshal(der, &info) != nil {
		return nil, errKeyForm
	}
	switch oid := info.Algorithm.Algorithm; {
	case oid.Equal(oidEC):
		return parseEC(info.Key, info.Algorithm.Parameters.FullBytes)
	case oid.Equal(oidRSA):
		key, err := x509.ParsePKCS1PrivateKey(info.Key)
		if err != nil {
			return nil, err
		}
		return key, nil
	case oid.Equal(oidEd25519):
		return x509.ParsePKCS8PrivateKey(der)
	default:
		return nil, unsupported("a key for %s", nameOf(oid))
	}
}

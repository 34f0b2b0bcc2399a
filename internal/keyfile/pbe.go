package keyfile

import (
	"bytes"
	"crypto/md5" //nolint:gosec // keys were derived with it
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/scrypt"
)

// mostIterations bounds the work for one file: some seconds. Only tests change it.
var mostIterations = 10_000_000

// Password encryption of PKCS#5 (RFC 8018) and PKCS#12 (RFC 7292). In names, what OpenSSL has in its legacy provider only.
const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
	oidScrypt = "1.3.6.1.4.1.11591.4.11"
	oid3DES   = "1.2.840.113549.1.12.1.3"
	oid2DES   = "1.2.840.113549.1.12.1.4"
)

var schemeOIDs = map[string]string{
	"1.2.840.113549.3.7":        "DES-EDE3-CBC",
	"2.16.840.1.101.3.4.1.1":    "AES-128-ECB",
	"2.16.840.1.101.3.4.1.2":    "AES-128-CBC",
	"2.16.840.1.101.3.4.1.3":    "AES-128-OFB",
	"2.16.840.1.101.3.4.1.4":    "AES-128-CFB",
	"2.16.840.1.101.3.4.1.21":   "AES-192-ECB",
	"2.16.840.1.101.3.4.1.22":   "AES-192-CBC",
	"2.16.840.1.101.3.4.1.23":   "AES-192-OFB",
	"2.16.840.1.101.3.4.1.24":   "AES-192-CFB",
	"2.16.840.1.101.3.4.1.41":   "AES-256-ECB",
	"2.16.840.1.101.3.4.1.42":   "AES-256-CBC",
	"2.16.840.1.101.3.4.1.43":   "AES-256-OFB",
	"2.16.840.1.101.3.4.1.44":   "AES-256-CFB",
	"1.2.392.200011.61.1.1.1.2": "CAMELLIA-128-CBC",
	"1.2.392.200011.61.1.1.1.3": "CAMELLIA-192-CBC",
	"1.2.392.200011.61.1.1.1.4": "CAMELLIA-256-CBC",
	"0.3.4401.5.3.1.9.1":        "CAMELLIA-128-ECB",
	"0.3.4401.5.3.1.9.3":        "CAMELLIA-128-OFB",
	"0.3.4401.5.3.1.9.4":        "CAMELLIA-128-CFB",
	"0.3.4401.5.3.1.9.9":        "CAMELLIA-128-CTR",
	"0.3.4401.5.3.1.9.21":       "CAMELLIA-192-ECB",
	"0.3.4401.5.3.1.9.23":       "CAMELLIA-192-OFB",
	"0.3.4401.5.3.1.9.24":       "CAMELLIA-192-CFB",
	"0.3.4401.5.3.1.9.29":       "CAMELLIA-192-CTR",
	"0.3.4401.5.3.1.9.41":       "CAMELLIA-256-ECB",
	"0.3.4401.5.3.1.9.43":       "CAMELLIA-256-OFB",
	"0.3.4401.5.3.1.9.44":       "CAMELLIA-256-CFB",
	"0.3.4401.5.3.1.9.49":       "CAMELLIA-256-CTR",
}

// algorithmNames are what is known and not read, for messages.
var algorithmNames = map[string]string{
	"1.2.840.113549.1.5.1":    "PBE-MD2-DES",
	"1.2.840.113549.1.5.3":    "PBE-MD5-DES",
	"1.2.840.113549.1.5.4":    "PBE-MD2-RC2-64",
	"1.2.840.113549.1.5.6":    "PBE-MD5-RC2-64",
	"1.2.840.113549.1.5.10":   "PBE-SHA1-DES",
	"1.2.840.113549.1.5.11":   "PBE-SHA1-RC2-64",
	"1.2.840.113549.1.12.1.1": "PBE-SHA1-RC4-128",
	"1.2.840.113549.1.12.1.2": "PBE-SHA1-RC4-40",
	"1.2.840.113549.1.12.1.5": "PBE-SHA1-RC2-128",
	"1.2.840.113549.1.12.1.6": "PBE-SHA1-RC2-40",
	"1.2.840.113549.3.2":      "RC2-CBC",
	"1.2.840.113549.3.4":      "RC4",
	"1.3.14.3.2.7":            "DES-CBC",
	"1.3.6.1.4.1.3029.1.2":    "BF-CBC",
	"1.2.840.113533.7.66.10":  "CAST5-CBC",
	"1.2.410.200004.1.4":      "SEED-CBC",
	"1.2.410.200046.1.1.2":    "ARIA-128-CBC",
	"1.2.410.200046.1.1.7":    "ARIA-192-CBC",
	"1.2.410.200046.1.1.12":   "ARIA-256-CBC",
	"1.2.156.10197.1.104.2":   "SM4-CBC",
	"1.2.156.10197.1.401.2":   "HMAC-SM3",
	"1.2.156.10197.1.401":     "SM3",
	"2.16.840.1.101.3.4.1.6":  "AES-128-GCM",
	"2.16.840.1.101.3.4.1.26": "AES-192-GCM",
	"2.16.840.1.101.3.4.1.46": "AES-256-GCM",
	"1.2.840.113549.1.1.10":   "RSA-PSS",
	"1.2.840.10040.4.1":       "DSA",
	"1.2.840.113549.1.3.1":    "DH",
	"1.3.101.110":             "X25519",
	"1.3.101.111":             "X448",
	"1.3.101.113":             "ED448",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44",
	"2.16.840.1.101.3.4.3.18": "ML-DSA-65",
	"2.16.840.1.101.3.4.3.19": "ML-DSA-87",
	"1.2.840.113549.2.5":      "MD5",
	"1.3.132.0.10":            "secp256k1",
	"1.2.840.10045.3.1.1":     "prime192v1",
	"1.3.36.3.3.2.8.1.1.7":    "brainpoolP256r1",
	"1.3.36.3.3.2.8.1.1.11":   "brainpoolP384r1",
	"1.3.36.3.3.2.8.1.1.13":   "brainpoolP512r1",
	"1.2.156.10197.1.301":     "SM2",
}

// nameOf returns the name of an algorithm, or its number where it has none here.
func nameOf(oid asn1.ObjectIdentifier) string {
	if name, ok := algorithmNames[oid.String()]; ok {
		return name
	}
	return "OID " + oid.String()
}

// pseudoRandom are the functions of PBKDF2.
var pseudoRandom = map[string]func() hash.Hash{
	"1.2.840.113549.2.6":      md5.New,
	"1.2.840.113549.2.7":      sha1.New,
	"1.2.840.113549.2.8":      sha256.New224,
	"1.2.840.113549.2.9":      sha256.New,
	"1.2.840.113549.2.10":     sha512.New384,
	"1.2.840.113549.2.11":     sha512.New,
	"1.2.840.113549.2.12":     sha512.New512_224,
	"1.2.840.113549.2.13":     sha512.New512_256,
	"2.16.840.1.101.3.4.2.13": func() hash.Hash { return sha3.New224() },
	"2.16.840.1.101.3.4.2.14": func() hash.Hash { return sha3.New256() },
	"2.16.840.1.101.3.4.2.15": func() hash.Hash { return sha3.New384() },
	"2.16.840.1.101.3.4.2.16": func() hash.Hash { return sha3.New512() },
}

var errParameters = errors.New("the parameters of its encryption cannot be read")

// decryptPBE decrypts what a password protects. bmp is the password as PKCS#12 hashes it.
func decryptPBE(algorithm pkix.AlgorithmIdentifier, data []byte, password string, bmp []byte) ([]byte, error) {
	switch oid := algorithm.Algorithm.String(); oid {
	case oidPBES2:
		return decryptPBES2(algorithm.Parameters.FullBytes, data, password)
	case oid3DES, oid2DES:
		var p struct {
			Salt       []byte
			Iterations int
		}
		if unmarshal(algorithm.Parameters.FullBytes, &p) != nil {
			return nil, errParameters
		}
		if err := checkIterations(p.Iterations); err != nil {
			return nil, err
		}
		family := "DES-EDE3-CBC"
		if oid == oid2DES {
			family = "DES-EDE-CBC"
		}
		s, err := schemeNamed(family)
		if err != nil {
			return nil, err
		}
		key := deriveStore(sha1.New, 1, bmp, p.Salt, p.Iterations, s.keySize)
		iv := deriveStore(sha1.New, 2, bmp, p.Salt, p.Iterations, s.ivSize)
		return s.decrypt(key, iv, data)
	}
	return nil, unsupportedEncryption(nameOf(algorithm.Algorithm))
}

func checkIterations(n int) error {
	if n < 1 || n > mostIterations {
		return fmt.Errorf("the password is hashed %d times, which is not from 1 to %d", n, mostIterations)
	}
	return nil
}

func decryptPBES2(parameters, data []byte, password string) ([]byte, error) {
	var p struct{ KDF, Scheme pkix.AlgorithmIdentifier }
	if unmarshal(parameters, &p) != nil {
		return nil, errParameters
	}
	name, ok := schemeOIDs[p.Scheme.Algorithm.String()]
	if !ok {
		return nil, unsupportedEncryption(nameOf(p.Scheme.Algorithm))
	}
	s, err := schemeNamed(name)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if s.ivSize > 0 && (unmarshal(p.Scheme.Parameters.FullBytes, &iv) != nil || len(iv) != s.ivSize) {
		return nil, errParameters
	}
	key, err := deriveKey(p.KDF, password, s.keySize)
	if err != nil {
		return nil, err
	}
	return s.decrypt(key, iv, data)
}

// deriveKey makes a key of size bytes out of a password, or a MAC key of the size that the parameters say where size is 0.
func deriveKey(kdf pkix.AlgorithmIdentifier, password string, size int) ([]byte, error) {
	switch kdf.Algorithm.String() {
	case oidPBKDF2:
		var p struct {
			Salt       []byte
			Iterations int
			Size       int                      `asn1:"optional"`
			Function   pkix.AlgorithmIdentifier `asn1:"optional"`
		}
		if unmarshal(kdf.Parameters.FullBytes, &p) != nil {
			return nil, errParameters
		}
		if err := checkIterations(p.Iterations); err != nil {
			return nil, err
		}
		function := sha1.New // RFC 8018, appendix A.2
		if p.Function.Algorithm != nil {
			var ok bool
			if function, ok = pseudoRandom[p.Function.Algorithm.String()]; !ok {
				return nil, unsupported("PBKDF2 with %s", nameOf(p.Function.Algorithm))
			}
		}
		const mostMAC = 64 // of SHA-512; RFC 9879
		switch {
		case size == 0 && p.Size > 0 && p.Size <= mostMAC:
			size = p.Size
		case size == 0 || p.Size != 0 && p.Size != size:
			return nil, errParameters
		}
		return pbkdf2.Key(function, password, p.Salt, p.Iterations, size)
	case oidScrypt:
		var p struct {
			Salt    []byte
			N, R, P int
			Size    int `asn1:"optional"`
		}
		if unmarshal(kdf.Parameters.FullBytes, &p) != nil || size == 0 || p.Size != 0 && p.Size != size {
			return nil, errParameters
		}
		const most = 32 << 20 // bytes, OpenSSL's limit
		if p.N < 2 || p.R < 1 || p.P < 1 || p.R > most || p.P > most || p.N > most || 128*p.R*(p.N+p.P)+128*p.R > most {
			return nil, unsupported("scrypt with N=%d, r=%d and p=%d, which needs more than 32 MiB,", p.N, p.R, p.P)
		}
		return scrypt.Key([]byte(password), p.Salt, p.N, p.R, p.P, size)
	}
	return nil, unsupported("deriving a key with %s", nameOf(kdf.Algorithm))
}

// bmpString is a password as PKCS#12 hashes it: UTF-16 with a zero behind it. What is not UTF-8 is taken as Latin-1, as by OpenSSL.
func bmpString(password string) []byte {
	var runes []rune
	if utf8.ValidString(password) {
		runes = []rune(password)
	} else {
		for _, b := range []byte(password) {
			runes = append(runes, rune(b))
		}
	}
	var out []byte
	for _, u := range append(utf16.Encode(runes), 0) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// deriveStore is the derivation of PKCS#12: RFC 7292, appendix B.2. id is 1 for a key, 2 for an initialisation vector and 3 for a MAC.
func deriveStore(function func() hash.Hash, id byte, password, salt []byte, iterations, size int) []byte {
	h := function()
	u, v := h.Size(), h.BlockSize()
	fill := func(data []byte) []byte {
		size := (len(data) + v - 1) / v * v
		return bytes.Repeat(data, size/max(len(data), 1)+1)[:size]
	}
	in := append(fill(salt), fill(password)...)
	prefix := bytes.Repeat([]byte{id}, v)
	var out []byte
	for len(out) < size {
		h.Reset()
		h.Write(prefix)
		h.Write(in)
		a := h.Sum(nil)
		for range iterations - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		out = append(out, a...)
		// Each block of in becomes itself plus a, repeated, plus one.
		for block := in; len(block) > 0; block = block[v:] {
			carry := 1
			for i := v - 1; i >= 0; i-- {
				carry += int(block[i]) + int(a[i%u])
				block[i] = byte(carry)
				carry >>= 8
			}
		}
	}
	return out[:size]
}

// decryptPEM decrypts a block that its header says is encrypted: RFC 1421 as OpenSSL writes it.
func decryptPEM(block *Block, password string, has bool) ([]byte, error) {
	bad := func() ([]byte, error) {
		return nil, fmt.Errorf("the header of the PEM block %q cannot be read", block.Type)
	}
	first, rest, _ := strings.Cut(block.header, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	version, ok := strings.CutPrefix(first, "Proc-Type:")
	info, found := strings.CutPrefix(second, "DEK-Info:")
	if strings.ReplaceAll(strings.TrimSpace(version), " ", "") != "4,ENCRYPTED" || !ok || !found {
		return bad()
	}
	name, ivText, _ := strings.Cut(info, ",")
	name = strings.TrimSpace(name)
	s, err := schemeNamed(name)
	if err != nil {
		return nil, err
	}
	iv, err := hex.DecodeString(strings.TrimSpace(ivText))
	if err != nil || len(iv) != s.ivSize || len(iv) < 8 {
		return bad()
	}
	if !has {
		return nil, ErrNoPassword
	}
	// EVP_BytesToKey with MD5 and one round: the initialisation vector is the salt.
	var key, last []byte
	for len(key) < s.keySize {
		h := md5.New() //nolint:gosec // the format is so
		h.Write(last)
		h.Write([]byte(password))
		h.Write(iv[:8])
		last = h.Sum(nil)
		key = append(key, last...)
	}
	return s.decrypt(key[:s.keySize], iv, block.Bytes)
}

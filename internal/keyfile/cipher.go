package keyfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
)

// A scheme is a block cipher in a mode, as it encrypts a key.
type scheme struct {
	name    string
	keySize int
	ivSize  int // 0 has none
	block   func(key []byte) (cipher.Block, error)
	mode    func(block cipher.Block, iv, data []byte)
	padded  bool // the last block is filled up
}

// ErrPassword tells that a password does not fit. The words are OpenSSL's.
var ErrPassword = errors.New("bad decrypt")

// An UnsupportedError names an algorithm that is not read.
type UnsupportedError struct {
	What   string
	Advice string // what to do instead; "" is nothing
}

func (e *UnsupportedError) Error() string { return e.What + " is not supported" + e.Advice }

func unsupported(format string, args ...any) error {
	return &UnsupportedError{What: fmt.Sprintf(format, args...)}
}

func unsupportedEncryption(name string) error {
	return &UnsupportedError{What: "encryption with " + name, Advice: ": encrypt it again with AES-256-CBC"}
}

// families are the block ciphers, by the name that OpenSSL has for them before the mode.
var families = map[string]struct {
	keySize, blockSize int
	block              func(key []byte) (cipher.Block, error)
}{
	"AES-128":      {16, 16, aes.NewCipher},
	"AES-192":      {24, 16, aes.NewCipher},
	"AES-256":      {32, 16, aes.NewCipher},
	"CAMELLIA-128": {16, 16, newCamellia},
	"CAMELLIA-192": {24, 16, newCamellia},
	"CAMELLIA-256": {32, 16, newCamellia},
	"DES-EDE":      {16, 8, twoKeyTripleDES},
	"DES-EDE3":     {24, 8, des.NewTripleDESCipher},
}

func twoKeyTripleDES(key []byte) (cipher.Block, error) {
	return des.NewTripleDESCipher(append(key[:16:16], key[:8]...))
}

// schemeNamed returns the scheme with the name that OpenSSL has for it, such as AES-256-CBC, in any case.
func schemeNamed(name string) (*scheme, error) {
	upper := strings.ToUpper(name)
	switch upper {
	case "DES3":
		upper = "DES-EDE3-CBC"
	case "DES-EDE-ECB", "DES-EDE3-ECB":
		return nil, unsupportedEncryption(name)
	case "DES-EDE", "DES-EDE3":
		upper += "-ECB"
	}
	cut := strings.LastIndexByte(upper, '-')
	if cut < 0 {
		return nil, unsupportedEncryption(name)
	}
	family, ok := families[upper[:cut]]
	if !ok {
		return nil, unsupportedEncryption(name)
	}
	s := &scheme{name: upper, keySize: family.keySize, ivSize: family.blockSize, block: family.block}
	switch upper[cut+1:] {
	case "CBC":
		s.mode, s.padded = decryptCBC, true
	case "ECB":
		s.mode, s.padded, s.ivSize = decryptECB, true, 0
	case "CFB":
		s.mode = func(b cipher.Block, iv, data []byte) { decryptCFB(b, iv, data, b.BlockSize()) }
	case "CFB8":
		s.mode = func(b cipher.Block, iv, data []byte) { decryptCFB(b, iv, data, 1) }
	case "OFB":
		s.mode = decryptOFB
	case "CTR":
		s.mode = func(b cipher.Block, iv, data []byte) { cipher.NewCTR(b, iv).XORKeyStream(data, data) }
	default:
		return nil, unsupportedEncryption(name)
	}
	return s, nil
}

func decryptCBC(b cipher.Block, iv, data []byte) {
	cipher.NewCBCDecrypter(b, iv).CryptBlocks(data, data)
}

func decryptECB(b cipher.Block, _, data []byte) {
	for n := b.BlockSize(); len(data) >= n; data = data[n:] {
		b.Decrypt(data[:n], data[:n])
	}
}

// decryptCFB and decryptOFB are here because those of package cipher are deprecated, and it has no CFB by single bytes.
func decryptCFB(b cipher.Block, iv, data []byte, step int) {
	register, stream := append([]byte(nil), iv...), make([]byte, b.BlockSize())
	for len(data) > 0 {
		n := min(step, len(data))
		b.Encrypt(stream, register)
		register = append(register[n:], data[:n]...)
		subtle.XORBytes(data, data[:n], stream)
		data = data[n:]
	}
}

func decryptOFB(b cipher.Block, iv, data []byte) {
	stream := append([]byte(nil), iv...)
	for len(data) > 0 {
		b.Encrypt(stream, stream)
		data = data[subtle.XORBytes(data, data, stream):]
	}
}

// decrypt returns what was encrypted. Padding that is wrong means a wrong password, or damage that looks like one.
func (s *scheme) decrypt(key, iv, data []byte) ([]byte, error) {
	b, err := s.block(key)
	if err != nil {
		return nil, err
	}
	size := b.BlockSize()
	if s.padded && (len(data) == 0 || len(data)%size != 0) {
		return nil, fmt.Errorf("what is encrypted with %s is not whole blocks", s.name)
	}
	plain := append([]byte(nil), data...)
	s.mode(b, iv, plain)
	if !s.padded {
		return plain, nil
	}
	n := int(plain[len(plain)-1])
	if n == 0 || n > size || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, ErrPassword
	}
	return plain[:len(plain)-n], nil
}

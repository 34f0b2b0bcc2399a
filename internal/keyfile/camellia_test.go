package keyfile

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The vectors of RFC 3713, appendix A.
func TestCamellia(t *testing.T) {
	const plain = "0123456789abcdeffedcba9876543210"
	for key, want := range map[string]string{
		"0123456789abcdeffedcba9876543210":                                 "67673138549669730857065648eabe43",
		"0123456789abcdeffedcba98765432100011223344556677":                 "b4993401b3e996f84ee5cee7d79b09b9",
		"0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff": "9acc237dff16d76c20ef7c919e3a7509",
	} {
		k, _ := hex.DecodeString(key)
		in, _ := hex.DecodeString(plain)
		c, err := newCamellia(k)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 16)
		c.Encrypt(out, in)
		if got := hex.EncodeToString(out); got != want {
			t.Errorf("a key of %d bits gives %s, want %s", 8*len(k), got, want)
		}
		c.Decrypt(out, out)
		if !bytes.Equal(out, in) {
			t.Errorf("a key of %d bits decrypts to %x", 8*len(k), out)
		}
	}
}

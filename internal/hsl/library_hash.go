package hsl

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"hash/fnv"
)

// The digests are in lower-case hexadecimal. None of their options are supported.
var hashFunctions = map[string]builtin{
	"md5":       {params: "s|a", fn: digest(md5.New)},
	"sha1":      {params: "s|a", fn: digest(sha1.New)},
	"sha2":      {params: "sn|a", fn: sha2Digest},
	"hmac_md5":  {params: "ss|a", fn: keyed(md5.New)},
	"hmac_sha1": {params: "ss|a", fn: keyed(sha1.New)},
	"hmac_sha2": {params: "ssn|a", fn: sha2Keyed},
	"hash": {params: "s", fn: func(_ site, args []Value) (Value, error) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(str(args[0]))) // a hash never fails
		return Number(h.Sum32()), nil
	}},
	"random_bytes": {params: "n", fn: func(_ site, args []Value) (Value, error) {
		n, ok := whole(args[0].(Number))
		if !ok || n < 0 || n > 1<<20 {
			return nil, errorString("random_bytes gives 0 to 1048576 bytes")
		}
		b := make([]byte, n)
		_, _ = rand.Read(b) // documented never to fail
		return String(b), nil
	}},
}

func sum(h hash.Hash, message string) Value {
	_, _ = h.Write([]byte(message)) // a hash never fails
	return String(hex.EncodeToString(h.Sum(nil)))
}

func digest(newHash func() hash.Hash) func(site, []Value) (Value, error) {
	return func(_ site, args []Value) (Value, error) {
		if _, err := flags(args, 1); err != nil {
			return nil, err
		}
		return sum(newHash(), str(args[0])), nil
	}
}

func keyed(newHash func() hash.Hash) func(site, []Value) (Value, error) {
	return func(_ site, args []Value) (Value, error) {
		if _, err := flags(args, 2); err != nil {
			return nil, err
		}
		return sum(hmac.New(newHash, []byte(str(args[0]))), str(args[1])), nil
	}
}

func sha2(size Value) (func() hash.Hash, error) {
	switch num(size) {
	case 224:
		return sha256.New224, nil
	case 256:
		return sha256.New, nil
	case 384:
		return sha512.New384, nil
	case 512:
		return sha512.New, nil
	}
	return nil, errorString("the hash size must be 224, 256, 384 or 512")
}

func sha2Digest(c site, args []Value) (Value, error) {
	h, err := sha2(args[1])
	if err != nil {
		return nil, err
	}
	return digest(h)(c, append([]Value{args[0]}, args[2:]...))
}

func sha2Keyed(c site, args []Value) (Value, error) {
	h, err := sha2(args[2])
	if err != nil {
		return nil, err
	}
	return keyed(h)(c, append([]Value{args[0], args[1]}, args[3:]...))
}

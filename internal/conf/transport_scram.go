package conf

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
)

// scramSHA1 is SCRAM (RFC 5802) with SHA-1. librdkafka accepts it, and franz-go does not have it.
type scramSHA1 struct{ credentials }

// Name implements [sasl.Mechanism].
func (scramSHA1) Name() string { return "SCRAM-SHA-1" }

// Authenticate implements [sasl.Mechanism].
func (m scramSHA1) Authenticate(context.Context, string) (sasl.Session, []byte, error) {
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(m.get("sasl.username"))
	s := &scramSession{password: m.get("sasl.password"), nonce: rand.Text()}
	s.first = "n=" + user + ",r=" + s.nonce
	return s, []byte("n,," + s.first), nil
}

type scramSession struct {
	password, nonce string
	first           string // the client's first message, without its header
	signature       []byte // that the server must show; nil before the first challenge
}

var errScram = errors.New("SCRAM-SHA-1: the broker's answer does not make sense")

// Challenge implements [sasl.Session].
func (s *scramSession) Challenge(challenge []byte) (bool, []byte, error) {
	field := map[string]string{}
	for item := range strings.SplitSeq(string(challenge), ",") {
		if name, text, ok := strings.Cut(item, "="); ok {
			field[name] = text
		}
	}
	if reason, failed := field["e"]; failed {
		return false, nil, errors.New("SCRAM-SHA-1: the broker refuses the login: " + reason)
	}
	if s.signature != nil {
		verifier, err := base64.StdEncoding.DecodeString(field["v"])
		if err != nil || !hmac.Equal(verifier, s.signature) {
			return false, nil, errors.New("SCRAM-SHA-1: the broker does not know the password")
		}
		return true, nil, nil
	}
	salt, err := base64.StdEncoding.DecodeString(field["s"])
	rounds, errRounds := strconv.Atoi(field["i"])
	const mostRounds = 1 << 20 // a broker that asks for more only wants to keep us busy
	if err != nil || errRounds != nil || rounds < 1 || rounds > mostRounds || !strings.HasPrefix(field["r"], s.nonce) {
		return false, nil, errScram
	}
	salted, err := pbkdf2.Key(sha1.New, s.password, salt, rounds, sha1.Size)
	if err != nil {
		return false, nil, errScram
	}
	final := "c=biws,r=" + field["r"]
	message := bytes.Join([][]byte{[]byte(s.first), challenge, []byte(final)}, []byte(","))
	clientKey := mac(salted, []byte("Client Key"))
	stored := sha1.Sum(clientKey)
	proof := mac(stored[:], message)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	s.signature = mac(mac(salted, []byte("Server Key")), message)
	return false, []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha1.New, key)
	h.Write(message)
	return h.Sum(nil)
}

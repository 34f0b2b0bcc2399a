package conf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/keyfile"
)

// assertion returns the signed statement that the grant type jwt-bearer trades for a token: from a
// file, or made of the claim properties. Files are read each time, so that a new one counts.
func (o *oidc) assertion() (string, error) {
	const prefix = "sasl.oauthbearer.assertion."
	if path := o.conf.text(prefix + "file"); path != "" {
		data, err := readFile(path)
		if err != nil {
			return "", fmt.Errorf("%sfile: %w", prefix, err)
		}
		return strings.TrimSpace(string(data)), nil
	}
	head, claims := map[string]any{}, map[string]any{}
	if path := o.conf.text(prefix + "jwt.template.file"); path != "" {
		data, err := readFile(path)
		var template struct{ Header, Payload map[string]any }
		if err == nil {
			err = json.Unmarshal(data, &template)
		}
		if head, claims = template.Header, template.Payload; err != nil || head == nil || claims == nil {
			return "", fmt.Errorf("%sjwt.template.file: %s is not a JSON file with header and payload", prefix, path)
		}
	}
	now := time.Now().Unix()
	algorithm := o.conf.word(prefix + "algorithm")
	head["alg"], head["typ"] = algorithm, "JWT"
	claims["iat"] = now
	claims["exp"] = now + int64(o.conf.number(prefix+"claim.exp.seconds"))
	claims["nbf"] = now - int64(o.conf.number(prefix+"claim.nbf.seconds"))
	for _, name := range []string{"sub", "iss", "aud"} {
		if text := o.conf.text(prefix + "claim." + name); text != "" {
			claims[name] = text
		}
	}
	if o.conf.truth(prefix + "claim.jti.include") {
		claims["jti"] = rand.Text()
	}
	unsigned, err := encodeToken(head, claims)
	if err != nil {
		return "", err
	}
	key, err := o.assertionKey(prefix)
	if err != nil {
		return "", err
	}
	signature, err := sign(algorithm, key, unsigned)
	if err != nil {
		return "", err
	}
	return unsigned + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// assertionKey reads the key that signs.
func (o *oidc) assertionKey(prefix string) (crypto.PrivateKey, error) {
	data := []byte(o.get(prefix + "private.key.pem"))
	if path := o.conf.text(prefix + "private.key.file"); path != "" {
		var err error
		if data, err = readFile(path); err != nil {
			return nil, fmt.Errorf("%sprivate.key.file: %w", prefix, err)
		}
	}
	password := o.get(prefix + "private.key.passphrase")
	key, err := keyfile.PrivateKey(data, password, password != "")
	if err != nil {
		return nil, fmt.Errorf("%sprivate.key: %w", prefix, err)
	}
	return key, nil
}

// sign signs as RFC 7518 says. Compat: librdkafka puts an ES256 signature into the token in the form
// of X.509, which no verifier of tokens reads.
func sign(algorithm string, key crypto.PrivateKey, message string) ([]byte, error) {
	digest := sha256.Sum256([]byte(message))
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if algorithm == "RS256" {
			return rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, digest[:])
		}
	case *ecdsa.PrivateKey:
		const size = 32 // of each of the two numbers, on the curve of ES256
		if algorithm == "ES256" && k.Curve.Params().BitSize == 8*size {
			r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
			if err != nil {
				return nil, err
			}
			signature := make([]byte, 2*size)
			r.FillBytes(signature[:size])
			s.FillBytes(signature[size:])
			return signature, nil
		}
	}
	return nil, errors.New("sasl.oauthbearer.assertion.algorithm=" + algorithm + " does not go with this kind of key")
}

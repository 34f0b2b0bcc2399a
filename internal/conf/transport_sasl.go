package conf

import (
	"context"
	"errors"
	"os"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// credentials gives the secrets of a login at the moment of the login, so that a new password is
// used by the next connection.
type credentials struct {
	conf   *Conf
	secret func(property string) (string, bool)
}

// get returns the text of a property, from outside if it is kept there.
func (c credentials) get(property string) string {
	if c.secret != nil {
		if text, ok := c.secret(property); ok {
			return text
		}
	}
	return c.conf.text(property)
}

func (s *Settings) mechanism(c credentials) sasl.Mechanism {
	scramAuth := func(context.Context) (scram.Auth, error) {
		return scram.Auth{User: c.get("sasl.username"), Pass: c.get("sasl.password")}, nil
	}
	switch s.SASLMechanism {
	case "PLAIN":
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			return plain.Auth{User: c.get("sasl.username"), Pass: c.get("sasl.password")}, nil
		})
	case "SCRAM-SHA-1":
		return scramSHA1{c}
	case "SCRAM-SHA-256":
		return scram.Sha256(scramAuth)
	case "SCRAM-SHA-512":
		return scram.Sha512(scramAuth)
	case "OAUTHBEARER":
		return oauth.Oauth(s.tokenSource(c))
	case "GSSAPI":
		return gssapi(c)
	case mechanismAWS:
		return aws.ManagedStreamingIAM(func(context.Context) (aws.Auth, error) { return awsAuth(c) })
	}
	return nil
}

// tokenSource returns where OAUTHBEARER tokens come from.
func (s *Settings) tokenSource(c credentials) func(context.Context) (oauth.Auth, error) {
	switch {
	case s.conf.word("sasl.oauthbearer.method") == "oidc":
		return newOIDC(s, c).auth
	case s.conf.truth("enable.sasl.oauthbearer.unsecure.jwt"):
		return func(context.Context) (oauth.Auth, error) { return unsecuredToken(c) }
	}
	// librdkafka waits for its program to bring a token here, and this plugin's original brings none.
	return func(context.Context) (oauth.Auth, error) {
		return oauth.Auth{}, errors.New("OAUTHBEARER has no token: set sasl.oauthbearer.method=oidc or enable.sasl.oauthbearer.unsecure.jwt=true")
	}
}

// mechanismAWS is beyond librdkafka, which refuses it; see finalizeSASL.
const mechanismAWS = "AWS_MSK_IAM"

var errNoAWS = errors.New("AWS_MSK_IAM needs an access key: set sasl.username and sasl.password, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")

// awsAuth takes the access key from the user name and the password, or else from the environment,
// where a session token may belong to it.
func awsAuth(c credentials) (aws.Auth, error) {
	auth := aws.Auth{AccessKey: c.get("sasl.username"), SecretKey: c.get("sasl.password")}
	if auth.AccessKey == "" || auth.SecretKey == "" {
		auth.AccessKey, auth.SecretKey = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
		auth.SessionToken = os.Getenv("AWS_SESSION_TOKEN")
	}
	if auth.AccessKey == "" || auth.SecretKey == "" {
		return aws.Auth{}, errNoAWS
	}
	return auth, nil
}

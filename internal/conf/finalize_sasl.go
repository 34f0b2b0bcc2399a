package conf

import (
	"fmt"
	"slices"
	"strings"
)

// usesSASL and usesTLS tell what security.protocol asks for.
func (c *Conf) usesSASL() bool { return strings.HasPrefix(c.word("security.protocol"), "sasl_") }
func (c *Conf) usesTLS() bool  { return strings.HasSuffix(c.word("security.protocol"), "ssl") }

// finalizeSASL checks the mechanism, which counts only where the protocol logs in.
func (c *Conf) finalizeSASL() error {
	if !c.usesSASL() {
		return nil
	}
	mechanism := c.text("sasl.mechanisms")
	switch {
	case mechanism == "PLAIN", strings.HasPrefix(mechanism, "SCRAM-SHA-"):
		if !c.present("sasl.username") || !c.present("sasl.password") {
			return refuse("sasl.username and sasl.password must be set")
		}
		switch mechanism {
		case "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512":
			return nil
		}
		return refuse("Unsupported hash function: %s (try SCRAM-SHA-512)", mechanism)
	case mechanism == "OAUTHBEARER":
		return nil
	case mechanism == "GSSAPI":
		// Compat: librdkafka's release build is without it, so its own words are given unless there
		// is a keytab that can be used.
		_, err := loadKeytab(c.text("sasl.kerberos.keytab"))
		if err == nil {
			return nil
		}
		return refuseFor(c.reasonGSSAPI(err), "No provider for SASL mechanism GSSAPI: recompile librdkafka with libsasl2 or openssl support. "+
			"Current build options: PLAIN SASL_SCRAM OAUTHBEARER")
	case mechanism == mechanismAWS:
		// Compat: librdkafka does not have this one, so its own words are given unless there is a key.
		_, err := awsAuth(credentials{conf: c})
		if err == nil {
			return nil
		}
		return refuseFor(err.Error(), "Unsupported SASL mechanism: %s", mechanism)
	}
	return refuse("Unsupported SASL mechanism: %s", mechanism)
}

// reasonGSSAPI says what GSSAPI needs. It is the mechanism of who names none, and then another one is meant.
func (c *Conf) reasonGSSAPI(err error) string {
	reason := "GSSAPI needs a keytab, set sasl.kerberos.keytab and sasl.kerberos.principal"
	if c.present("sasl.kerberos.keytab") {
		reason = fmt.Sprintf("GSSAPI needs its keytab: %v", err)
	}
	if !c.modified("sasl.mechanisms") {
		reason += "; it is the default of sasl.mechanism, set that if another one is meant"
	}
	return reason
}

// refuseFor is refuse with a reason of our own.
func refuseFor(reason, format string, args ...any) error {
	return &NewError{Text: fmt.Sprintf(format, args...), Reason: reason}
}

// finalizeOAuth checks the token properties, whatever the protocol is. The mechanism's name counts
// without regard to case here, and with regard to it when the mechanism is chosen.
func (c *Conf) finalizeOAuth() error {
	if !equalFold(c.text("sasl.mechanisms"), "OAUTHBEARER") || c.word("sasl.oauthbearer.method") != "oidc" {
		return nil
	}
	if c.truth("enable.sasl.oauthbearer.unsecure.jwt") {
		return refuse("`enable.sasl.oauthbearer.unsecure.jwt` and `sasl.oauthbearer.method=oidc` are mutually exclusive")
	}
	cloud := c.word("sasl.oauthbearer.metadata.authentication.type")
	if !c.present("sasl.oauthbearer.token.endpoint.url") {
		switch cloud {
		case "azure_imds":
			if !hasQuery(c.text("sasl.oauthbearer.config")) {
				return refuse("`sasl.oauthbearer.token.endpoint.url` is mandatory for Azure IMDS authentication when `query` isn't set")
			}
		case "aws_iam": // asks its region's own address
		default:
			return refuse("`sasl.oauthbearer.token.endpoint.url` is mandatory when `sasl.oauthbearer.method=oidc` is set")
		}
	}
	if cloud == "none" {
		if err := c.finalizeGrant(); err != nil {
			return err
		}
	}
	c.global("enabled_events").number |= eventBackground
	c.global("enable_sasl_queue").number = 1
	if c.modified("sasl.oauthbearer.sub.claim.name") && trimLeftSpace(c.text("sasl.oauthbearer.sub.claim.name")) == "" {
		return refuse("`sasl.oauthbearer.sub.claim.name` must be non-empty and not contain only whitespace")
	}
	return nil
}

// finalizeGrant checks what a grant type needs and what excludes what.
func (c *Conf) finalizeGrant() error {
	if c.word("sasl.oauthbearer.grant.type") == "client_credentials" {
		for _, name := range []string{"sasl.oauthbearer.client.id", "sasl.oauthbearer.client.secret"} {
			if !c.present(name) {
				return refuse("`%s` is mandatory when `sasl.oauthbearer.method=oidc` is set", name)
			}
		}
		return nil
	}
	const (
		prefix  = "sasl.oauthbearer.assertion."
		keyFile = prefix + "private.key.file"
		keyPEM  = prefix + "private.key.pem"
	)
	exclusive := func(a, b string) error {
		return refuse("Mutually exclusive properties set. `%s` and `%s` cannot both be set", a, b)
	}
	if file := prefix + "file"; c.present(file) {
		for _, name := range []string{
			"private.key.file", "private.key.pem", "private.key.passphrase", "jwt.template.file",
			"claim.sub", "claim.aud", "claim.iss",
		} {
			if c.present(prefix + name) {
				return exclusive(file, prefix+name)
			}
		}
		for _, name := range []string{"claim.jti.include", "claim.exp.seconds", "claim.nbf.seconds"} {
			if c.modified(prefix + name) {
				return exclusive(file, prefix+name)
			}
		}
		return nil
	}
	if c.present(keyFile) && c.present(keyPEM) {
		return exclusive(keyFile, keyPEM)
	}
	if !c.present(keyFile) && !c.present(keyPEM) {
		return refuse("`%s` or `%s` is mandatory when `sasl.oauthbearer.grant.type` is set to "+
			"`urn:ietf:params:oauth:grant-type:jwt-bearer`", keyFile, keyPEM)
	}
	return nil
}

// hasQuery reports whether librdkafka finds "query" in sasl.oauthbearer.config. It looks at the
// first half of the pairs only, and at none if one of them is not a pair.
func hasQuery(config string) bool {
	pairs := configPairs(config)
	return slices.ContainsFunc(pairs[:(len(pairs)+1)/2], func(p [2]string) bool { return p[0] == "query" })
}

// configPairs splits "a=b,c=d". There are no pairs if an item has no name before its "=".
func configPairs(config string) (pairs [][2]string) {
	for item := range strings.SplitSeq(config, ",") {
		item = trimSpace(item)
		if item == "" {
			continue
		}
		name, text, found := strings.Cut(item, "=")
		if !found || name == "" {
			return nil
		}
		pairs = append(pairs, [2]string{name, text})
	}
	return pairs
}

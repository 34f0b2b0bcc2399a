package conf

import (
	"fmt"
	"os"
)

// An Advice is a sentence about a configuration that librdkafka takes without a word. It begins with the property.
type Advice struct {
	Property string
	Text     string
}

// Advice returns what an operator should know about the configuration as a whole: what goes over the network in plain
// text, what is not verified, what can never log in, and keys that other users can read. It looks at the files that
// properties name.
func (c *Conf) Advice() []Advice {
	var all []Advice
	say := func(property, format string, args ...any) {
		all = append(all, Advice{property, property + ": " + fmt.Sprintf(format, args...)})
	}
	mechanism := c.text("sasl.mechanisms")
	if c.usesSASL() && !c.usesTLS() {
		switch mechanism {
		case "PLAIN":
			say("security.protocol", "PLAIN without TLS sends the password over the network as it is: set sasl_ssl")
		case "OAUTHBEARER":
			say("security.protocol", "OAUTHBEARER without TLS sends the token over the network as it is: set sasl_ssl")
		}
	}
	if c.usesTLS() {
		switch {
		case !c.truth("enable.ssl.certificate.verification"):
			say("enable.ssl.certificate.verification", "it is false: any certificate is taken, so anybody on the way can read along and pretend to be the broker")
		case c.word("ssl.endpoint.identification.algorithm") == "none":
			say("ssl.endpoint.identification.algorithm", "it is none: a certificate for any other host is taken too")
		}
	}
	oidc := c.word("sasl.oauthbearer.method") == "oidc"
	if c.usesSASL() && mechanism == "OAUTHBEARER" {
		switch {
		case c.truth("enable.sasl.oauthbearer.unsecure.jwt"):
			say("enable.sasl.oauthbearer.unsecure.jwt", "the token is not signed: only brokers for tests take it")
		case !oidc:
			say("sasl.oauthbearer.method", "OAUTHBEARER has no way to a token: set it to oidc, with sasl.oauthbearer.token.endpoint.url")
		}
	}
	const endpoint = "sasl.oauthbearer.token.endpoint.url"
	if url := c.text(endpoint); oidc && c.word("sasl.oauthbearer.metadata.authentication.type") == "none" && len(url) > 7 && equalFold(url[:7], "http://") {
		say(endpoint, "its address is http: the client secret and the token go over the network as they are, use https")
	}
	for _, name := range []string{"ssl.key.location", "ssl.keystore.location", "sasl.kerberos.keytab", "sasl.oauthbearer.assertion.private.key.file"} {
		if text := (Source{File: c.text(name)}).Exposed(); text != "" {
			say(name, "%s", text)
		}
	}
	return all
}

// Exposed says that every user of the system can read what is in the source, or returns "".
func (s Source) Exposed() string {
	const others = 0o004
	info, err := os.Stat(s.File)
	if s.File == "" || err != nil || info.Mode().Perm()&others == 0 {
		return ""
	}
	return fmt.Sprintf("every user of this system can read the file %s: chmod o-r takes that away", s.File)
}

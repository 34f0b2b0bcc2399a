package conf

import (
	"math"
	"strings"
)

// saslProperties are the rows of logins, in librdkafka's order.
var saslProperties = []Property{
	{
		Name: "sasl.mechanisms", Kind: String, Default: "GSSAPI", Importance: High,
		invalid: func(s string) bool { return strings.ContainsAny(s, ", ") },
		Doc:     "How to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, GSSAPI with a keytab, or AWS_MSK_IAM with an access key.",
	},
	{Name: "sasl.mechanism", Kind: Alias, Alias: "sasl.mechanisms"},
	{
		Name: "sasl.kerberos.service.name", Kind: String, Default: "kafka", Importance: Low,
		Doc: "The Kerberos service name of the brokers.",
	},
	{
		Name: "sasl.kerberos.principal", Kind: String, Default: "kafkaclient", Importance: Low,
		Doc: "The Kerberos principal of this client.",
	},
	{
		Name: "sasl.kerberos.kinit.cmd", Kind: String, Default: "kinit -R -t \"%{sasl.kerberos.keytab}\" -k %{sasl.kerberos.principal} || kinit -t \"%{sasl.kerberos.keytab}\" -k %{sasl.kerberos.principal}", Importance: Low,
		Why: "the process takes its ticket itself with the keytab; the command is not run",
		Doc: "The command that renews the Kerberos ticket.",
	},
	{
		Name: "sasl.kerberos.keytab", Kind: String, Importance: Low,
		Why: "read at every login",
		Doc: "The Kerberos keytab of this client; GSSAPI needs it.",
	},
	{
		Name: "sasl.kerberos.min.time.before.relogin", Kind: Int, Max: 86400000, Default: "60000", Importance: Low,
		Why: "every login takes a ticket of its own",
		Doc: "The shortest pause between two Kerberos logins.",
	},
	{
		Name: "sasl.username", Kind: String, Importance: High,
		Doc: "The name to log in with.",
	},
	{
		Name: "sasl.password", Kind: String, Importance: High,
		Secret: true,
		Why:    "leading blanks are lost, as in librdkafka",
		Doc:    "The password to log in with.",
	},
	{
		Name: "sasl.oauthbearer.config", Kind: String, Importance: Low,
		Secret: true,
		Doc:    "Extensions for the unsecured token or the token service, as key=value pairs.",
	},
	{
		Name: "enable.sasl.oauthbearer.unsecure.jwt", Kind: Bool, Default: "false", Importance: Low,
		Doc: "Whether an unsigned token is made here; for tests only.",
	},
	{Name: "oauthbearer_token_refresh_cb", Kind: Pointer},
	{
		Name: "enable_sasl_queue", Kind: Bool, Default: "false", Importance: Low,
		Hidden: true,
		How:    NothingToDo, Why: "it moves callbacks of an interface that neither plugin uses",
		Doc: "Whether librdkafka serves login callbacks on a queue of their own.",
	},
	{
		Name: "sasl.oauthbearer.method", Kind: Enum, Default: "default", Importance: Low,
		Words: []Word{{Name: "default", Value: 0}, {Name: "oidc", Value: 1}},
		Doc:   "Where the token comes from: default or oidc.",
	},
	{
		Name: "sasl.oauthbearer.client.id", Kind: String, Importance: Low,
		Doc: "The client id for the token endpoint.",
	},
	{Name: "sasl.oauthbearer.client.credentials.client.id", Kind: Alias, Alias: "sasl.oauthbearer.client.id"},
	{Name: "sasl.oauthbearer.client.credentials.client.secret", Kind: Alias, Alias: "sasl.oauthbearer.client.secret"},
	{
		Name: "sasl.oauthbearer.client.secret", Kind: String, Importance: Low,
		Secret: true,
		Doc:    "The client secret for the token endpoint.",
	},
	{
		Name: "sasl.oauthbearer.scope", Kind: String, Importance: Low,
		Doc: "The scope to ask the token endpoint for.",
	},
	{
		Name: "sasl.oauthbearer.extensions", Kind: String, Importance: Low,
		Doc: "SASL extensions to send to the brokers, as key=value pairs with commas.",
	},
	{
		Name: "sasl.oauthbearer.token.endpoint.url", Kind: String, Importance: Low,
		Doc: "The address of the token endpoint.",
	},
	{
		Name: "sasl.oauthbearer.sub.claim.name", Kind: String, Default: "sub", Importance: Low,
		Doc: "The claim of a token that names the subject.",
	},
	{
		Name: "sasl.oauthbearer.grant.type", Kind: Enum, Default: "client_credentials", Importance: Low,
		Words: []Word{{Name: "client_credentials", Value: 0}, {Name: "urn:ietf:params:oauth:grant-type:jwt-bearer", Value: 1}},
		Doc:   "How to ask for a token: with client credentials or with a signed assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.algorithm", Kind: Enum, Default: "RS256", Importance: Low,
		Words: []Word{{Name: "RS256", Value: 0}, {Name: "ES256", Value: 1}},
		Doc:   "The algorithm that signs an assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.private.key.file", Kind: String, Importance: Low,
		Doc: "The file with the key that signs an assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.private.key.passphrase", Kind: String, Importance: Low,
		Secret: true,
		Doc:    "The password of the key that signs an assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.private.key.pem", Kind: String, Importance: Low,
		Secret: true,
		Doc:    "The key that signs an assertion, in PEM.",
	},
	{
		Name: "sasl.oauthbearer.assertion.file", Kind: String, Importance: Low,
		Doc: "The file with a ready assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.claim.aud", Kind: String, Importance: Low,
		Doc: "The audience of an assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.claim.exp.seconds", Kind: Int, Min: 1, Max: math.MaxInt32, Default: "300", Importance: Low,
		Doc: "How long an assertion is valid.",
	},
	{
		Name: "sasl.oauthbearer.assertion.claim.iss", Kind: String, Importance: Low,
		Doc: "The issuer of an assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.claim.jti.include", Kind: Bool, Default: "false", Importance: Low,
		Doc: "Whether an assertion carries an identity of its own.",
	},
	{
		Name: "sasl.oauthbearer.assertion.claim.nbf.seconds", Kind: Int, Max: math.MaxInt32, Default: "60", Importance: Low,
		Doc: "How long before now an assertion begins to be valid.",
	},
	{
		Name: "sasl.oauthbearer.assertion.claim.sub", Kind: String, Importance: Low,
		Doc: "The subject of an assertion.",
	},
	{
		Name: "sasl.oauthbearer.assertion.jwt.template.file", Kind: String, Importance: Low,
		Doc: "A JSON file with more headers and claims for an assertion.",
	},
	{
		Name: "sasl.oauthbearer.metadata.authentication.type", Kind: Enum, Default: "none", Importance: Low,
		Words: []Word{{Name: "none", Value: 0}, {Name: "azure_imds", Value: 1}, {Name: "aws_iam", Value: 2}},
		Doc:   "Whether a cloud's metadata service gives the token.",
	},
}

package conf

// tlsProperties are the rows of the choice of protocol, and TLS, in librdkafka's order.
var tlsProperties = []Property{
	{
		Name: "security.protocol", Kind: Enum, Default: "plaintext", Importance: High,
		Words: []Word{{Name: "plaintext", Value: 0}, {Name: "ssl", Value: 1}, {Name: "sasl_plaintext", Value: 2}, {Name: "sasl_ssl", Value: 3}},
		Why:   "selects TLS and SASL",
		Doc:   "How brokers are talked to: in clear text or TLS, with or without a login.",
	},
	{
		Name: "ssl.cipher.suites", Kind: String, Importance: Low,
		Why: "OpenSSL names of the suites that Go has",
		Doc: "The cipher suites to offer up to TLS 1.2, in OpenSSL's words.",
	},
	{
		Name: "ssl.curves.list", Kind: String, Importance: Low,
		Why: "the names that Go has",
		Doc: "The key exchange groups to offer, in OpenSSL's words.",
	},
	{
		Name: "ssl.sigalgs.list", Kind: String, Importance: Low,
		How: NotHonoured, Why: "Go's TLS chooses the signature algorithms itself",
		Doc: "The signature algorithms to offer.",
	},
	{
		Name: "ssl.key.location", Kind: String, Importance: Low,
		Why: "read again when the file changes",
		Doc: "The file with the client's private key, in PEM.",
	},
	{
		Name: "ssl.key.password", Kind: String, Importance: Low,
		Secret: true,
		Why:    "PKCS#8 and the older PEM encryption",
		Doc:    "The password of the client's private key.",
	},
	{
		Name: "ssl.key.pem", Kind: String, Importance: Low,
		Secret: true,
		Doc:    "The client's private key itself, in PEM.",
	},
	{Name: "ssl_key", Kind: Internal},
	{
		Name: "ssl.certificate.location", Kind: String, Importance: Low,
		Why: "read again when the file changes",
		Doc: "The file with the client's certificate and its chain, in PEM.",
	},
	{
		Name: "ssl.certificate.pem", Kind: String, Importance: Low,
		Doc: "The client's certificate itself, in PEM.",
	},
	{Name: "ssl_certificate", Kind: Internal},
	{
		Name: "ssl.ca.location", Kind: String, Importance: Low,
		Why: "read again when the file changes",
		Doc: "The file or folder with the certificates to trust; probe and nothing mean the system's.",
	},
	{
		Name: "https.ca.location", Kind: String, Importance: Low,
		Doc: "The file or folder with the certificates to trust at token endpoints.",
	},
	{
		Name: "https.ca.pem", Kind: String, Importance: Low,
		Doc: "The certificates to trust at token endpoints, in PEM.",
	},
	{
		Name: "ssl.ca.pem", Kind: String, Importance: Low,
		Doc: "The certificates to trust, in PEM; they are added to ssl.ca.location.",
	},
	{Name: "ssl_ca", Kind: Internal},
	{
		Name: "ssl.ca.certificate.stores", Kind: String, Default: "Root", Importance: Low,
		How: Refused, Why: "librdkafka refuses it too outside Windows",
		Doc:         "The Windows certificate stores to trust.",
		Unsupported: "configuration only valid on Windows",
	},
	{
		Name: "ssl.crl.location", Kind: String, Importance: Low,
		Why: "read again when the file changes",
		Doc: "The file with the revocation list to check a broker's certificate against.",
	},
	{
		Name: "ssl.keystore.location", Kind: String, Importance: Low,
		Why: "read again when the file changes",
		Doc: "The PKCS#12 file with the client's key and certificate.",
	},
	{
		Name: "ssl.keystore.password", Kind: String, Importance: Low,
		Secret: true,
		Doc:    "The password of the PKCS#12 file.",
	},
	{
		Name: "ssl.providers", Kind: String, Importance: Low,
		Why: "default, base and null are always there; any other refuses to start, as a missing one does in librdkafka",
		Doc: "The OpenSSL providers to load.",
	},
	{
		Name: "ssl.engine.location", Kind: String, Importance: Low,
		Deprecated: true,
		Notice:     "Path to OpenSSL engine library. OpenSSL >= 1.1.x required. DEPRECATED: OpenSSL engine support is deprecated and should be replaced by OpenSSL 3 providers.",
		How:        Refused, Why: "there is no OpenSSL here to load an engine into; with TLS it refuses to start",
		Doc: "The OpenSSL engine to load.",
	},
	{
		Name: "ssl.engine.id", Kind: String, Default: "dynamic", Importance: Low,
		How: NothingToDo, Why: "without ssl.engine.location, which is refused, librdkafka does not read it either",
		Doc: "The name of the OpenSSL engine.",
	},
	{Name: "ssl_engine_callback_data", Kind: Pointer},
	{
		Name: "enable.ssl.certificate.verification", Kind: Bool, Default: "true", Importance: Low,
		Doc: "Whether a broker's certificate is checked at all.",
	},
	{
		Name: "ssl.endpoint.identification.algorithm", Kind: Enum, Default: "https", Importance: Low,
		Words: []Word{{Name: "none", Value: 0}, {Name: "https", Value: 1}},
		Doc:   "Whether a broker's certificate must name the host that was connected to.",
	},
	{Name: "ssl.certificate.verify_cb", Kind: Pointer},
	{
		Name: "ssl.truststore.location", Kind: Java,
		How: Refused, Why: "librdkafka refuses it too",
		Doc:         "The Java client's trust store.",
		Unsupported: "Java TrustStores are not supported, use `ssl.ca.location` and a certificate file instead. See https://github.com/confluentinc/librdkafka/wiki/Using-SSL-with-librdkafka for more information.",
	},
	{
		Name: "sasl.jaas.config", Kind: Java,
		How: Refused, Why: "librdkafka refuses it too",
		Doc:         "The Java client's login configuration.",
		Unsupported: "Java JAAS configuration is not supported, see https://github.com/confluentinc/librdkafka/wiki/Using-SASL-with-librdkafka for more information.",
	},
}

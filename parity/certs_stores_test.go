package parity

import (
	"fmt"
	"strings"
)

// storeCases are PKCS#12 stores that openssl and keytool write.
func storeCases(m *maker) (cases []certCase) {
	add := func(name, file, password string) {
		cases = append(cases, certCase{
			kind: storeKind, name: name,
			properties: []string{"ssl.ca.location", "$D/ca.pem", "ssl.keystore.location", "$D/" + file, "ssl.keystore.password", password},
		})
	}
	const legacy = " -provider default -provider legacy"
	for _, kind := range []string{"rsa", "ec"} {
		export := func(name, args string) {
			file := kind + "-" + strings.ReplaceAll(name, " ", "-") + ".p12"
			m.openssl("pkcs12 -export" + legacy + " -in " + kind + ".pem -inkey " + kind + ".key -passout pass:secret -out " + file + " " + args)
			add(kind+" "+name, file, "secret")
		}
		export("as openssl writes it", "")
		export("with its chain", "-certfile ca.pem")
		export("without a MAC", "-nomac")
		export("with the legacy algorithms", "-legacy")
		export("with 3DES", "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1")
		export("with 2DES", "-keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-2DES")
		export("with RC2 for certificates", "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-RC2-40")
		export("with RC4", "-keypbe PBE-SHA1-RC4-128 -certpbe PBE-SHA1-RC4-128")
		export("with no encryption", "-keypbe NONE -certpbe NONE")
		export("with no encryption and no MAC", "-keypbe NONE -certpbe NONE -nomac")
		export("with no encryption of certificates", "-certpbe NONE")
		for _, c := range strings.Fields("aes-128-cbc aes-192-cbc camellia-256-cbc des-ede3-cbc des-cbc") {
			export("with "+c, "-keypbe "+c+" -certpbe "+c)
		}
		for _, mac := range strings.Fields("md5 sha1 sha224 sha384 sha512") {
			export("with a MAC of "+mac, "-macalg "+mac)
		}
		export("without iterations", "-noiter -nomaciter")
		add(kind+" with the wrong password", kind+"-as-openssl-writes-it.p12", "wrong")
		add(kind+" without a MAC, with the wrong password", kind+"-without-a-MAC.p12", "wrong")
	}
	m.openssl("pkcs12 -export -in ec.pem -inkey ec.key -passout pass: -out empty.p12")
	add("with the empty password", "empty.p12", "")
	m.openssl("pkcs12 -export -in ec.pem -inkey ec.key -passout pass:пароль€ -out utf8.p12")
	add("with a password of UTF-8", "utf8.p12", "пароль€")
	for i, password := range []string{"with blanks in it", "\xe9\xe8", "\u20ac\U0001F511", strings.Repeat("long", 40), "\xff\xfe"} {
		file := fmt.Sprintf("password%d.p12", i)
		m.run("openssl", "pkcs12", "-export", "-in", "ec.pem", "-inkey", "ec.key", "-passout", "pass:"+password, "-out", file)
		add(fmt.Sprintf("with the password %q", password), file, password)
		m.run("openssl", "pkcs12", "-export", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-in", "ec.pem", "-inkey", "ec.key", "-passout", "pass:"+password, "-out", "3"+file)
		add(fmt.Sprintf("with 3DES and the password %q", password), "3"+file, password)
	}
	m.openssl("pkcs12 -export -nokeys -in ca.pem -passout pass:secret -out certs.p12")
	add("certificates only", "certs.p12", "secret")
	m.openssl("pkcs12 -export -nocerts -inkey ec.key -passout pass:secret -out key.p12")
	add("a key only", "key.p12", "secret")
	m.openssl("pkcs12 -export -in ec.pem -inkey ec-explicit.key -passout pass:secret -out explicit.p12")
	add("with a curve that is given by its numbers", "explicit.p12", "secret")
	m.write("cut.p12", m.read("ec-as-openssl-writes-it.p12")[:500])
	add("cut", "cut.p12", "secret")
	m.write("garbage.p12", "garbage")
	add("garbage", "garbage.p12", "secret")
	add("a PEM file", "ec.pem", "secret")

	const store = "-storepass secret -storetype PKCS12 "
	keytool := func(args string) { m.run("keytool", strings.Fields("-noprompt "+args)...) }
	algorithm := map[string]string{"rsa": "-keyalg RSA -keysize 2048", "ec": "-keyalg EC -groupname secp256r1"}
	for _, kind := range []string{"rsa", "ec"} {
		name := "kt-" + kind + ".p12"
		keytool("-genkeypair -alias client -dname CN=client " + algorithm[kind] + " -keystore " + name + " " + store)
		keytool("-certreq -alias client -keystore " + name + " -file " + name + ".csr " + store)
		m.openssl("x509 -req -days 30 -CA ca.pem -CAkey ca.key -CAcreateserial -in " + name + ".csr -out " + name + ".crt")
		self := "kt-self-" + kind + ".p12"
		m.write(self, m.read(name))
		cases = append(cases, certCase{
			kind: storeKind, name: "keytool, " + kind + ", signed by itself", unsent: true,
			properties: []string{"ssl.keystore.location", "$D/" + self, "ssl.keystore.password", "secret"},
		})
		keytool("-importcert -alias root -file ca.pem -keystore " + name + " " + store)
		keytool("-importcert -alias client -file " + name + ".crt -keystore " + name + " " + store)
		add("keytool, "+kind+", with its authority", name, "secret")
		// The authority comes first.
		first := "kt-first-" + kind + ".p12"
		keytool("-importcert -alias root -file ca.pem -keystore " + first + " " + store)
		keytool("-importkeystore -srckeystore " + name + " -srcstorepass secret -srcalias client -destkeystore " + first + " -deststorepass secret -deststoretype PKCS12")
		add("keytool, "+kind+", the authority first", first, "secret")
	}
	// Two keys, of which the certificate of one alone is signed by the authority; the first one counts.
	m.write("kt-two.p12", m.read("kt-rsa.p12"))
	keytool("-importkeystore -srckeystore kt-ec.p12 -srcstorepass secret -srcalias client -destalias another -destkeystore kt-two.p12 -deststorepass secret -deststoretype PKCS12")
	add("keytool, two keys", "kt-two.p12", "secret")
	keytool("-importcert -alias root -file ca.pem -keystore kt-trust.p12 " + store)
	add("keytool, certificates only", "kt-trust.p12", "secret")
	keytool("-genkeypair -alias client -dname CN=client -keyalg RSA -keysize 2048 -keystore client.jks -storepass secret -storetype JKS -keypass secret")
	add("keytool, JKS", "client.jks", "secret")
	for _, p := range []struct{ name, options string }{
		{"keystore.pkcs12.legacy", "-J-Dkeystore.pkcs12.legacy"},
		{"no MAC", "-J-Dkeystore.pkcs12.macAlgorithm=NONE"},
		{"no encryption of certificates", "-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE"},
		{"HmacPBESHA512", "-J-Dkeystore.pkcs12.macAlgorithm=HmacPBESHA512"},
		{"PBEWithHmacSHA384AndAES_128", "-J-Dkeystore.pkcs12.keyProtectionAlgorithm=PBEWithHmacSHA384AndAES_128"},
		{"PBEWithSHA1AndDESede", "-J-Dkeystore.pkcs12.keyProtectionAlgorithm=PBEWithSHA1AndDESede"},
	} {
		file := "kt-" + strings.ReplaceAll(p.name, " ", "-") + ".p12"
		keytool(p.options + " -genkeypair -alias client -dname CN=client -keyalg EC -groupname secp256r1 -keystore " + file + " " + store)
		cases = append(cases, certCase{
			kind: storeKind, name: "keytool, " + p.name, unsent: true,
			properties: []string{"ssl.keystore.location", "$D/" + file, "ssl.keystore.password", "secret"},
		})
	}
	return cases
}

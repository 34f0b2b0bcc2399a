package keyfile

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustKey(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := PrivateKey(golden(t, name), "", false)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*ecdsa.PrivateKey)
}

// TestPrivateKey reads one key in all the forms that openssl wrote it in. parity judges many more against librdkafka.
func TestPrivateKey(t *testing.T) {
	want := mustKey(t, "ec.key")
	for _, c := range []struct {
		file, password string
		err            string
	}{
		{file: "pbes1-sha1-3des.key", password: "secret"},
		{file: "pbes1-sha1-2des.key", password: "secret"},
		{file: "pbes2-aes256-sha384.key", password: "secret"},
		{file: "pbes2-camellia256-sha512.key", password: "secret"},
		{file: "pbes2-camellia128-md5.key", password: "secret"},
		{file: "pbes2-3des-sha1.key", password: "secret"},
		{file: "pbes2-aes256cfb.key", password: "secret"},
		{file: "pbes2-aes256ecb.key", password: "secret"},
		{file: "scrypt.key", password: "secret"},
		{file: "dek-aes-256-cbc.key", password: "secret"},
		{file: "dek-des3.key", password: "secret"},
		{file: "dek-camellia-192-cbc.key", password: "secret"},
		{file: "dek-des-ede-cbc.key", password: "secret"},
		{file: "dek-des-ede3-cfb.key", password: "secret"},
		{file: "dek-aes-256-ctr.key", password: "secret"},
		{file: "dek-aes-128-cfb8.key", password: "secret"},
		{file: "explicit.key"},
		{file: "explicit8.key"},
		{file: "explicit-compressed.key"},

		{file: "pbes1-sha1-3des.key", password: "wrong", err: "bad decrypt"},
		{file: "pbes2-aes256-sha384.key", password: "wrong", err: "bad decrypt"},
		{file: "pbes2-aes256cfb.key", password: "wrong", err: "bad decrypt"},
		{file: "scrypt.key", password: "wrong", err: "bad decrypt"},
		{file: "dek-aes-256-cbc.key", password: "wrong", err: "bad decrypt"},
		{file: "dek-aes-256-ctr.key", password: "wrong", err: "bad decrypt"},
		{file: "dek-aes-256-cbc.key", err: "the private key is encrypted and there is no password for it"},
		{file: "scrypt.key", err: "the private key is encrypted and there is no password for it"},
		{file: "pbes1-md5-des.key", password: "secret", err: "encryption with PBE-MD5-DES is not supported: encrypt it again with AES-256-CBC"},
		{file: "pbes2-rc2.key", password: "secret", err: "encryption with RC2-CBC is not supported: encrypt it again with AES-256-CBC"},
		{file: "pbes2-aria.key", password: "secret", err: "encryption with ARIA-256-CBC is not supported: encrypt it again with AES-256-CBC"},
		{file: "dek-des.key", password: "secret", err: "encryption with DES-CBC is not supported: encrypt it again with AES-256-CBC"},
		{file: "k1.key", err: "the elliptic curve secp256k1 is not supported"},
		{file: "ca.pem", err: "no private key found"},
	} {
		t.Run(c.file+" "+c.password, func(t *testing.T) {
			key, err := PrivateKey(golden(t, c.file), c.password, c.password != "")
			switch {
			case c.err != "":
				if err == nil || err.Error() != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
			case err != nil:
				t.Error(err)
			case !want.Equal(key):
				t.Error("it is another key")
			}
		})
	}
}

// TestNext is for what stands around a block, and for blocks that are broken.
func TestNext(t *testing.T) {
	const block, bom = "-----BEGIN X-----\nAAEC\n-----END X-----\n", "\xef\xbb\xbf"
	want := []byte{0, 1, 2}
	for _, c := range []struct{ name, text, err string }{
		{"alone", block, ""},
		{"behind text", "text\n" + block, ""},
		{"lines that end as on Windows", strings.ReplaceAll(block, "\n", "\r\n"), ""},
		{"blanks at the ends", strings.ReplaceAll(block, "\n", " \t\n"), ""},
		{"no end of the last line", strings.TrimSuffix(block, "\n"), ""},
		{"a byte order mark", bom + block, ""},
		{"a header", "-----BEGIN X-----\nA: b\n\nAAEC\n-----END X-----\n", ""},
		{"lines of any length", "-----BEGIN X-----\nA\nAE\nC\n-----END X-----\n", ""},
		{"a byte order mark in the second line", "\n" + bom + block, "EOF"},
		{"blanks at the starts", " " + block, "EOF"},
		{"lines that end as on an old Mac", strings.ReplaceAll(block, "\n", "\r"), "EOF"},
		{"nothing", "", "EOF"},
		{"no end", "-----BEGIN X-----\nAAEC\n", `the PEM block "X" has no end`},
		{"another end", "-----BEGIN X-----\nAAEC\n-----END Y-----\n", `the PEM block "X" ends as another one`},
		{"an empty line in the middle", "-----BEGIN X-----\n\nAA\n\nEC\n-----END X-----\n", `the PEM block "X" has an empty line in it`},
		{"no base64", "-----BEGIN X-----\nA?EC\n-----END X-----\n", `the PEM block "X" is not base64`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, rest, err := Next([]byte(c.text))
			switch {
			case c.err != "":
				if err == nil || err.Error() != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
			case err != nil:
				t.Error(err)
			case got.Type != "X" || !bytes.Equal(got.Bytes, want) || len(rest) > 0:
				t.Errorf("%q %x, and %q is left", got.Type, got.Bytes, rest)
			}
		})
	}
}

func TestJoinedFiles(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	ca, leaf := string(golden(t, "ca.pem")), string(golden(t, "ec.pem"))
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"two":                               {ca + leaf, 2},
		"each with a byte order mark":       {bom + ca + bom + leaf, 2},
		"a byte order mark behind text":     {ca + "\n" + bom + leaf, 1}, // as with OpenSSL
		"a key between":                     {ca + string(golden(t, "ec.key")) + leaf, 2},
		"a key and a byte order mark first": {string(golden(t, "ec.key")) + bom + leaf, 1},
	} {
		found, _, err := Certificates([]byte(c.text))
		if err != nil || len(found) != c.want {
			t.Errorf("%s: %d certificates, want %d: %v", name, len(found), c.want, err)
		}
	}
}

// TestNoErrorShowsTheKey is for files whose lines are no lines: what is quoted of them must not be the key.
func TestNoErrorShowsTheKey(t *testing.T) {
	text := string(golden(t, "ec.key"))
	for _, form := range []func(string) string{
		func(s string) string { return strings.ReplaceAll(s, "\n", "\r") },
		func(s string) string { return strings.ReplaceAll(s, "\n", " ") },
		func(s string) string { return strings.ReplaceAll(s, "\n", "") },
		func(s string) string { return strings.Replace(s, "-----\n", "-----", 1) },
		func(s string) string { return strings.Replace(s, "\n-----END", "-----END", 1) },
		func(s string) string { return strings.Replace(s, "KEY-----\n", "KEY\n", 1) },
		func(s string) string {
			lines := strings.Split(s, "\n")
			return lines[0] + "\n-----END " + lines[1] + lines[2] + "-----\n"
		},
	} {
		broken := form(text)
		_, err := PrivateKey([]byte(broken), "", false)
		if err == nil {
			t.Errorf("%q is a key", broken)
			continue
		}
		for n := 0; n+8 < len(text); n++ {
			if piece := text[n : n+8]; !strings.ContainsAny(piece, "-\n ") && strings.Contains(err.Error(), piece) {
				t.Fatalf("%q shows the key in %v", broken, err)
			}
		}
	}
}

// TestHints is for files of another form than the property needs.
func TestHints(t *testing.T) {
	text := string(golden(t, "ec.key"))
	for want, data := range map[string]string{
		"no private key found: it is empty":                                                                                          "",
		"no private key found: it is in binary form (DER or PKCS#12), and PEM is read here":                                          string(golden(t, "plain.p12")),
		"no private key found: the text is UTF-16, write it as UTF-8":                                                                "\xff\xfe-\x00",
		"no private key found: its lines end with a carriage return alone":                                                           strings.ReplaceAll(text, "\n", "\r"),
		"no private key found: it is a Java key store (JKS), write it as PKCS#12 with keytool -importkeystore -deststoretype PKCS12": "\xfe\xed\xfe\xed\x00",
	} {
		if _, err := PrivateKey([]byte(data), "", false); err == nil || err.Error() != want || !errors.Is(err, ErrNoKey) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	want := "not a PKCS#12 file: it is a Java key store (JKS), write it as PKCS#12 with keytool -importkeystore -deststoretype PKCS12"
	if _, err := ParseStore([]byte("\xfe\xed\xfe\xed\x00\x00"), "secret"); !errors.Is(err, ErrNotStore) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestParseStore decides as PKCS12_parse does.
func TestParseStore(t *testing.T) {
	key, other := mustKey(t, "ec.key"), mustKey(t, "other.key")
	for _, c := range []struct {
		file, password string
		key            crypto.PrivateKey
		leaf           string // its common name
		chain          int
		err            string
	}{
		{file: "plain.p12", key: key, leaf: "client"},
		{file: "nomac.p12", key: key, leaf: "client"},
		{file: "none.p12", key: key, leaf: "client"},
		{file: "3des.p12", key: key, leaf: "client"},
		{file: "sha384.p12", key: key, leaf: "client"},
		{file: "chain.p12", key: key, leaf: "client", chain: 1},
		{file: "first.p12", key: key, leaf: "client", chain: 1}, // keytool: the authority stands first
		{file: "two.p12", key: key, leaf: "client", chain: 1},   // the first key counts
		{file: "empty.p12", password: "none", key: key, leaf: "client"},
		{file: "certs.p12"},
		{file: "key.p12", key: key},
		{file: "plain.p12", password: "wrong", err: "mac verify failure"},
		{file: "nomac.p12", password: "wrong", err: "bad decrypt"},
		{file: "rc2.p12", err: "encryption with PBE-SHA1-RC2-40 is not supported: encrypt it again with AES-256-CBC"},
		{file: "ec.pem", err: "not a PKCS#12 file"},
	} {
		t.Run(c.file+" "+c.password, func(t *testing.T) {
			password := c.password
			switch password {
			case "":
				password = "secret"
			case "none":
				password = ""
			}
			data := golden(t, c.file)
			s, err := ParseStore(data, password)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			leaf := ""
			if s.Leaf != nil {
				leaf = s.Leaf.Subject.CommonName
			}
			if leaf != c.leaf || len(s.Chain) != c.chain {
				t.Errorf("%q with %d more, want %q with %d", leaf, len(s.Chain), c.leaf, c.chain)
			}
			if c.key == nil && s.Key != nil || c.key != nil && !key.Equal(s.Key) || other.Equal(s.Key) {
				t.Errorf("the key is not the one that was meant")
			}
			// The same store with lengths that are not told ahead, as browsers write it.
			again, err := ParseStore(indefinite(t, data), password)
			if err != nil || (again.Leaf == nil) != (s.Leaf == nil) || (again.Key == nil) != (s.Key == nil) {
				t.Errorf("with indefinite lengths: %v", err)
			}
		})
	}
}

// indefinite writes DER again with indefinite lengths, and strings of bytes in two pieces.
func indefinite(t *testing.T, der []byte) []byte {
	t.Helper()
	e, _, err := cutElement(der)
	if err != nil {
		t.Fatal(err)
	}
	if e.class == asn1.ClassUniversal && e.tag == asn1.TagOctetString && len(e.content) > 1 {
		half := len(e.content) / 2
		first, err := asn1.Marshal(e.content[:half])
		second, err2 := asn1.Marshal(e.content[half:])
		if err = errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return append(append(append([]byte{0x24, 0x80}, first...), second...), 0, 0)
	}
	if !e.constructed {
		return e.full
	}
	out := []byte{der[0], 0x80}
	for rest := e.content; len(rest) > 0; {
		part, behind, err := cutElement(rest)
		if err != nil {
			t.Fatal(err)
		}
		out, rest = append(out, indefinite(t, part.full)...), behind
	}
	return append(out, 0, 0)
}

// TestParseCertificate reads a curve that is given by its numbers, and leaves what was signed as it was.
func TestParseCertificate(t *testing.T) {
	found, _, err := Certificates(golden(t, "explicit.pem"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ParseCertificate(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if !Fits(cert, mustKey(t, "ec.key")) || Fits(cert, mustKey(t, "other.key")) || !bytes.Equal(cert.Raw, found[0]) {
		t.Error("the certificate is not what the file has")
	}
	cas, _, err := Certificates(golden(t, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := ParseCertificate(cas[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.CheckSignatureFrom(ca); err != nil {
		t.Error(err)
	}
	other, _, err := Certificates(golden(t, "k1.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCertificate(other[0]); err == nil || err.Error() != "the elliptic curve secp256k1 is not supported" {
		t.Errorf("error %v", err)
	}
}

// TestWorkIsBounded is for files that would keep the start of the host for hours.
func TestWorkIsBounded(t *testing.T) {
	for name, data := range map[string][]byte{
		"many iterations": bytes.Replace(derOfPEM(t, "pbes2-aes256-sha384.key"), []byte{2, 2, 8, 0}, []byte{2, 2, 0x7f, 0xff}, 1),
		"much memory":     bytes.Replace(derOfPEM(t, "scrypt.key"), []byte{2, 2, 0x40, 0}, []byte{2, 2, 0x7f, 0xff}, 1),
	} {
		before := mostIterations
		mostIterations = 10_000
		key, err := parseKey("PRIVATE KEY", data, "secret", true)
		mostIterations = before
		if err == nil || errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

func derOfPEM(t *testing.T, name string) []byte {
	t.Helper()
	block, _, err := Next(golden(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return block.Bytes
}

// seeds gives the golden files with the endings to a fuzz target.
func seeds(f *testing.F, endings ...string) {
	f.Helper()
	mostIterations = 5000
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		for _, ending := range endings {
			if strings.HasSuffix(file, ending) {
				f.Add(golden(f, filepath.Base(file)))
			}
		}
	}
}

func FuzzNext(f *testing.F) {
	seeds(f, ".pem", ".key")
	f.Fuzz(func(t *testing.T, data []byte) {
		for {
			before := len(data)
			block, rest, err := Next(data)
			if errors.Is(err, io.EOF) {
				return
			}
			if len(rest) >= before || err == nil && block == nil {
				t.Fatal("it gets nowhere")
			}
			data = rest
		}
	})
}

func FuzzPrivateKey(f *testing.F) {
	seeds(f, ".key")
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := PrivateKey(data, "secret", true); (key == nil) == (err == nil) {
			t.Fatalf("%v, %v", key, err)
		}
	})
}

func FuzzPKCS8(f *testing.F) {
	files, err := filepath.Glob("testdata/*.key")
	if err != nil {
		f.Fatal(err)
	}
	mostIterations = 5000
	for _, file := range files {
		if block, _, err := Next(golden(f, filepath.Base(file))); err == nil {
			f.Add(block.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"} {
			if key, err := parseKey(kind, data, "secret", true); err == nil && key == nil {
				t.Fatal("no key and no error")
			}
		}
	})
}

func FuzzParseStore(f *testing.F) {
	seeds(f, ".p12")
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := ParseStore(data, "secret"); err == nil && s.Leaf != nil && !Fits(s.Leaf, s.Key) {
			t.Fatal("the certificate is not that of the key")
		}
	})
}

func FuzzParseCertificate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pem")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if found, _, err := Certificates(golden(f, filepath.Base(file))); err == nil {
			f.Add(found[0])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if cert, err := ParseCertificate(data); err == nil && !bytes.Equal(cert.Raw, data) {
			t.Fatal("what is sent would not be what the file has")
		}
	})
}

// TestNegativeSerial fails where the programs lose the setting x509negativeserial of go.mod.
func TestNegativeSerial(t *testing.T) {
	found, _, err := Certificates(golden(t, "negative.pem"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ParseCertificate(found[0])
	if err != nil || cert.SerialNumber.Int64() != -5 {
		t.Errorf("serial %v, error %v", cert, err)
	}
}

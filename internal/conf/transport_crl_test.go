package conf

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listV1 signs a revocation list as `openssl ca -gencrl` writes it, which Go cannot make: it has no
// version and no extensions.
func (a *authority) listV1(next time.Time, serials ...*big.Int) []byte {
	a.t.Helper()
	type entry struct {
		Serial *big.Int
		Time   time.Time
	}
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, Parameters: asn1.NullRawValue}
	tbs := struct {
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time
		Revoked    []entry `asn1:"optional,omitempty"`
	}{algorithm, asn1.RawValue{FullBytes: a.cert.RawSubject}, time.Now().Add(-2 * time.Hour).UTC(), next.UTC(), nil}
	for _, serial := range serials {
		tbs.Revoked = append(tbs.Revoked, entry{serial, time.Now().UTC()})
	}
	signed, err := asn1.Marshal(tbs)
	if err != nil {
		a.t.Fatal(err)
	}
	digest := sha256.Sum256(signed)
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: signed}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func TestRevocationListsOfVersion1(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	cert, _ := ca.issue("broker")
	other, _ := ca.issue("other")
	chain := []*x509.Certificate{cert, ca.cert}
	now := time.Now()
	soon, late := now.Add(time.Hour), now.Add(-time.Hour)
	for _, c := range []struct {
		name  string
		list  []byte
		fails string // a part of the error
	}{
		{"an empty list", ca.listV1(soon), ""},
		{"a list of others", ca.listV1(soon, other.SerialNumber), ""},
		{"a list with the broker", ca.listV1(soon, other.SerialNumber, cert.SerialNumber), "revoked"},
		{"a list of the past", ca.listV1(late), "expired"},
		{"a list of another CA with the same name", stranger.listV1(soon), "no revocation list"},
	} {
		found, err := readTrust(write(t, filepath.Join(t.TempDir(), "crl.pem"), c.list))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		err = (&tlsConfig{checkCRL: true, revoked: found.revoked}).checkRevoked(chain, now)
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.fails)
		}
	}
	t.Run("what is no list is refused", func(t *testing.T) {
		block, _ := pem.Decode(ca.listV1(soon, cert.SerialNumber))
		for size := range block.Bytes {
			if _, err := parseRevocationList(block.Bytes[:size]); err == nil {
				t.Fatalf("the first %d bytes are taken for a list", size)
			}
		}
		for _, der := range [][]byte{nil, ca.cert.Raw, append(bytes.Clone(block.Bytes), 0)} {
			if list, err := parseRevocationList(der); err == nil && list.CheckSignatureFrom(ca.cert) == nil {
				t.Errorf("%x is taken for a list", der)
			}
		}
	})
}

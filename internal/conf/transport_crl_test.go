package conf

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
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

	"github.com/halon-extras/kafka/internal/authority"
)

// listV1 signs a revocation list as `openssl ca -gencrl` writes it, which Go cannot make: it has no
// version and no extensions.
func listV1(t *testing.T, a *authority.Authority, next time.Time, serials ...*big.Int) []byte {
	t.Helper()
	type entry struct {
		Serial *big.Int
		Time   time.Time
	}
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}
	tbs := struct {
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time
		Revoked    []entry `asn1:"optional,omitempty"`
	}{algorithm, asn1.RawValue{FullBytes: a.Cert.RawSubject}, time.Now().Add(-2 * time.Hour).UTC(), next.UTC(), nil}
	for _, serial := range serials {
		tbs.Revoked = append(tbs.Revoked, entry{serial, time.Now().UTC()})
	}
	signed, err := asn1.Marshal(tbs)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(signed)
	signature, err := ecdsa.SignASN1(rand.Reader, a.Key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: signed}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	return authority.PEM("X509 CRL", der)
}

func TestRevocationListsOfVersion1(t *testing.T) {
	ca, stranger := authority.New(t, "ca"), authority.New(t, "ca")
	cert, other := ca.Issue("broker").Leaf, ca.Issue("other").Leaf
	chain := []*x509.Certificate{cert, ca.Cert}
	now := time.Now()
	soon, late := now.Add(time.Hour), now.Add(-time.Hour)
	for _, c := range []struct {
		name  string
		list  []byte
		fails string // a part of the error
	}{
		{"an empty list", listV1(t, ca, soon), ""},
		{"a list of others", listV1(t, ca, soon, other.SerialNumber), ""},
		{"a list with the broker", listV1(t, ca, soon, other.SerialNumber, cert.SerialNumber), "revoked"},
		{"a list of the past", listV1(t, ca, late), "expired"},
		{"a list of another CA with the same name", listV1(t, stranger, soon), "no revocation list"},
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
		block, _ := pem.Decode(listV1(t, ca, soon, cert.SerialNumber))
		for size := range block.Bytes {
			if _, err := parseRevocationList(block.Bytes[:size]); err == nil {
				t.Fatalf("the first %d bytes are taken for a list", size)
			}
		}
		for _, der := range [][]byte{nil, ca.Cert.Raw, append(bytes.Clone(block.Bytes), 0)} {
			if list, err := parseRevocationList(der); err == nil && list.CheckSignatureFrom(ca.Cert) == nil {
				t.Errorf("%x is taken for a list", der)
			}
		}
	})
}

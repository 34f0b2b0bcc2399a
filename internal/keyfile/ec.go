package keyfile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"math/big"
)

// curves are those that package crypto has, with their numbers.
var curves = []struct {
	oid   asn1.ObjectIdentifier
	curve elliptic.Curve
}{
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, elliptic.P256()},
	{asn1.ObjectIdentifier{1, 3, 132, 0, 34}, elliptic.P384()},
	{asn1.ObjectIdentifier{1, 3, 132, 0, 35}, elliptic.P521()},
	{asn1.ObjectIdentifier{1, 3, 132, 0, 33}, elliptic.P224()},
}

// primeField is the kind of field that those curves are over: RFC 3279, section 2.3.5.
var primeField = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}

var errCurve = errors.New("its elliptic curve cannot be read")

// namedCurve returns the curve that ECParameters name, or whose numbers they have, and its object identifier. OpenSSL and some
// hardware write the numbers in place of the name.
func namedCurve(parameters []byte) (elliptic.Curve, asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	if unmarshal(parameters, &oid) == nil {
		for _, c := range curves {
			if c.oid.Equal(oid) {
				return c.curve, c.oid, nil
			}
		}
		return nil, nil, unsupported("the elliptic curve %s", nameOf(oid))
	}
	var p struct {
		Version int
		Field   struct {
			Type  asn1.ObjectIdentifier
			Prime asn1.RawValue
		}
		Curve struct {
			A, B []byte
			Seed asn1.BitString `asn1:"optional"`
		}
		Base     []byte
		Order    *big.Int
		Cofactor *big.Int `asn1:"optional"`
	}
	if unmarshal(parameters, &p) != nil {
		return nil, nil, errCurve
	}
	var prime *big.Int
	if !p.Field.Type.Equal(primeField) {
		return nil, nil, unsupported("an elliptic curve that is given by its numbers, over another field than a prime one,")
	}
	if unmarshal(p.Field.Prime.FullBytes, &prime) != nil {
		return nil, nil, errCurve
	}
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	for _, c := range curves {
		params := c.curve.Params()
		size := (params.BitSize + 7) / 8
		a := new(big.Int).Sub(params.P, big.NewInt(3))
		x := params.Gx.FillBytes(make([]byte, size))
		if prime.Cmp(params.P) == 0 && number(p.Curve.A).Cmp(a) == 0 && number(p.Curve.B).Cmp(params.B) == 0 &&
			p.Order.Cmp(params.N) == 0 && len(p.Base) > size && bytes.Equal(p.Base[1:1+size], x) && samePoint(p.Base, params) {
			return c.curve, c.oid, nil
		}
	}
	return nil, nil, unsupported("an elliptic curve that is given by its numbers, and is not P-224, P-256, P-384 or P-521,")
}

// samePoint tells whether base, whose x is that of the generator, has its y too: written out, or as the last bit.
func samePoint(base []byte, params *elliptic.CurveParams) bool {
	size := (params.BitSize + 7) / 8
	switch base[0] {
	case 2, 3:
		return len(base) == 1+size && uint(base[0]&1) == params.Gy.Bit(0)
	case 4, 6, 7:
		return len(base) == 1+2*size && new(big.Int).SetBytes(base[1+size:]).Cmp(params.Gy) == 0
	}
	return false
}

// parseEC reads an ECPrivateKey of RFC 5915. The curve may be told by what is around it instead, as outer.
func parseEC(der, outer []byte) (*ecdsa.PrivateKey, error) {
	var key struct {
		Version    int
		Secret     []byte
		Parameters asn1.RawValue `asn1:"optional,explicit,tag:0"`
		Public     asn1.RawValue `asn1:"optional,explicit,tag:1"`
	}
	if unmarshal(der, &key) != nil || key.Version != 1 {
		return nil, errKeyForm
	}
	parameters := outer
	if len(parameters) == 0 {
		parameters = key.Parameters.FullBytes
		if key.Parameters.Class == asn1.ClassContextSpecific {
			parameters = key.Parameters.Bytes
		}
	}
	curve, _, err := namedCurve(parameters)
	if err != nil {
		return nil, err
	}
	secret := new(big.Int).SetBytes(key.Secret)
	if secret.Sign() == 0 || secret.Cmp(curve.Params().N) >= 0 {
		return nil, errors.New("the private key is no number of its elliptic curve")
	}
	return ecdsa.ParseRawPrivateKey(curve, secret.FillBytes(make([]byte, (curve.Params().N.BitLen()+7)/8)))
}

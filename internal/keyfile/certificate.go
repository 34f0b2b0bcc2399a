package keyfile

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// ParseCertificate is [x509.ParseCertificate], which refuses a certificate whose elliptic curve is given by its numbers. Where those are
// of a curve that package crypto has, it is read as if it were named.
//
// Compat: the certificates of brokers do not come here, but are read by package tls, which knows fewer algorithms than OpenSSL.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	cert, first := x509.ParseCertificate(der)
	if first == nil {
		return cert, nil
	}
	var whole struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if unmarshal(der, &whole) != nil {
		return nil, first
	}
	signed := whole.TBS.FullBytes
	named, err := nameCurve(whole.TBS.Bytes)
	if err != nil {
		return nil, err
	}
	if named == nil {
		return nil, first
	}
	whole.TBS = asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: named}
	changed, err := asn1.Marshal(whole)
	if err != nil {
		return nil, first
	}
	if cert, err = x509.ParseCertificate(changed); err != nil {
		return nil, err
	}
	// What was signed, and what is sent, is what the issuer wrote.
	cert.Raw, cert.RawTBSCertificate = der, signed
	return cert, nil
}

// nameCurve replaces the parameters of the public key in the fields of a TBSCertificate by the name of the curve. It returns nil where
// there is no such key.
func nameCurve(fields []byte) ([]byte, error) {
	before := fields
	for len(fields) > 0 {
		field, rest, err := cutElement(fields)
		if err != nil {
			return nil, err
		}
		var info struct {
			Algorithm pkix.AlgorithmIdentifier
			Key       asn1.BitString
		}
		if unmarshal(field.full, &info) != nil || !info.Algorithm.Algorithm.Equal(oidEC) {
			fields = rest
			continue
		}
		_, oid, err := namedCurve(info.Algorithm.Parameters.FullBytes)
		if err != nil {
			return nil, err
		}
		name, err := asn1.Marshal(oid)
		if err != nil {
			return nil, err
		}
		info.Algorithm.Parameters = asn1.RawValue{FullBytes: name}
		key, err := asn1.Marshal(info)
		if err != nil {
			return nil, err
		}
		start := before[:len(before)-len(fields)]
		return append(append(append([]byte(nil), start...), key...), rest...), nil
	}
	return nil, nil //nolint:nilnil // is not an error
}

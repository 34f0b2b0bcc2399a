package conf

import (
	"crypto/x509"
	"encoding/asn1"
)

// parseRevocationList reads a revocation list of either version. `openssl ca -gencrl` writes version 1
// unless its configuration names extensions, OpenSSL checks with both, and Go reads version 2 only.
func parseRevocationList(der []byte) (*x509.RevocationList, error) {
	var list struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.RawValue
	}
	var first asn1.RawValue
	rest, err := asn1.Unmarshal(der, &list)
	if err == nil {
		_, err = asn1.Unmarshal(list.TBS.Bytes, &first)
	}
	// In RFC 5280, section 5.1.2, the version is the one field that version 1 leaves out.
	if err != nil || len(rest) > 0 || list.TBS.Tag != asn1.TagSequence || first.Tag == asn1.TagInteger {
		return x509.ParseRevocationList(der)
	}
	signed := list.TBS.FullBytes
	version := []byte{asn1.TagInteger, 1, 1}
	list.TBS.FullBytes = nil
	list.TBS.Bytes = append(version, list.TBS.Bytes...)
	second, err := asn1.Marshal(list)
	if err != nil {
		return nil, err
	}
	out, err := x509.ParseRevocationList(second)
	if err != nil {
		return nil, err
	}
	// The signature is of what the issuer wrote, and not of what Go could read.
	out.Raw, out.RawTBSRevocationList = der, signed
	return out, nil
}

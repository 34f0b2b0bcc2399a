package keyfile

import (
	"bytes"
	"fmt"
)

// Hint returns err, which tells that nothing of use was found in data, with what data looks like instead. Nothing of data is shown.
func Hint(err error, data []byte) error {
	switch {
	case len(data) == 0:
		return fmt.Errorf("%w: it is empty", err)
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fmt.Errorf("%w: the text is UTF-16, write it as UTF-8", err)
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return fmt.Errorf("%w: it is a Java key store (JKS), write it as PKCS#12 with keytool -importkeystore -deststoretype PKCS12", err)
	case bytes.Contains(data, []byte(pemBegin)) && bytes.ContainsRune(data, '\r') && !bytes.ContainsRune(data, '\n'):
		return fmt.Errorf("%w: its lines end with a carriage return alone", err)
	case data[0] == 0x30 && isElement(data):
		return fmt.Errorf("%w: it is in binary form (DER or PKCS#12), and PEM is read here", err)
	}
	return err
}

func isElement(data []byte) bool {
	_, _, err := cutElement(data)
	return err == nil
}

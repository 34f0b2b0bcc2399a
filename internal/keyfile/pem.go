package keyfile

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// A Block is one PEM block.
type Block struct {
	Type   string // what stands behind BEGIN
	Bytes  []byte
	header string // the lines before the first empty line; "" is none
}

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemTail  = "-----"

	longestLabel = 100 // more than any has
)

// byteOrderMark is what some editors write before UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Next returns the first PEM block of data and what comes behind it, or io.EOF when there is none. After any other error, which
// tells what is wrong with the block, rest is behind what was read of it.
//
// It reads line by line as OpenSSL does, where [encoding/pem] is of another mind about byte order marks, spaces, empty lines, and
// blocks that are broken: it passes over those without a word. A byte order mark counts as nothing at the start of data, and so
// between two files that were joined.
func Next(data []byte) (block *Block, rest []byte, err error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	var name string
	for found := false; !found; {
		if len(data) == 0 {
			return nil, nil, io.EOF
		}
		var line string
		line, data = pemLine(data)
		if name, found = strings.CutPrefix(line, pemBegin); found {
			name, found = strings.CutSuffix(name, pemTail)
		}
		// Where lines end in another way, the first is the whole file, and what looks like a label would be the key.
		found = found && len(name) <= longestLabel && strings.IndexFunc(name, unicode.IsControl) < 0
	}
	block = &Block{Type: name}
	var text strings.Builder
	body := false // the header is over
	for {
		if len(data) == 0 {
			return nil, nil, fmt.Errorf("the PEM block %q has no end", name)
		}
		var line string
		line, data = pemLine(data)
		end, found := strings.CutPrefix(line, pemEnd)
		switch {
		case found && end != name+pemTail: // end is not shown: it can be the key
			return nil, data, fmt.Errorf("the PEM block %q ends as another one", name)
		case found:
			if block.Bytes, err = decodeBase64(text.String()); err != nil {
				return nil, data, fmt.Errorf("the PEM block %q is not base64", name)
			}
			return block, data, nil
		case line == "" && body:
			return nil, data, fmt.Errorf("the PEM block %q has an empty line in it", name)
		case line == "":
			// What came before is a header, also where it looks like base64.
			block.header, body = text.String(), true
			text.Reset()
		default:
			text.WriteString(line)
			text.WriteByte('\n')
		}
	}
}

// pemLine cuts off one line, and from it what is at its end and not printable.
func pemLine(data []byte) (line string, rest []byte) {
	first, rest, _ := bytes.Cut(data, []byte{'\n'})
	return string(bytes.TrimRightFunc(first, func(r rune) bool { return r <= ' ' })), rest
}

func decodeBase64(text string) ([]byte, error) {
	text, _, _ = strings.Cut(text, "-") // ends the text, as in PEM of old
	return base64.StdEncoding.DecodeString(strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(text))
}

// Certificates returns the certificates and the revocation lists of a PEM text, each in its order, as DER. Blocks of other kinds count as
// nothing. After an error both are what came before it.
func Certificates(data []byte) (certificates, lists [][]byte, err error) {
	for {
		block, rest, err := Next(data)
		if errors.Is(err, io.EOF) {
			return certificates, lists, nil
		}
		if err != nil {
			return certificates, lists, err
		}
		data = rest
		found, list, err := certificateOf(block)
		if err != nil {
			return certificates, lists, err
		}
		if list {
			lists = append(lists, found)
		} else if found != nil {
			certificates = append(certificates, found)
		}
	}
}

// certificateOf returns the certificate or the revocation list of a block as DER, or nil where it is neither.
func certificateOf(block *Block) (der []byte, list bool, err error) {
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
	case "X509 CRL":
		list = true
	default:
		return nil, false, nil
	}
	if block.header != "" {
		return nil, list, fmt.Errorf("the PEM block %q has a header", block.Type)
	}
	// Behind a trusted certificate comes what OpenSSL trusts it for.
	raw, _, err := cutElement(block.Bytes)
	if err != nil {
		return nil, list, fmt.Errorf("the PEM block %q is not ASN.1", block.Type)
	}
	return raw.full, list, nil
}

// Authorities is [Certificates] for a text instead of a file, where OpenSSL's users read one certificate after the other until one cannot be
// read. What is wrong with the last block therefore counts for nothing when a certificate came before it.
func Authorities(data []byte) (certificates [][]byte, err error) {
	for {
		block, rest, err := Next(data)
		if errors.Is(err, io.EOF) || err != nil && len(rest) == 0 && len(certificates) > 0 {
			return certificates, nil
		}
		if err != nil {
			return certificates, err
		}
		data = rest
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" {
			continue
		}
		found, _, err := certificateOf(block)
		if err != nil {
			return certificates, err
		}
		certificates = append(certificates, found)
	}
}

package hsl

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
)

var codecFunctions = map[string]builtin{
	"json_encode":      {params: "v|a", fn: jsonEncode},
	"json_decode":      {params: "s|a", fn: jsonDecode},
	"base32_encode":    {params: "s", fn: encoder(base32.StdEncoding.EncodeToString)},
	"base32_decode":    {params: "s", fn: decoder(base32.StdEncoding.DecodeString)},
	"base64_encode":    {params: "s", fn: encoder(base64.StdEncoding.EncodeToString)},
	"base64_decode":    {params: "s", fn: decoder(base64.StdEncoding.DecodeString)},
	"base64url_encode": {params: "s", fn: encoder(base64.RawURLEncoding.EncodeToString)},
	"base64url_decode": {params: "s", fn: decoder(base64.RawURLEncoding.DecodeString)},
	"url_encode": {params: "s", fn: func(_ site, args []Value) (Value, error) {
		return String(strings.ReplaceAll(url.QueryEscape(str(args[0])), "+", "%20")), nil
	}},
	"url_decode": {params: "s", fn: func(_ site, args []Value) (Value, error) {
		s, err := url.PathUnescape(str(args[0]))
		if err != nil {
			return nil, errorString("url_decode needs a URL-encoded string")
		}
		return String(s), nil
	}},
}

// jsonEncode gives none for what JSON cannot carry: functions, NaN, infinity, bytes not UTF-8.
func jsonEncode(c site, args []Value) (Value, error) {
	opts, err := flags(args, 1, "ensure_ascii", "pretty_print")
	if err != nil {
		return nil, err
	}
	style := jsonStyle{pretty: opts["pretty_print"], ascii: true, limit: c.m.limits.Bytes}
	if ascii, ok := opts["ensure_ascii"]; ok {
		style.ascii = ascii
	}
	return orNone(style.text(args[0]))
}

// jsonDecode gives none for what is no JSON.
func jsonDecode(_ site, args []Value) (Value, error) {
	opts, err := flags(args, 1, "allow_comments")
	if err != nil {
		return nil, err
	}
	return orNone(decodeJSON(str(args[0]), opts["allow_comments"]))
}

// orNone is how these two functions fail: scripts test for none. A result that is too large ends the run.
func orNone(v Value, err error) (Value, error) {
	switch {
	case errors.Is(err, errSize):
		return nil, err
	case err != nil:
		v = None{}
	}
	return v, nil
}

func encoder(f func([]byte) string) func(site, []Value) (Value, error) {
	return func(_ site, args []Value) (Value, error) { return String(f([]byte(str(args[0])))), nil }
}

func decoder(f func(string) ([]byte, error)) func(site, []Value) (Value, error) {
	return func(_ site, args []Value) (Value, error) {
		b, err := f(str(args[0]))
		if err != nil {
			return nil, errorString("the string is not encoded as it should be")
		}
		return String(b), nil
	}
}

package standin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Pair is one element of an [Array]. Key is a string or a float64; Value is nil, a bool, a float64, a string or
// an [Array].
type Pair struct {
	Key, Value any
}

// Array is an HSL array: ordered, with string and number keys.
type Array []Pair

// depth is how far arrays nest at most; C's side (wire.c) has the same limit.
const depth = 100

var (
	errDepth = fmt.Errorf("arrays nest deeper than %d", depth)
	errShort = errors.New("a value is cut short")
)

// encodeAll writes values one after another, in the encoding that standin.h draws.
func encodeAll(values []any) ([]byte, error) {
	var out []byte
	var err error
	for i, v := range values {
		if out, err = appendValue(out, v, 0); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return out, nil
}

func appendValue(out []byte, value any, level int) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(out, 'z'), nil
	case bool:
		if v {
			return append(out, 't'), nil
		}
		return append(out, 'f'), nil
	case float64:
		return binary.NativeEndian.AppendUint64(append(out, 'n'), math.Float64bits(v)), nil
	case string:
		out = binary.NativeEndian.AppendUint64(append(out, 's'), uint64(len(v)))
		return append(out, v...), nil
	case Array:
		if level == depth {
			return nil, errDepth
		}
		out = binary.NativeEndian.AppendUint64(append(out, 'a'), uint64(len(v)))
		for _, pair := range v {
			var err error
			switch pair.Key.(type) {
			case string, float64:
			default:
				return nil, fmt.Errorf("a key of an array is %T: use a string or a float64", pair.Key)
			}
			if out, err = appendValue(out, pair.Key, level+1); err != nil {
				return nil, err
			}
			if out, err = appendValue(out, pair.Value, level+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	default:
		return nil, fmt.Errorf("a value is %T: use nil, bool, float64, string or Array", value)
	}
}

// decodeOne reads exactly one value.
func decodeOne(in []byte) (any, error) {
	value, rest, err := readValue(in, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow the value", len(rest))
	}
	if err != nil {
		return nil, err
	}
	return value, nil
}

func readValue(in []byte, level int) (value any, rest []byte, err error) {
	if len(in) == 0 {
		return nil, nil, errShort
	}
	kind, in := in[0], in[1:]
	switch kind {
	case 'z':
		return nil, in, nil
	case 'f', 't':
		return kind == 't', in, nil
	case 'n', 's', 'a':
	default:
		return nil, nil, fmt.Errorf("there is no kind of value %q", kind)
	}
	if len(in) < 8 {
		return nil, nil, errShort
	}
	n, in := binary.NativeEndian.Uint64(in), in[8:]
	switch {
	case kind == 'n':
		return math.Float64frombits(n), in, nil
	case kind == 's' && n <= uint64(len(in)):
		return string(in[:n]), in[n:], nil
	case kind == 'a' && n <= uint64(len(in))/2:
		return readArray(in, int(n), level)
	}
	return nil, nil, errShort
}

func readArray(in []byte, n, level int) (Array, []byte, error) {
	array := make(Array, n)
	for i := range array {
		var err error
		if array[i].Key, in, err = readValue(in, level+1); err != nil {
			return nil, nil, err
		}
		if array[i].Value, in, err = readValue(in, level+1); err != nil {
			return nil, nil, err
		}
	}
	return array, in, nil
}

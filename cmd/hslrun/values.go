package main

import (
	"context"
	"fmt"

	"github.com/halon-extras/kafka/internal/hsl"
	"github.com/halon-extras/kafka/internal/standin"
)

// natives are the plugin's functions for a script that runs on the host. Without a host they only
// exist, which is enough to parse.
func natives(script *standin.Script, names []string) map[string]hsl.Native {
	fns := make(map[string]hsl.Native, len(names))
	for _, name := range names {
		fns[name] = func(_ context.Context, args []hsl.Value) (hsl.Value, error) {
			in := make([]any, len(args))
			for i, a := range args {
				var err error
				if in[i], err = toHost(a, 0); err != nil {
					return nil, hsl.Throw(fmt.Sprintf("argument %d of %s: %v", i+1, name, err))
				}
			}
			out, thrown, err := script.Call(name, in)
			switch {
			case err != nil:
				return nil, err
			case thrown != nil:
				return nil, hsl.Throw(thrown.Message)
			}
			return fromHost(out)
		}
	}
	return fns
}

// maxNesting is how deep the host takes arrays.
const maxNesting = 100

func toHost(v hsl.Value, depth int) (any, error) {
	switch v := v.(type) {
	case hsl.None:
		return nil, nil
	case hsl.Bool:
		return bool(v), nil
	case hsl.Number:
		return float64(v), nil
	case hsl.String:
		return string(v), nil
	case *hsl.Array:
		if depth >= maxNesting {
			return nil, fmt.Errorf("the array is nested deeper than %d", maxNesting)
		}
		out := make(standin.Array, v.Len())
		for i := range out {
			key, val := v.At(i)
			k, err := toHost(key, depth+1)
			if err != nil {
				return nil, err
			}
			w, err := toHost(val, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = standin.Pair{Key: k, Value: w}
		}
		return out, nil
	}
	text, err := hsl.Text(v)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("hslrun cannot give a plugin this value: %s", text)
}

func fromHost(v any) (hsl.Value, error) {
	switch v := v.(type) {
	case nil:
		return hsl.None{}, nil
	case bool:
		return hsl.Bool(v), nil
	case float64:
		return hsl.Number(v), nil
	case string:
		return hsl.String(v), nil
	case standin.Array:
		out := hsl.NewArray()
		for _, pair := range v {
			key, err := fromHost(pair.Key)
			if err != nil {
				return nil, err
			}
			val, err := fromHost(pair.Value)
			if err != nil {
				return nil, err
			}
			if err := out.Set(key, val); err != nil {
				return nil, fmt.Errorf("the plugin gave an array that HSL cannot have: %w", err)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("the host gave a value of type %T, which HSL does not have", v)
}

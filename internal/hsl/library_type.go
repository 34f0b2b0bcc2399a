package hsl

var typeFunctions = map[string]builtin{
	"is_array":    {params: "v", fn: isType[*Array]},
	"is_boolean":  {params: "v", fn: isType[Bool]},
	"is_function": {params: "v", fn: isType[*Function]},
	"is_number":   {params: "v", fn: isType[Number]},
	"is_string":   {params: "v", fn: isType[String]},
	"is_object": {params: "v", fn: func(_ site, args []Value) (Value, error) {
		switch args[0].(type) {
		case *Exception, *Regex:
			return Bool(true), nil
		}
		return Bool(false), nil
	}},
	"array":   {params: "*", fn: func(_ site, args []Value) (Value, error) { return NewArray(args...), nil }},
	"boolean": {params: "v", fn: func(_ site, args []Value) (Value, error) { return Bool(Truth(args[0])), nil }},
	"number":  {params: "v", fn: toNumber},
	"string": {params: "v", fn: func(c site, args []Value) (Value, error) {
		s, err := text(args[0], c.m.limits.Bytes)
		return String(s), err
	}},
	"length": {params: "v", fn: length},
	"Exception": {params: "s", fn: func(_ site, args []Value) (Value, error) {
		return &Exception{Message: str(args[0])}, nil
	}},
}

func isType[T Value](_ site, args []Value) (Value, error) {
	_, ok := args[0].(T)
	return Bool(ok), nil
}

// toNumber gives 0 for what is no number.
func toNumber(_ site, args []Value) (Value, error) {
	switch v := args[0].(type) {
	case Number:
		return v, nil
	case Bool:
		if v {
			return Number(1), nil
		}
	case String:
		n, _ := parseNumber(string(v))
		return n, nil
	}
	return Number(0), nil
}

func length(_ site, args []Value) (Value, error) {
	switch v := args[0].(type) {
	case String:
		return Number(len(v)), nil
	case *Array:
		return Number(v.Len()), nil
	}
	return None{}, nil
}

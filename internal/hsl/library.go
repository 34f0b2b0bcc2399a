package hsl

import (
	"maps"
	"strings"
)

// builtin is a function of the language.
type builtin struct {
	name string
	// least and most count its arguments; most is -1 where there may be any number.
	least, most int
	// params has a letter for each argument: s string, n number, b boolean, a array, f function,
	// v anything; optional ones stand after |, any number after *.
	params string
	fn     func(c site, args []Value) (Value, error)
}

// site is the call that a builtin serves.
type site struct {
	m  *machine
	at Pos
}

// library is every function of the language that this package knows.
var library = assemble(typeFunctions, stringFunctions, arrayFunctions, codecFunctions, timeFunctions, hostFunctions)

func assemble(themes ...map[string]builtin) map[string]*builtin {
	all := map[string]*builtin{}
	for _, theme := range themes {
		for name, b := range maps.All(theme) {
			b.name = name
			required, optional, _ := strings.Cut(b.params, "|")
			b.params = required + optional
			b.least, b.most = len(required), len(required)+len(optional)
			if strings.HasSuffix(b.params, "*") {
				b.params = strings.TrimSuffix(b.params, "*")
				b.least = min(b.least, len(b.params))
				b.most = -1
			}
			all[name] = &b
		}
	}
	return all
}

func (b *builtin) call(m *machine, at Pos, args []Value) (Value, error) {
	for i := range args {
		if i < len(b.params) {
			if wanted := mismatch(b.params[i], args[i]); wanted != "" {
				return nil, throwf(at, "argument %d of %s must be %s, not a value of type %s", i+1, b.name, wanted, args[i].typeName())
			}
		}
	}
	v, err := b.fn(site{m, at}, args)
	return v, errAt(at, err)
}

// mismatch is what the letter wants when v is not of that type.
func mismatch(letter byte, v Value) string {
	wanted, ok := "", true
	switch letter {
	case 's':
		wanted = "a string"
		_, ok = v.(String)
	case 'n':
		wanted = "a number"
		_, ok = v.(Number)
	case 'b':
		wanted = "a boolean"
		_, ok = v.(Bool)
	case 'a':
		wanted = "an array"
		_, ok = v.(*Array)
	case 'f':
		wanted = "a function"
		_, ok = v.(*Function)
	}
	if ok {
		return ""
	}
	return wanted
}

// str, num and arr read arguments whose types the call has checked.
func str(v Value) string { return string(v.(String)) }

func num(v Value) float64 { return float64(v.(Number)) }

func arr(v Value) *Array { return v.(*Array) }

// flags reads an options array, whose known options are all booleans.
func flags(args []Value, i int, known ...string) (map[string]bool, error) {
	set := map[string]bool{}
	if i >= len(args) {
		return set, nil
	}
	options := arr(args[i])
	for j := range options.Len() {
		key, val := options.At(j)
		name, ok := key.(String)
		if !ok || !contains(known, string(name)) {
			t, _ := Text(key)
			if len(known) == 0 {
				return nil, errorString("the option " + t + " is not supported here")
			}
			return nil, errorString("the option " + t + " is not supported here: there is " + strings.Join(known, ", "))
		}
		on, ok := val.(Bool)
		if !ok {
			return nil, errorString("the option " + string(name) + " must be a boolean, not a value of type " + val.typeName())
		}
		set[string(name)] = bool(on)
	}
	return set, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// elsewhere are functions of other languages that scripts are often written with, and what HSL has.
var elsewhere = map[string]string{
	"array_push": "$a[] = $value", "array_merge": "$a + $b", "array_values": "array_map or a slice, $a[:]",
	"array_slice": "a slice, $a[from:to]", "count": "length", "strlen": "length", "in_array": "array_includes",
	"array_key_exists": "isset($a[$key])", "implode": "array_join", "explode": "str_split", "sprintf": `"..." % [...]`,
	"print": "echo", "trim": "str_strip", "substr": "str_slice or a slice", "strpos": "str_find", "str_contains": "str_find($s, $t) != -1",
	"strtolower": "str_lower", "strtoupper": "str_upper", "is_null": "=== none", "is_none": "=== none", "intval": "number",
	"strval": "string", "str_join": "array_join", "str_trim": "str_strip", "preg_match": "=~",
	"microtime": "time", "json_parse": "json_decode", "gmdate": "strftime", "date": "strftime",
	"min": "array_reduce with your own function", "max": "array_reduce with your own function",
}

// unknownFunction is the error for a name that nothing defines.
func unknownFunction(name string) string {
	if hint, ok := elsewhere[name]; ok {
		return "there is no function " + name + " in HSL: use " + hint
	}
	return "unknown function " + name + ": it is neither defined in the script, nor imported, nor one of the functions known here"
}

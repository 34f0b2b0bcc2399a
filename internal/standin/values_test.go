package standin

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAValueGoesThroughThePluginUnchanged(t *testing.T) {
	h := open(t, Options{})
	for name, value := range map[string]any{
		"none":            nil,
		"true":            true,
		"false":           false,
		"number":          -184.25,
		"infinity":        math.Inf(-1),
		"string":          "text",
		"NUL bytes":       "a\x00b\x00",
		"not UTF-8":       "\xff\xfe",
		"5 MB":            strings.Repeat("0123456789abcdef", 5<<16),
		"empty array":     Array{},
		"mixed keys":      Array{{Key: "k", Value: "v"}, {Key: 7.0, Value: nil}, {Key: "", Value: true}},
		"nested":          Array{{Key: 0.0, Value: Array{{Key: "a", Value: Array{{Key: "b", Value: 1.5}}}}}},
		"equal keys":      Array{{Key: "k", Value: 1.0}, {Key: "k", Value: 2.0}},
		"a thousand keys": thousand(),
	} {
		if diff := cmp.Diff(value, call(t, h, "echo", value)); diff != "" {
			t.Errorf("%s (-sent +returned):\n%s", name, diff)
		}
	}
	wantNoFaults(t, h)
}

func thousand() Array {
	var array Array
	for i := range 1000 {
		array = append(array, Pair{Key: float64(i), Value: strings.Repeat("x", i)})
	}
	return array
}

// Length 0 means strlen: the only way to set an empty string, and a trap for a text that starts with NUL.
func TestAnEmptyStringIsSetByItsTerminator(t *testing.T) {
	h := open(t, Options{})
	if got := call(t, h, "echo", ""); got != "" {
		t.Errorf("echo of the empty string: %#v", got)
	}
	want := Array{{Key: "errno", Value: -184.0}, {Key: "", Value: "a\x00b"}, {Key: "overwritten", Value: nil}}
	if diff := cmp.Diff(want, call(t, h, "build")); diff != "" {
		t.Errorf("build (-want +got):\n%s", diff)
	}
	wantNoFaults(t, h)
}

func TestAMissingArgumentIsNotNone(t *testing.T) {
	h := open(t, Options{})
	for n, args := range [][]any{{}, {nil}, {nil, nil}, {1.0, "x", nil}} {
		if got := call(t, h, "count", args...); got != float64(n) {
			t.Errorf("count of %v: %v, want %d", args, got, n)
		}
	}
}

func TestFindReadsStringKeysOnly(t *testing.T) {
	h := open(t, Options{})
	array := Array{{Key: 1.0, Value: "number"}, {Key: "1", Value: "string"}, {Key: "1", Value: "second"}}
	if got := call(t, h, "find", array, "1"); got != "string" {
		t.Errorf("find 1: %v, want the first string key", got)
	}
	if got := call(t, h, "find", array, "2"); got != nil {
		t.Errorf("find 2: %v, want none", got)
	}
	if got := call(t, h, "find", nil, "2"); got != nil {
		t.Errorf("find in none: %v, want none", got)
	}
}

func TestTheGettersTakeNullAndLeaveTheirOutputAlone(t *testing.T) {
	h := open(t, Options{})
	if got := call(t, h, "tolerance", 1.0); got != true {
		t.Errorf("tolerance: %v", got)
	}
	wantNoFaults(t, h)
}

func TestValuesAsJSON(t *testing.T) {
	h := open(t, Options{})
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{true, `true`},
		{100000.0, `100000`},
		{1e15, `1e+15`},
		{0.1, `0.1`},
		{1.0 / 3, `0.3333333333333333`},
		{"a\"\\\n\x01/\x00", `"a\"\\\n\u0001/\u0000"`},
		{"\u00e5\U0001F600", `"\u00e5\ud83d\ude00"`},
		{Array{}, `[]`},
		{Array{{Key: 0.0, Value: "x"}, {Key: 1.0, Value: nil}}, `["x",null]`},
		{Array{{Key: 1.0, Value: "x"}}, `{"1":"x"}`},
		{Array{{Key: "k", Value: Array{}}, {Key: 2.0, Value: false}}, `{"k":[],"2":false}`},
	} {
		got, _ := call(t, h, "to_json", c.value).(string)
		if got != c.want {
			t.Errorf("%#v: %s, want %s", c.value, got, c.want)
			continue
		}
		if back := call(t, h, "to_json", call(t, h, "from_json", got)); back != c.want {
			t.Errorf("%s read and written again: %v", c.want, back)
		}
	}
	for _, value := range []any{math.NaN(), "\xc3", "\xed\xa0\x80", "\xc0\x80"} {
		if _, thrown, _ := try(h, "to_json", value); thrown == nil {
			t.Errorf("%#v has no JSON form, but to_json gave one", value)
		}
	}
	wantNoFaults(t, h)
}

func TestJSONIsReadToTheLetter(t *testing.T) {
	h := open(t, Options{})
	for text, want := range map[string]any{
		" { \"a\" : [ 1 , -2.5e1 ] } ": Array{{Key: "a", Value: Array{{Key: 0.0, Value: 1.0}, {Key: 1.0, Value: -25.0}}}},
		`{"a":1,"b":2,"a":3}`:          Array{{Key: "a", Value: 3.0}, {Key: "b", Value: 2.0}},
		`"\u00e5\ud83d\ude00\t"`:       "\u00e5\U0001F600\t",
		`[]`:                           Array{},
		`{}`:                           Array{},
	} {
		if diff := cmp.Diff(want, call(t, h, "from_json", text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{
		``, `[1,]`, `{"a"}`, `{a:1}`, `01`, `1.`, `1e`, `-`, `nul`, `"a`, "\"\n\"", `"\x"`, `"\ud800"`, `"\udc00"`,
		`"\u12"`, `[1] 2`, `[1`, `{"a":1`, strings.Repeat("[", 101),
	} {
		if _, thrown, _ := try(h, "from_json", text); thrown == nil || !strings.Contains(thrown.Message, " at byte ") {
			t.Errorf("%.20q: exception %v, want one with its position", text, thrown)
		}
	}
	wantNoFaults(t, h)
}

func TestValuesThatHSLDoesNotHaveAreRefused(t *testing.T) {
	h := open(t, Options{})
	deep := Array{}
	for range depth {
		deep = Array{{Key: 0.0, Value: deep}}
	}
	for name, value := range map[string]any{
		"an int":     1,
		"a []byte":   []byte("x"),
		"a bool key": Array{{Key: true, Value: nil}},
		"too deep":   deep,
	} {
		if _, _, err := try(h, "echo", value); err == nil {
			t.Errorf("%s was passed", name)
		}
	}
}

// The decoder reads what C wrote; a wrong length in it must be an error and not a panic of the host.
func FuzzDecode(f *testing.F) {
	for _, value := range []any{nil, true, 1.5, "text", Array{{Key: "k", Value: Array{{Key: 1.0, Value: nil}}}}} {
		seed, err := encodeAll([]any{value})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte("a\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, in []byte) {
		value, err := decodeOne(in)
		if err != nil {
			return
		}
		out, err := appendValue(nil, value, 0)
		if err == nil && string(out) != string(in) {
			t.Errorf("%x is read as %#v, which is written as %x", in, value, out)
		}
	})
}

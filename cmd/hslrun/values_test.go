package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/halon-extras/kafka/internal/hsl"
	"github.com/halon-extras/kafka/internal/standin"
)

func TestValuesThereAndBack(t *testing.T) {
	v := hsl.NewArray(hsl.None{}, hsl.Bool(true), hsl.Number(-1.5), hsl.String("a\x00\xff"), hsl.NewArray())
	if err := v.Set(hsl.String("k"), hsl.NewArray(hsl.Number(1))); err != nil {
		t.Fatal(err)
	}
	there, err := toHost(v, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := standin.Array{
		{Key: 0.0, Value: nil},
		{Key: 1.0, Value: true},
		{Key: 2.0, Value: -1.5},
		{Key: 3.0, Value: "a\x00\xff"},
		{Key: 4.0, Value: standin.Array{}},
		{Key: "k", Value: standin.Array{{Key: 0.0, Value: 1.0}}},
	}
	if diff := cmp.Diff(any(want), there); diff != "" {
		t.Errorf("given to the host:\n%s", diff)
	}
	back, err := fromHost(there)
	if err != nil {
		t.Fatal(err)
	}
	got, err := hsl.Text(back)
	if want := `[0=>none,1=>true,2=>-1.5,3=>"a\x00\xFF",4=>[],"k"=>[0=>1]]`; err != nil || got != want {
		t.Errorf("back from the host: %s, %v, want %s", got, err, want)
	}
}

func TestValuesThatCannotGo(t *testing.T) {
	deep := hsl.NewArray()
	for range maxNesting {
		deep = hsl.NewArray(deep)
	}
	for _, v := range []hsl.Value{deep, &hsl.Exception{Message: "x"}} {
		if _, err := toHost(v, 0); err == nil {
			t.Errorf("a value of type %T was taken", v)
		}
	}
	for _, v := range []any{5, standin.Array{{Key: true, Value: nil}}, standin.Array{{Key: "k", Value: []byte{}}}} {
		if _, err := fromHost(v); err == nil {
			t.Errorf("%#v was taken", v)
		}
	}
}

// A value that the plugin cannot be given is the script's mistake, which it can catch, with a place.
func TestTheScriptHearsOfValuesThatCannotGo(t *testing.T) {
	env := &hsl.Env{Modules: map[string]map[string]hsl.Native{"extras://kafka": natives(nil, []string{"kafka_producer"})}}
	p, err := hsl.Parse("s.hsl", []byte(`import { kafka_producer } from "extras://kafka"; kafka_producer("a", length);`), env)
	if err != nil {
		t.Fatal(err)
	}
	err = p.Run(t.Context(), env)
	if err == nil || !strings.HasPrefix(err.Error(), "s.hsl:1:50: uncaught exception: argument 2 of kafka_producer: ") {
		t.Errorf("got %v", err)
	}
}

package plugins

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
)

// A queue is written in the running configuration as in the other, and nothing else is there.
func TestTheRunningConfigurationHasTheSameQueues(t *testing.T) {
	var start, app struct {
		Properties  map[string]json.RawMessage
		Definitions map[string]json.RawMessage
	}
	if err := errors.Join(json.Unmarshal(Schema, &start), json.Unmarshal(AppSchema, &app)); err != nil {
		t.Fatal(err)
	}
	if len(app.Properties) != 1 || string(app.Properties["queues"]) != string(start.Properties["queues"]) {
		t.Errorf("the properties are %s", app.Properties)
	}
	if !maps.EqualFunc(start.Definitions, app.Definitions, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
		t.Error("the definitions differ")
	}
}

// The editor reads the functions file by these names.
func TestFunctionsFile(t *testing.T) {
	type parameter struct{ Name, Type string }
	var functions []struct {
		Name       string
		Parameters struct{ Required, Optional []parameter }
		ReturnType string
		Detail     string
	}
	if err := json.Unmarshal(Functions, &functions); err != nil {
		t.Fatal(err)
	}
	if len(functions) != 3 {
		t.Fatalf("the file describes %d functions", len(functions))
	}
	for i, want := range []struct {
		name string
		last parameter
	}{
		{"kafka_producer", parameter{"block", "boolean"}},
		{"kafka_deliver", parameter{"timeout", "number"}},
	} {
		f := functions[i]
		if f.Name != want.name || f.ReturnType != "array" {
			t.Errorf("function %d is %+v", i, f)
		}
		parameters := []parameter{
			{"id", "string"},
			{"topic", "string"},
			{"value", "string"},
			{"key", "string"},
			{"headers", "array"},
			{"partition", "number"},
			want.last,
		}
		p := f.Parameters
		if len(p.Required) != 2 || !slices.Equal(append(p.Required, p.Optional...), parameters) {
			t.Errorf("the parameters of %s are %+v", f.Name, p)
		}
	}
	status := functions[2]
	if p := status.Parameters; status.Name != "kafka_status" || status.ReturnType != "array" || len(p.Optional) != 0 || !slices.Equal(p.Required, []parameter{{"id", "string"}}) {
		t.Errorf("the last one is %+v", status)
	}
}

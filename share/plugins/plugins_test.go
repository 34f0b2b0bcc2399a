package plugins

import (
	"encoding/json"
	"testing"
)

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
	if len(functions) != 1 || functions[0].Name != "kafka_producer" || functions[0].ReturnType != "array" {
		t.Fatalf("the file describes %+v", functions)
	}
	want := []parameter{
		{"id", "string"},
		{"topic", "string"},
		{"value", "string"},
		{"key", "string"},
		{"headers", "array"},
		{"partition", "number"},
		{"block", "boolean"},
	}
	p := functions[0].Parameters
	if len(p.Required) != 2 || len(p.Optional) != 5 {
		t.Fatalf("%d parameters are required and %d optional", len(p.Required), len(p.Optional))
	}
	for i, got := range append(p.Required, p.Optional...) {
		if got != want[i] {
			t.Errorf("parameter %d is %v, want %v", i, got, want[i])
		}
	}
}

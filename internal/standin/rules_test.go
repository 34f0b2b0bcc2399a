package standin

import (
	"strings"
	"testing"
)

// Each rule of the interface that a plugin can break is broken once, and the host says so in one sentence. A
// rule that no longer fires would let a plugin through that smtpd may crash on.
func TestABrokenRuleIsOneFault(t *testing.T) {
	text := []any{"some text"}
	array := []any{Array{{Key: "k", Value: "v"}}}
	for _, c := range []struct {
		rule  string
		calls []string // the last one breaks the rule
		args  []any
		want  string
	}{
		{"schedule exactly once", []string{"double_schedule"}, nil, "HalonMTA_hsl_schedule: twice"},
		{"schedule only what was suspended", []string{"schedule_only"}, nil, "did not suspend"},
		{"schedule no call that has returned", []string{"keep_context", "schedule_kept"}, nil, "HalonMTA_hsl_schedule: the call is dead"},
		{"write the result before schedule", []string{"set_after_schedule"}, nil, "HalonMTA_hsl_value_set: the value is dead"},
		{"suspend once", []string{"suspend_twice"}, nil, "HalonMTA_hsl_suspend_return: twice"},
		{"suspend on the thread of the call", []string{"suspend_elsewhere"}, nil, "HalonMTA_hsl_suspend_return: outside"},
		{"throw or suspend", []string{"throw_and_suspend"}, nil, "threw an exception and suspended"},
		{"set the exception", []string{"throw_unset"}, nil, "without setting the exception"},
		{"throw once", []string{"throw_twice"}, nil, "HalonMTA_hsl_throw: twice"},
		{"an exception has the type exception", []string{"throw_as_string"}, nil, "a string was set on the value of HalonMTA_hsl_throw"},
		{"only throw makes an exception", []string{"exception_on_ret"}, nil, "a exception was set on a value that HalonMTA_hsl_throw did not return"},
		{"a parked call does not throw", []string{"throw_late"}, nil, "HalonMTA_hsl_throw: after HalonMTA_hsl_suspend_return"},
		{"the list of arguments dies with the function", []string{"keep_arguments", "use_arguments"}, text, "HalonMTA_hsl_argument_get: the list is dead"},
		{"an argument dies with the call", []string{"keep_value", "use_value"}, text, "HalonMTA_hsl_value_type: the value is dead"},
		{"don't write to lent text after the call", []string{"keep_value", "write_text"}, text, "wrote to 10 bytes after"},
		{"don't write past lent text", []string{"overrun"}, text, "wrote past the end of 10 bytes"},
		{"array_add moves the pair added before", []string{"keep_pair"}, nil, "HalonMTA_hsl_value_set: the value is dead"},
		{"array_add moves what array_find gave", []string{"keep_found"}, nil, "HalonMTA_hsl_value_set: the value is dead"},
		{"arguments are not set", []string{"set_argument"}, text, "an argument was set"},
		{"arguments do not grow", []string{"add_to_argument"}, array, "HalonMTA_hsl_value_array_add: on an argument"},
		{"only arrays grow", []string{"add_to_string"}, nil, "HalonMTA_hsl_value_array_add: on a string"},
		{"a key is a string or a number", []string{"key_unset"}, nil, "a key of type none"},
		{"set with a number of another header", []string{"set_number_of_type"}, nil, "HalonMTA_hsl_value_set: there is no type 4"},
		{"get with a number of another header", []string{"get_number_of_type"}, text, "HalonMTA_hsl_value_get: there is no type 3"},
		{"no files here", []string{"set_file"}, nil, "no values of type file"},
		{"a number has no length", []string{"number_with_length"}, nil, "number with len 8"},
		{"a string is not NULL", []string{"string_of_null"}, nil, "string with in = NULL"},
		{"an array starts empty", []string{"array_of_something"}, nil, "array with in not NULL"},
		{"set a value", []string{"set_null"}, nil, "HalonMTA_hsl_value_set: the value is NULL"},
		{"the configuration dies with init", []string{"use_config"}, nil, "HalonMTA_config_object_get: the node is dead"},
		{"init's context dies with init", []string{"use_init"}, nil, "HalonMTA_init_getinfo: outside"},
		{"register in hsl_register", []string{"register_late"}, nil, "HalonMTA_hsl_module_register_function: outside"},
		{"the log is the host's", []string{"open_log"}, nil, `openlog("plugin")`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			h := open(t, Options{Config: Object(Member{"queues", List()})})
			for i, name := range c.calls {
				if i == len(c.calls)-1 && i > 0 {
					wantNoFaults(t, h)
					// wantNoFaults gave the dead memory back: keep again what the last call misuses.
					call(t, h, c.calls[0], c.args...)
				}
				if _, _, err := try(h, name, c.args...); err != nil {
					t.Fatal(err)
				}
			}
			faults := h.Faults()
			if len(faults) != 1 || !strings.Contains(faults[0], c.want) {
				t.Errorf("faults %q, want one with %q", faults, c.want)
			}
		})
	}
}

// Reading lent text after its call is no call of the host: the text itself has to be gone, or a plugin that forgets to
// copy passes every test until smtpd reuses the memory.
func TestLentTextIsPoisonedAfterTheCall(t *testing.T) {
	h := open(t, Options{})
	call(t, h, "keep_value", "some text")
	got, _ := call(t, h, "use_text").(string)
	if want := strings.Repeat("\xa5", len("some text")); got != want {
		t.Errorf("text read after its call: %q, want %q", got, want)
	}
}

func TestInitMustNotAskForANumber(t *testing.T) {
	h := load(t, Options{Config: Object(Member{"number", Scalar("7", Number)})})
	h.Init()
	faults := h.Faults()
	if len(faults) != 1 || !strings.Contains(faults[0], "HalonMTA_init_getinfo: there is no information 1") {
		t.Errorf("faults %q, want one for information 1", faults)
	}
}

func TestFaultsStartEmptyWithEachHost(t *testing.T) {
	h := open(t, Options{})
	call(t, h, "set_null")
	if len(h.Faults()) != 1 {
		t.Fatalf("faults %q, want one", h.Faults())
	}
	h.Cleanup()
	h.Close()
	wantNoFaults(t, open(t, Options{}))
}

func TestFaultsAreCountedBeyondTheOnesThatAreKept(t *testing.T) {
	h := open(t, Options{})
	for range 1003 {
		call(t, h, "set_null")
	}
	faults := h.Faults()
	if len(faults) != 1001 || faults[1000] != "and 3 faults more" {
		t.Errorf("%d faults, the last %q; want 1000 and the number of the rest", len(faults), faults[len(faults)-1])
	}
}

package nearest

import "testing"

func TestMeant(t *testing.T) {
	names := []string{"dump", "list", "config", "linger.ms", "sticky.partitioning.linger.ms"}
	for word, want := range map[string]string{
		"dmup": " (is dump meant?)", "DUMP": " (is dump meant?)", "lsit": " (is list meant?)", "linger_ms": " (is linger.ms meant?)",
		"linger": " (is linger.ms or sticky.partitioning.linger.ms meant?)", "status": "", "": "", "x": "",
	} {
		if got := Meant(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

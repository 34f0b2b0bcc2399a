package conf

import (
	"regexp"
	"strings"
	"testing"
)

// Brokers refuse a name or version that begins or ends with anything but a letter or a digit.
func TestWhatBrokersAreToldOfTheSoftwareIsWhatTheyTake(t *testing.T) {
	taken := regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$`)
	for _, text := range []string{"mail", "-mail.", "Fräulein", "a b", "..", "", strings.Repeat("x", 300), strings.Repeat("x", 255) + ".1", strings.Repeat("-", 300), strings.Repeat("x.", 200)} {
		s := settingsFor(t, "client.software.name", text, "client.software.version", text)
		if name, version := s.Software(Deps{}); !taken.MatchString(name) || !taken.MatchString(version) || len(name) > 256 || len(version) > 256 {
			t.Errorf("%.20q becomes %q and %q", text, name, version)
		}
	}
}

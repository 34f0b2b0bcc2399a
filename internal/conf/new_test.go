package conf

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/halon-extras/kafka/internal/authority"
)

// TestNew replays what rd_kafka_new of librdkafka 2.15.0 said to whole configurations: the verdict,
// its words up to those of OpenSSL, the client's name and the warnings.
func TestNew(t *testing.T) {
	certs := authority.New(t, "ca").Folder()
	rows := readCases(t, "new.tsv")
	if len(rows) < 155 {
		t.Fatalf("testdata has %d cases, want at least 155", len(rows))
	}
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			verdict, words, logs := create(t, strings.ReplaceAll(row[1], "$CERTS", certs))
			if verdict != row[2] {
				t.Fatalf("%s %q, want %s %q", verdict, words, row[2], row[3])
			}
			want := strings.ReplaceAll(unescape(t, row[3]), "$CERTS", certs)
			if cutSSL(words) != cutSSL(want) {
				t.Errorf("%q, want %q", words, want)
			}
			if verdict != "OK" {
				return
			}
			if diff := cmp.Diff(expectedLogs(row[4]), logs); diff != "" {
				t.Errorf("warnings (-librdkafka +here):\n%s", diff)
			}
		})
	}
}

// create sets and finalizes a configuration in the form of new.tsv.
func create(t *testing.T, config string) (verdict, words string, logs []string) {
	t.Helper()
	c := New()
	for item := range strings.SplitSeq(config, " ;; ") {
		name, text, _ := strings.Cut(item, "=")
		text = unescape(t, text)
		if path, ok := strings.CutPrefix(text, "@file:"); ok {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		var refused *SetError
		if err := c.Set(name, text); errors.As(err, &refused) {
			return "CONF_SET_" + string(refused.Verdict), refused.Text, nil
		}
	}
	s, warnings, err := c.Finalize(1)
	var refused *NewError
	if errors.As(err, &refused) {
		return "NEW_FAIL", refused.Text, nil
	}
	if err != nil {
		t.Fatalf("Finalize returned a %T", err)
	}
	for _, w := range warnings {
		if w.Facility != noEffect {
			logs = append(logs, fmt.Sprintf("%d|%s|%s", w.Level, w.Facility, w.Text))
		}
	}
	return "OK", s.Name, logs
}

// cutSSL cuts OpenSSL's own words off, which differ by its version.
func cutSSL(words string) string {
	before, _, found := strings.Cut(words, ": error:")
	if found {
		return before + ": error:"
	}
	return words
}

// expectedLogs reads the log column. Lines that two of librdkafka's threads wrote count once, and
// the line about its mock brokers has no place here.
func expectedLogs(column string) []string {
	var lines []string
	for line := range strings.SplitSeq(column, " || ") {
		line = strings.NewReplacer("[thrd:app]: ", "", "[thrd:main]: ", "").Replace(line)
		if line == "" || strings.Contains(line, "|MOCK|") || slices.Contains(lines, line) {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

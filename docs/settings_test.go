package docs_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/share/plugins"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The tables have what the schema has: every setting of the spool with its default, and no other.
func TestTheSettingsAreThoseOfTheSchema(t *testing.T) {
	var schema struct {
		Definitions struct {
			Spool struct {
				Properties map[string]struct{ Default any }
			}
		}
	}
	if err := json.Unmarshal(plugins.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(page(t, "settings.md"), "\n## spool\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var named []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(table, -1) {
		named = append(named, row[1])
		property, ok := schema.Definitions.Spool.Properties[row[1]]
		if !ok {
			t.Errorf("the schema has no %s", row[1])
			continue
		}
		want := "required"
		switch value := property.Default.(type) {
		case string:
			want = "`" + value + "`"
		case float64:
			want = "`" + strconv.FormatFloat(value, 'f', -1, 64) + "`"
		case bool:
			want = "`" + strconv.FormatBool(value) + "`"
		case nil:
			if row[1] != "path" {
				want = "none"
			}
		}
		if row[2] != want {
			t.Errorf("the default of %s is %s, the page says %s", row[1], want, row[2])
		}
	}
	for name := range schema.Definitions.Spool.Properties {
		if !slices.Contains(named, name) {
			t.Errorf("the page has no %s", name)
		}
	}
}

// Each code of the page has the text that a script gets with it.
func TestTheErrorsHaveTheirTexts(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| (-?[0-9]+)[, 0-9]* \| ([^|]+) \|`).FindAllStringSubmatch(page(t, "errors.md"), -1)
	if len(rows) < 14 {
		t.Errorf("it has %d codes only", len(rows))
	}
	for _, row := range rows {
		number, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := resperr.Code(number).Error(); got != row[2] {
			t.Errorf("%d is %q, the page says %q", number, got, row[2])
		}
	}
}

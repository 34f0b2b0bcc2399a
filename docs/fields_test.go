package docs_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/report"
)

// The page has each field that programs can read, and the programs have each field of the page.
func TestTheFieldsAreThoseOfThePrograms(t *testing.T) {
	text := page(t, "fields.md")
	var named []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(text, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			named = append(named, name[1])
		}
	}
	code := source(t)
	for _, name := range named {
		if !strings.Contains(code, `json:"`+name+`"`) && !strings.Contains(code, `json:"`+name+`,`) {
			t.Errorf("no program prints %s", name)
		}
	}
	for _, kind := range []reflect.Type{reflect.TypeFor[report.Spool](), reflect.TypeFor[report.Topic](), reflect.TypeFor[report.Statistics](), reflect.TypeFor[report.TopicStatistics]()} {
		for i := range kind.NumField() {
			name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			if !slices.Contains(named, name) && !strings.Contains(text, "`"+name+"`") {
				t.Errorf("the page has no %s of %s", name, kind.Name())
			}
		}
	}
}

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
	for field := range reflect.TypeFor[report.Status]().Fields() {
		if name := field.Tag.Get("json"); !slices.Contains(named, name) {
			t.Errorf("the page has no %s of status", name)
		}
	}
	for kind := range report.Kinds {
		if !strings.Contains(text, "\n| "+kind.String()+" | ") {
			t.Errorf("the page has no kind %s", kind)
		}
	}
	for _, kind := range []reflect.Type{
		reflect.TypeFor[report.Spool](), reflect.TypeFor[report.Topic](), reflect.TypeFor[report.Statistics](), reflect.TypeFor[report.TopicStatistics](),
		reflect.TypeFor[report.BrokerStatistics](), reflect.TypeFor[report.PartitionStatistics](), reflect.TypeFor[report.StatusProblem](), reflect.TypeFor[report.LastError](),
	} {
		for field := range kind.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !slices.Contains(named, name) && !strings.Contains(text, "`"+name+"`") {
				t.Errorf("the page has no %s of %s", name, kind.Name())
			}
		}
	}
}

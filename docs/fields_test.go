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
	_, status, _ := strings.Cut(code, "type statusJSON struct {")
	status, _, found := strings.Cut(status, "\n}")
	for _, field := range regexp.MustCompile("json:\"([a-z_]+)\"").FindAllStringSubmatch(status, -1) {
		if !slices.Contains(named, field[1]) {
			t.Errorf("the page has no %s of status", field[1])
		}
	}
	if !found {
		t.Error("the state of a queue is gone from the program")
	}
	for kind := range report.Kinds {
		if !strings.Contains(text, "\n| "+kind.String()+" | ") {
			t.Errorf("the page has no kind %s", kind)
		}
	}
	for _, kind := range []reflect.Type{
		reflect.TypeFor[report.Spool](), reflect.TypeFor[report.Topic](), reflect.TypeFor[report.Statistics](), reflect.TypeFor[report.TopicStatistics](),
		reflect.TypeFor[report.BrokerStatistics](), reflect.TypeFor[report.PartitionStatistics](), reflect.TypeFor[report.Problem](), reflect.TypeFor[report.LastError](),
	} {
		for i := range kind.NumField() {
			name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			if !slices.Contains(named, name) && !strings.Contains(text, "`"+name+"`") {
				t.Errorf("the page has no %s of %s", name, kind.Name())
			}
		}
	}
}

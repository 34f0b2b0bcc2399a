package operator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/halon-extras/kafka/internal/conf"
)

// verdict is what came of one queue made of settings. Its JSON is part of the interface.
type verdict struct {
	Verdict  string   `json:"verdict"`
	Errstr   exact    `json:"errstr"`
	Values   values   `json:"values"`
	Warnings []exact  `json:"warnings"`
	Cluster  *cluster `json:"cluster,omitempty"` // only with --connect

	settings *conf.Settings // of an OK verdict
	doubts   int            // how many of the warnings are more than a note
}

// The verdicts beside those of [conf.SetError].
const (
	verdictOK      = "OK"
	verdictNewFail = "NEW_FAIL"
)

// values are the effective values, in the order in which the names were first set.
type values []setting

// MarshalJSON implements [json.Marshaler].
func (v values) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := exact(one.name).MarshalJSON()
		text, _ := exact(one.text).MarshalJSON()
		b.Write(name)
		b.WriteByte(':')
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// The texts that stand for a value.
const (
	unset  = "<unset>" // rd_kafka_conf_get has no text for it
	masked = "***"
)

// shown returns the effective value of a property as it may be printed. The empty text hides no secret.
func shown(c *conf.Conf, name string) string {
	text, ok := c.Get(name)
	if !ok {
		return unset
	}
	if p, known := conf.Lookup(name); known && p.Secret && text != "" {
		return masked
	}
	return text
}

// setting is a name and a value, as they were given or as they came out.
type setting struct{ name, text string }

// judge builds one queue from settings, in their order.
//
// The values are those that stand after the last setting that was accepted: what rd_kafka_conf_get returns
// before rd_kafka_new derives others from them.
func judge(settings []setting) *verdict {
	v := &verdict{Verdict: verdictOK, Warnings: []exact{}}
	c := conf.New()
	var names []string
	for _, s := range settings {
		if refused, ok := errors.AsType[*conf.SetError](c.Set(s.name, s.text)); ok {
			v.Verdict, v.Errstr = string(refused.Verdict), exact(refused.Text)
			break
		}
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	for _, name := range names {
		v.Values = append(v.Values, setting{name, shown(c, name)})
	}
	if v.Verdict != verdictOK {
		return v
	}
	set, warnings, err := c.Finalize(1)
	if fail, ok := errors.AsType[*conf.NewError](err); ok {
		v.Verdict, v.Errstr = verdictNewFail, exact(fail.Text)
		if fail.Reason != "" {
			v.Warnings = append(v.Warnings, exact(fail.Reason))
		}
		return v
	}
	v.settings = set
	for _, w := range warnings {
		v.Warnings = append(v.Warnings, exact(w.Text))
		if !w.NoEffect() {
			v.doubts++
		}
	}
	advise := func(text string) {
		v.Warnings = append(v.Warnings, exact(text))
		v.doubts++
	}
	for _, s := range settings {
		for _, text := range conf.Advise(s.name, s.text) {
			advise(text)
		}
	}
	for _, a := range c.Advice() {
		advise(a.Text)
	}
	return v
}

// checkSettings is check --set.
func checkSettings(ctx context.Context, f *checkFlags, t Terminal) int {
	var settings []setting
	for i, s := range f.settings {
		name, text, found := strings.Cut(s, "=")
		if !found {
			// Not shown: it may be a password that lost its name.
			return usage(t, "check", "--set takes NAME=VALUE, and number %d has no '='", i+1)
		}
		settings = append(settings, setting{name, text})
	}
	v := judge(settings)
	if f.connect && v.settings != nil {
		v.Cluster = reach(ctx, v.settings, f.topics, f.timeout)
	}
	status := exitFine
	problems, warnings := v.Cluster.count()
	if v.Verdict != verdictOK || problems > 0 || f.strict && v.doubts+warnings > 0 {
		status = exitWrong
	}
	if f.json {
		if err := writeJSON(t.Out, v); err != nil {
			fmt.Fprintln(t.Err, err)
			return exitUsage
		}
		return status
	}
	v.write(t)
	return status
}

// write prints the verdict as text.
func (v *verdict) write(t Terminal) {
	head := v.Verdict
	if v.Errstr != "" {
		head += ": " + oneLine(string(v.Errstr))
	}
	fmt.Fprintln(t.Out, head)
	for _, one := range v.Values {
		fmt.Fprintf(t.Out, "%s=%s\n", oneLine(one.name), oneLine(one.text))
	}
	for _, w := range v.Warnings {
		fmt.Fprintf(t.Out, "warning: %s\n", oneLine(string(w)))
	}
	v.Cluster.write(t.Out, "")
}

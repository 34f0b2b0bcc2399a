package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/smtpdconf"
)

// findings is all there is to say about the plugin's configuration in a file.
type findings struct {
	problems, warnings, notes smtpdconf.Errors
	queues                    []*queue
}

// queue is one element of queues[].
type queue struct {
	id       string
	settings *conf.Settings // nil if it was refused
	cluster  *cluster       // only with --connect
}

// checkFile is check -c, check -A, and both.
func checkFile(ctx context.Context, f *checkFlags, t Terminal) int {
	found := &findings{}
	var start, app *smtpdconf.Plugin
	var names []string
	for _, one := range []struct {
		path  string
		entry **smtpdconf.Plugin
	}{{f.file, &start}, {f.app, &app}} {
		if one.path == "" {
			continue
		}
		name, src, err := readFile(one.path, t.In)
		names = append(names, name)
		var file *smtpdconf.File
		if err == nil {
			file, err = smtpdconf.Parse(name, src)
		}
		var malformed *smtpdconf.Error
		switch {
		case errors.As(err, &malformed):
			found.problems = append(found.problems, malformed)
			continue
		case err != nil:
			fmt.Fprintf(t.Err, "halon-kafka check: %v\n", err)
			return exitUsage
		}
		// A running configuration without the plugin is one without queues.
		if *one.entry = file.Plugin(f.plugin); *one.entry == nil && (one.path == f.file || f.file == "") {
			fmt.Fprintf(t.Err, "halon-kafka check: %s has no plugin with the id %s%s; -p names another\n", name, f.plugin, others(file))
			return exitUsage
		}
	}
	if len(found.problems) == 0 {
		found = inspect(start, app)
	}
	if f.connect {
		reachAll(ctx, found.queues, f.topics, f.timeout)
	}
	var err error
	if f.json {
		err = writeJSON(t.Out, found.json())
	} else {
		err = found.write(t, strings.Join(names, ", "))
	}
	if err != nil {
		fmt.Fprintf(t.Err, "halon-kafka check: %v\n", err)
		return exitUsage
	}
	return found.status(f.strict)
}

func others(file *smtpdconf.File) string {
	if len(file.Plugins) == 0 {
		return ", it has no plugins"
	}
	var ids []string
	for _, p := range file.Plugins {
		ids = append(ids, p.ID)
	}
	return ", only " + strings.Join(ids, ", ")
}

// inspect looks at everything in the plugin's configuration: of smtpd.yaml, of smtpd-app.yaml, or of both.
func inspect(start, app *smtpdconf.Plugin) *findings {
	found := &findings{}
	instance := func() int { return 1 }
	var fixed queueconf.Config
	if start != nil {
		var all queueconf.Findings
		fixed, all = queueconf.Read(hosted(start.Config), instance)
		found.entry(start, fixed, all)
	}
	if app != nil {
		running, all := queueconf.ReadApp(hosted(app.Config), fixed, instance)
		found.entry(app, running, all)
	}
	if len(found.queues) == 0 && len(found.problems) == 0 {
		p := cmp.Or(start, app)
		found.warnings = append(found.warnings, p.Errorf(p.Place(), nil, "there are no queues: every call of kafka_producer is answered with No such id"))
	}
	// A finding stands where the file has it, so that who edits the file goes through it once.
	for _, all := range []smtpdconf.Errors{found.problems, found.warnings, found.notes} {
		slices.SortStableFunc(all, func(a, b *smtpdconf.Error) int {
			second := func(e *smtpdconf.Error) bool { return start != nil && app != nil && e.File == app.File() }
			if one, other := second(a), second(b); one != other {
				return map[bool]int{false: -1, true: 1}[one]
			}
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	return found
}

// entry adds what there is to say about one entry of plugins[].
func (f *findings) entry(p *smtpdconf.Plugin, config queueconf.Config, all queueconf.Findings) {
	for _, m := range p.Others() {
		if _, property := conf.Lookup(m.Key.Text); property || queueconf.Key(m.Key.Text) {
			f.warnings = append(f.warnings, p.PluginErrorf(m.Key, m.Key.Text,
				"%s: it stands in the wrong place and is left out: move it below config", m.Key.Text))
		}
	}
	p.Walk(func(n *smtpdconf.Node, at []any) {
		if strings.ContainsRune(n.Text, 0) { // the host hands over text that ends at the first
			f.problems = append(f.problems, p.Errorf(n, at, "it has a NUL byte, which the host cannot hand over: leave it out"))
		}
	})
	tagged, unset := p.Env()
	f.problems = append(f.problems, unset...)
	if len(tagged) > 0 {
		f.notes = append(f.notes, p.Errorf(tagged[0], nil,
			"!Env is replaced with the environment of this process, and by smtpd only if it is started with --config-env-substitution"))
	}
	for _, one := range all {
		f.add(p, one)
	}
	ready := map[string]*conf.Settings{}
	for _, q := range config.Queues {
		ready[q.ID] = q.Set
	}
	if p.Config != nil {
		if list := p.Config.Get("queues"); list != nil {
			for i, item := range list.Items {
				f.queue(p, item, []any{"queues", i, "id"}, ready)
			}
		}
	}
}

// queue notes that there is one.
func (f *findings) queue(p *smtpdconf.Plugin, item *smtpdconf.Node, at []any, ready map[string]*conf.Settings) {
	id := item.Get("id")
	if id == nil || id.Form != smtpdconf.Scalar || id.Type == smtpdconf.Null {
		return
	}
	if id.Type != smtpdconf.String {
		f.warnings = append(f.warnings, p.Errorf(id, at, "%s: the id is read as text, and scripts must write it as text too: put it in quotes", id.Text))
	}
	f.queues = append(f.queues, &queue{id: id.Text, settings: ready[id.Text]})
}

// add puts a finding where the file has what it is about.
func (f *findings) add(p *smtpdconf.Plugin, one *queueconf.Finding) {
	text := oneLine(one.Line())
	if one.Hint != "" {
		text += " (" + one.Hint + ")"
	}
	placed := p.Errorf(nodeAt(p, one.Path), one.Path, "%s", text)
	to := [...]*smtpdconf.Errors{queueconf.Problem: &f.problems, queueconf.Warning: &f.warnings, queueconf.Note: &f.notes}[one.Grade]
	*to = append(*to, placed)
}

// nodeAt follows a path as far as the file has it: to the key of a value, to an element of a list.
func nodeAt(p *smtpdconf.Plugin, path []any) *smtpdconf.Node {
	at, value := p.Place(), p.Config
	for _, step := range path {
		if value == nil {
			break
		}
		switch step := step.(type) {
		case int:
			if step < len(value.Items) {
				value = value.Items[step]
				at = value
			}
		case string:
			for _, m := range value.Members {
				if m.Key.Text == step {
					at, value = m.Key, m.Value
					break
				}
			}
		}
	}
	return at
}

// hosted returns a configuration as the host shows it to the plugin: every scalar is text, and null cannot be told from
// an empty list or object.
func hosted(n *smtpdconf.Node) *queueconf.Node {
	if n == nil {
		return nil
	}
	out := &queueconf.Node{}
	switch n.Form {
	case smtpdconf.List:
		for _, item := range n.Items {
			out.List = append(out.List, hosted(item))
		}
	case smtpdconf.Object:
		for _, m := range n.Members {
			out.Object = append(out.Object, queueconf.Field{Key: m.Key.Text, Value: hosted(m.Value)})
		}
	default:
		if n.Type != smtpdconf.Null {
			out.Scalar, out.Text = true, n.Text
		}
	}
	return out
}

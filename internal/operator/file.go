package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/smtpdconf"
	plugins "github.com/halon-extras/kafka/share/plugins"
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

// checkFile is check -c.
func checkFile(ctx context.Context, f *checkFlags, t Terminal) int {
	name, src, err := readFile(f.file, t.In)
	if err != nil {
		fmt.Fprintf(t.Err, "halon-kafka check: %v\n", err)
		return exitUsage
	}
	found := &findings{}
	file, err := smtpdconf.Parse(name, src)
	var malformed *smtpdconf.Error
	switch {
	case errors.As(err, &malformed):
		found.problems = smtpdconf.Errors{malformed}
	case err != nil:
		fmt.Fprintf(t.Err, "halon-kafka check: %v\n", err)
		return exitUsage
	default:
		p := file.Plugin(f.plugin)
		if p == nil {
			fmt.Fprintf(t.Err, "halon-kafka check: %s has no plugin with the id %s%s; -p names another\n", name, f.plugin, others(file))
			return exitUsage
		}
		if found, err = inspect(p); err != nil {
			fmt.Fprintf(t.Err, "halon-kafka check: %v\n", err)
			return exitUsage
		}
	}
	if f.connect {
		reachAll(ctx, found.queues, f.topics, f.timeout)
	}
	if f.json {
		err = writeJSON(t.Out, found.json())
	} else {
		err = found.write(t, name)
	}
	if err != nil {
		fmt.Fprintf(t.Err, "halon-kafka check: %v\n", err)
		return exitUsage
	}
	return found.status()
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

// inspect looks at everything in the plugin's configuration. The error means that the schema cannot be used.
func inspect(p *smtpdconf.Plugin) (*findings, error) {
	found := &findings{}
	err := p.Validate(plugins.Schema)
	if err != nil && !errors.As(err, &found.problems) {
		return nil, err
	}
	if p.Config == nil {
		return found, nil
	}
	list := p.Config.Get("queues")
	if list == nil {
		return found, nil
	}
	first := map[string]*smtpdconf.Node{}
	for i, item := range list.Items {
		found.queue(p, item, []any{"queues", i}, first)
	}
	// A finding stands where the file has it, so that who edits the file goes through it once.
	for _, all := range []smtpdconf.Errors{found.problems, found.warnings, found.notes} {
		slices.SortStableFunc(all, func(a, b *smtpdconf.Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	return found, nil
}

// queue looks at one element of queues[]. What is wrong with its form is in the schema's findings.
func (f *findings) queue(p *smtpdconf.Plugin, item *smtpdconf.Node, at []any, first map[string]*smtpdconf.Node) {
	id := item.Get("id")
	if id == nil || id.Form != smtpdconf.Scalar || id.Type == smtpdconf.Null {
		return
	}
	if other := first[id.Text]; other != nil {
		f.problems = append(f.problems, p.Errorf(id, append(slices.Clip(at), "id"),
			"%s: two queues have this id, give each its own; the other is in line %d", id.Text, other.Line))
	} else {
		first[id.Text] = id
	}
	q := &queue{id: id.Text}
	f.queues = append(f.queues, q)
	config := item.Get("config")
	if config == nil || config.Form != smtpdconf.Object {
		return
	}
	r := &reader{
		plugin: p, queue: id.Text, found: f,
		config: config, at: append(slices.Clip(at), "config"),
		secrets: item.Get("secrets"), secretsAt: append(slices.Clip(at), "secrets"),
	}
	q.settings = r.read()
}

// reader reads the properties of one queue.
type reader struct {
	plugin *smtpdconf.Plugin
	queue  string
	config *smtpdconf.Node
	at     []any
	found  *findings

	secrets   *smtpdconf.Node // may be nil
	secretsAt []any
}

// read sets every property, also after one was refused, and then looks at the whole. It returns the settings
// if nothing was refused.
func (r *reader) read() *conf.Settings {
	c := conf.New()
	fine := true
	keys := map[string]*smtpdconf.Node{} // by the name that an alias means
	for _, m := range r.config.Members {
		if m.Value.Form != smtpdconf.Scalar || m.Value.Type == smtpdconf.Null {
			r.warn(m.Key, "the value of %s is %s: it is left out", m.Key.Text, formOf(m.Value))
			continue
		}
		var refused *conf.SetError
		if err := c.Set(m.Key.Text, m.Value.Text); errors.As(err, &refused) {
			r.problem(m.Key, "%s%s", refused.Text, r.meant(refused, m.Key.Text))
			fine = false
			continue
		}
		property, _ := conf.Lookup(m.Key.Text)
		meant := property.SettableName()
		if other := keys[meant]; other != nil {
			// The host does not promise to hand over the keys in the order of the file.
			r.warn(m.Key, "%s sets the same property as %s in line %d: leave one of them out", m.Key.Text, other.Text, other.Line)
		} else {
			keys[meant] = m.Key
		}
	}
	if !r.readSecrets(c) {
		fine = false
	}
	// Also after a refused value: what then is said of the rest is worth knowing in the same run.
	set, _, err := c.Finalize(1)
	if err != nil {
		r.problem(r.blame(err.Error()), "%v", err)
		return nil
	}
	for _, w := range c.Warnings() {
		if w.NoEffect() {
			r.found.notes = append(r.found.notes, r.place(r.blame(w.Text), w.Text))
		} else {
			r.warn(r.blame(w.Text), "%s", w.Text)
		}
	}
	if !fine {
		return nil
	}
	return set
}

func formOf(n *smtpdconf.Node) string {
	switch n.Form {
	case smtpdconf.List:
		return "a list"
	case smtpdconf.Object:
		return "an object"
	}
	return "null"
}

// meant names the properties that an unknown name may stand for.
func (r *reader) meant(refused *conf.SetError, name string) string {
	if refused.Verdict != conf.Unknown {
		return ""
	}
	return didYouMean(name)
}

// blame returns the key that a text about the whole is about, or the configuration as a whole. It only chooses
// the line to show: the texts are librdkafka's, and say no more than the name.
func (r *reader) blame(text string) *smtpdconf.Node {
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c <= ' ' || strings.ContainsRune("`\",:=", c) }) {
		meant, known := conf.Lookup(word)
		if !known {
			continue
		}
		for _, m := range r.config.Members {
			if p, ok := conf.Lookup(m.Key.Text); ok && p.Name == meant.Name && p.Scope == meant.Scope {
				return m.Key
			}
		}
	}
	return r.config
}

// place makes a finding about a key of the configuration, or about it as a whole.
func (r *reader) place(at *smtpdconf.Node, text string) *smtpdconf.Error {
	steps := slices.Clip(r.at)
	if at != r.config {
		steps = append(steps, at.Text)
	}
	return r.plugin.Errorf(at, steps, "%s: %s", r.queue, oneLine(text))
}

func (r *reader) problem(at *smtpdconf.Node, format string, args ...any) {
	r.found.problems = append(r.found.problems, r.place(at, fmt.Sprintf(format, args...)))
}

func (r *reader) warn(at *smtpdconf.Node, format string, args ...any) {
	r.found.warnings = append(r.found.warnings, r.place(at, fmt.Sprintf(format, args...)))
}

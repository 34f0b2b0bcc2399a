// Package queueconf judges the configuration of the plugin: plugins[].config of smtpd.yaml and of smtpd-app.yaml, as the host hands them over.
//
// The plugin starts what [Read] and [ReadApp] return and refuses what they find a problem in; halon-kafka check prints the same findings. So
// what check passes starts, and what it refuses does not. All of a configuration is judged, also behind the first problem.
//
// It reads the files that properties and secrets name, looks at the folders of spools, and changes nothing. It opens no
// connection. It knows no C and no YAML: the host and the file are both a tree of [Node].
package queueconf

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/nearest"
)

// A Queue is one element of queues[], ready to be opened.
type Queue struct {
	ID       string
	Set      *conf.Settings
	Warnings []conf.Warning // librdkafka's lines for the log, as log_level leaves them
	Spool    *Spool         // nil without

	written [sha256.Size]byte // of the element, without the order of its keys; not the element itself, which may hold a password
}

// Same reports whether q is written as other is. The order of keys and what the files say that it names count for nothing.
func (q *Queue) Same(other *Queue) bool { return q.written == other.written }

// Grade says how grave a finding is.
type Grade uint8

// The grades.
const (
	Problem Grade = iota // the start is refused
	Warning              // it starts, and is probably not what was meant
	Note                 // it starts, and a property does nothing here
)

// A Finding is one thing to say about a configuration.
type Finding struct {
	Grade Grade
	Queue string // its id; "" where the finding is about no single queue
	// Path leads from the configuration to what is meant: keys as strings, positions as ints.
	Path []any
	Text string // the words of the log; librdkafka's may end in a newline
	Hint string // what check adds to them; "" is nothing
	App  bool   // it is about smtpd-app.yaml
	Log  bool   // the start logs the warning; librdkafka's own are logged in its form
}

// Line returns the line of the log.
func (f *Finding) Line() string {
	if f.Queue == "" {
		return f.Text
	}
	return f.Queue + ": " + f.Text
}

// Findings are all that there is to say, in the order in which the configuration is read.
type Findings []*Finding

// Refusal returns the first problem, or nil when the configuration starts.
func (f Findings) Refusal() error {
	for _, one := range f {
		if one.Grade == Problem {
			return errors.New(one.Line())
		}
	}
	return nil
}

// A Config is the configuration of the plugin.
type Config struct {
	Queues []Queue
	Listen string // where metrics are served, as host:port; "" is nowhere

	ids     map[string]int // positions in queues[], of queues with a problem too
	folders []folder
}

// Read judges the configuration of the plugin. No configuration, or one without queues, is no queues.
//
// instance numbers the clients of the process, from 1, and is called once for each queue. The queues are only those without a
// problem; where there is a problem, none of them may be started.
//
// Compat: like the original it sets the properties in the order of the host, leaves out a value that is no scalar, and has the
// original's texts. Unlike the original it refuses two queues with one id, and keys that it does not know.
func Read(n *Node, instance func() int) (Config, Findings) {
	r := &reader{instance: instance, keys: pluginKeys, config: Config{ids: map[string]int{}}}
	r.all(n)
	return r.config, r.found
}

// ReadApp is Read for the running configuration, plugins[].config of smtpd-app.yaml, which stands beside start, that of smtpd.yaml. It has
// queues and nothing else, and none with an id or a folder that a queue of start has.
func ReadApp(n *Node, start Config, instance func() int) (Config, Findings) {
	r := &reader{instance: instance, keys: appKeys, config: Config{ids: map[string]int{}, folders: slices.Clone(start.folders)}, start: start.ids}
	r.all(n)
	for _, f := range r.found {
		f.App = true
	}
	return r.config, r.found
}

// reader gathers what is found.
type reader struct {
	instance func() int
	keys     []string // that the configuration may have
	config   Config
	found    Findings
	start    map[string]int // positions in queues[] of smtpd.yaml, where smtpd-app.yaml is read
}

// place is where the reader is: a queue, and the way to it.
type place struct {
	queue string
	path  []any
}

// at returns the place below p.
func (p place) at(steps ...any) place { return place{p.queue, append(slices.Clip(p.path), steps...)} }

func (r *reader) add(grade Grade, p place, text string) *Finding {
	f := &Finding{Grade: grade, Queue: p.queue, Path: p.path, Text: text, Log: grade == Warning}
	r.found = append(r.found, f)
	return f
}

func (r *reader) problem(p place, format string, args ...any) *Finding {
	return r.add(Problem, p, fmt.Sprintf(format, args...))
}

func (r *reader) warn(p place, format string, args ...any) {
	r.add(Warning, p, fmt.Sprintf(format, args...))
}

var (
	pluginKeys = []string{"queues", "metrics"}
	appKeys    = []string{"queues"}
	queueKeys  = []string{"id", "config", "secrets", "spool"}
)

// Key reports whether name is a key of the plugin's configuration or of a queue.
func Key(name string) bool {
	return slices.Contains(pluginKeys, name) || slices.Contains(queueKeys, name)
}

func (r *reader) all(n *Node) {
	root := place{}
	switch {
	case n == nil:
		return
	case n.Scalar || n.List != nil:
		r.problem(root, "the configuration of the plugin must be an object with the key queues")
		return
	}
	r.strangers(root, n, r.keys, "queues[].config")
	if slices.Contains(r.keys, "metrics") {
		r.metrics(root.at("metrics"), n.Get("metrics"))
	}
	list := n.Get("queues")
	switch {
	case list == nil:
		return
	case list.Scalar || list.Object != nil:
		r.problem(root.at("queues"), "queues: it must be a list of queues")
		return
	}
	for i, q := range list.List {
		r.queue(root.at("queues", i), q, i)
	}
}

// strangers refuses keys that are none: a spool that is written "spol" would be missed at the next power cut.
func (r *reader) strangers(p place, n *Node, known []string, home string) {
	for _, f := range n.Object {
		if slices.Contains(known, f.Key) {
			continue
		}
		_, property := conf.Lookup(f.Key)
		switch {
		case property:
			r.problem(p.at(f.Key), "%s: it is a property of librdkafka and stands in the wrong place, move it below %s", f.Key, home)
		case slices.Contains(queueKeys, f.Key):
			r.problem(p.at(f.Key), "%s: it stands in the wrong place, move it into an element of queues", f.Key)
		case slices.Contains(pluginKeys, f.Key) && len(p.path) == 0:
			r.problem(p.at(f.Key), "%s: it is read at the start only, move it to smtpd.yaml", f.Key)
		case slices.Contains(pluginKeys, f.Key):
			r.problem(p.at(f.Key), "%s: it stands in the wrong place, move it to the top of the plugin's config", f.Key)
		default:
			r.problem(p.at(f.Key), "%s: there is no such key%s", f.Key, nearest.Meant(f.Key, known))
		}
	}
}

func (r *reader) queue(p place, n *Node, position int) {
	before := len(r.found)
	id := n.Get("id")
	if id == nil || !id.Scalar {
		r.problem(p, "Missing id") // the original's words
	} else {
		p.queue = id.Text
		if id.Text == "" {
			r.problem(p.at("id"), "id: it is empty, give the queue a name that scripts can use")
		}
		if other, twice := r.config.ids[id.Text]; twice {
			// Compat: two queues with one id end the host with the original. Here the start is refused.
			r.problem(p.at("id"), "two queues have this id, give each its own").Hint = fmt.Sprintf("queues[%d] has it too", other)
		} else {
			r.config.ids[id.Text] = position
		}
		if other, twice := r.start[id.Text]; twice {
			r.problem(p.at("id"), "smtpd.yaml has a queue with this id, give each its own, or take one of them out").Hint = fmt.Sprintf("queues[%d] there", other)
		}
	}
	if n != nil {
		r.strangers(p, n, queueKeys, "config")
	}
	config := n.Get("config")
	s := r.spool(p.at("spool"), n.Get("spool"))
	switch {
	case config == nil:
		r.missingConfig(p, p)
		return
	case config.Scalar && config.Text != "":
		r.missingConfig(p, p.at("config"))
		return
	case config.List != nil:
		r.problem(p.at("config"), "config: it must be an object with properties, not a list")
		return
	}
	set, warnings := r.properties(p, config, n.Get("secrets"))
	if r.found[before:].Refusal() == nil {
		r.config.Queues = append(r.config.Queues, Queue{ID: p.queue, Set: set, Warnings: warnings, Spool: s, written: n.digest()})
	}
}

// missingConfig has the original's words, which do not name the queue.
func (r *reader) missingConfig(p, at place) {
	r.problem(place{path: at.path}, "Missing config").Hint = fmt.Sprintf("queue %s needs an object with properties there", p.queue)
}

// properties sets every property, also after one was refused, and then judges the whole.
func (r *reader) properties(p place, config, secrets *Node) (*conf.Settings, []conf.Warning) {
	c := conf.New()
	at := p.at("config")
	names := map[string]string{} // as written, by the name that an alias means
	for _, f := range config.Object {
		r.property(at.at(f.Key), c, f, names)
	}
	r.secrets(p.at("secrets"), c, secrets)
	// Also after a refused value: what then is said of the rest is worth knowing in the same run.
	set, warnings, err := c.Finalize(r.instance())
	if refused, ok := errors.AsType[*conf.NewError](err); ok {
		r.problem(blame(at, config, refused.Text), "%s", cmp.Or(refused.Reason, refused.Text))
		return nil, nil
	}
	for _, w := range c.Warnings() {
		grade := Warning
		if w.NoEffect() {
			grade = Note
		}
		r.add(grade, blame(at, config, w.Text), w.Text).Log = false
	}
	for _, a := range c.Advice() {
		r.warn(at.member(config, a.Property), "%s", a.Text)
	}
	return set, warnings
}

// member returns the place of a property below p, by the name that it was set with, or p where it was not.
func (p place) member(config *Node, name string) place {
	meant, known := conf.Lookup(name)
	if !known {
		return p
	}
	for _, f := range config.Object {
		if other, ok := conf.Lookup(f.Key); ok && other.Name == meant.Name && other.Scope == meant.Scope {
			return p.at(f.Key)
		}
	}
	return p
}

func (r *reader) property(p place, c *conf.Conf, f Field, names map[string]string) {
	if f.Value == nil || !f.Value.Scalar {
		switch {
		case slices.Contains(queueKeys, f.Key):
			r.warn(p, "%s stands in the wrong place and is left out: move it beside config", f.Key)
		case f.Value == nil || f.Value.List == nil && f.Value.Object == nil:
			r.warn(p, "%s has no value: it is left out", f.Key)
		default:
			r.warn(p, "%s needs one text, and its value is %s: it is left out", f.Key, f.Value.form())
		}
		return
	}
	if refused, ok := errors.AsType[*conf.SetError](c.Set(f.Key, f.Value.Text)); ok {
		finding := r.problem(p, "%s", refused.Text)
		if refused.Verdict == conf.Unknown {
			finding.Hint = conf.Meant(f.Key)
		} else if property, known := conf.Lookup(f.Key); known && strings.HasPrefix(refused.Text, "Invalid value") {
			finding.Hint = "want " + property.Takes()
		}
		return
	}
	for _, text := range conf.Advise(f.Key, f.Value.Text) {
		r.warn(p, "%s", text)
	}
	property, _ := conf.Lookup(f.Key)
	meant := property.SettableName()
	if other, ok := names[meant]; ok {
		// The host does not promise to hand over the keys in the order of the file.
		r.warn(p, "%s sets the same property as %s: leave one of them out", f.Key, other)
	} else {
		names[meant] = f.Key
	}
}

// blame returns the place of the property that a text about the whole is about, or that of the whole. It only chooses the
// line to show: the texts are librdkafka's, and say no more than the name.
func blame(at place, config *Node, text string) place {
	inNoName := func(c rune) bool { return c <= ' ' || strings.ContainsRune("`\",:=", c) }
	for word := range strings.FieldsFuncSeq(text, inNoName) {
		if p := at.member(config, word); len(p.path) > len(at.path) {
			return p
		}
	}
	return at
}

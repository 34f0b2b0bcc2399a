package queueconf

import (
	"github.com/halon-extras/kafka/internal/conf"
)

// secrets sets the properties that a queue keeps outside of its config. Unlike config, which leaves out what is
// no scalar as the original does, it refuses what it does not understand: a password that is left out is found by a
// broker, much later.
func (r *reader) secrets(p place, c *conf.Conf, n *Node) {
	if n == nil {
		return
	}
	if n.Scalar || n.List != nil {
		r.problem(p, "secrets: it maps properties to {file: PATH} or {env: NAME}")
		return
	}
	for _, f := range n.Object {
		source, ok := sourceOf(f.Value)
		if !ok {
			r.problem(p.at(f.Key), "secrets: %s: it takes exactly one of {file: PATH} and {env: NAME}", f.Key)
			continue
		}
		if err := c.SetSecret(f.Key, source); err != nil {
			r.problem(p.at(f.Key), "%s", err)
			continue
		}
		if text := source.Exposed(); text != "" {
			r.warn(p.at(f.Key), "secrets: %s: %s", f.Key, text)
		}
	}
}

// sourceOf reads {file: PATH} or {env: NAME}.
func sourceOf(n *Node) (conf.Source, bool) {
	if n == nil || len(n.Object) != 1 {
		return conf.Source{}, false
	}
	f := n.Object[0]
	if f.Value == nil || !f.Value.Scalar || f.Value.Text == "" {
		return conf.Source{}, false
	}
	switch f.Key {
	case "file":
		return conf.Source{File: f.Value.Text}, true
	case "env":
		return conf.Source{Env: f.Value.Text}, true
	}
	return conf.Source{}, false
}

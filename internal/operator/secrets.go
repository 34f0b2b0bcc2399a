package operator

import (
	"slices"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/smtpdconf"
)

// readSecrets sets the properties that the queue keeps outside of its config, from the files and the environment
// that this program sees, and says whether all were there. What is wrong with the form of an entry is in the
// schema's findings.
func (r *reader) readSecrets(c *conf.Conf) bool {
	if r.secrets == nil || r.secrets.Form != smtpdconf.Object {
		return true
	}
	fine := true
	for _, m := range r.secrets.Members {
		source, ok := sourceOf(m.Value)
		if !ok {
			fine = false
			continue
		}
		if err := c.SetSecret(m.Key.Text, source); err != nil {
			r.found.problems = append(r.found.problems,
				r.plugin.Errorf(m.Key, append(slices.Clip(r.secretsAt), m.Key.Text), "%s: %s", r.queue, oneLine(err.Error())))
			fine = false
		}
	}
	return fine
}

func sourceOf(n *smtpdconf.Node) (conf.Source, bool) {
	if n.Form != smtpdconf.Object || len(n.Members) != 1 {
		return conf.Source{}, false
	}
	m := n.Members[0]
	if m.Value.Form != smtpdconf.Scalar || m.Value.Type != smtpdconf.String || m.Value.Text == "" {
		return conf.Source{}, false
	}
	switch m.Key.Text {
	case "file":
		return conf.Source{File: m.Value.Text}, true
	case "env":
		return conf.Source{Env: m.Value.Text}, true
	}
	return conf.Source{}, false
}

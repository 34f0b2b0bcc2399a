package plugin

import (
	"errors"
	"fmt"

	"github.com/halon-extras/kafka/internal/conf"
)

var errSecrets = errors.New("secrets: it maps properties to {file: PATH} or {env: NAME}")

// readSecrets sets the properties that a queue keeps outside of its config. Unlike config, which
// leaves out what is no scalar as the original does, it refuses what it does not understand: a
// password that is left out is found by a broker, much later.
func readSecrets(c *conf.Conf, n *Node) error {
	if n == nil {
		return nil
	}
	if n.Scalar || len(n.List) > 0 {
		return errSecrets
	}
	for _, f := range n.Object {
		source, ok := sourceOf(f.Value)
		if !ok {
			return fmt.Errorf("secrets: %s: it takes exactly one of {file: PATH} and {env: NAME}", f.Key)
		}
		if err := c.SetSecret(f.Key, source); err != nil {
			return err
		}
	}
	return nil
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

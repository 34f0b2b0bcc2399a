package plugin

import (
	"fmt"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/producer"
)

// A QueueConfig is one element of queues[] in smtpd.yaml.
type QueueConfig struct {
	ID    string
	Conf  *conf.Conf
	Spool *producer.SpoolConfig // nil without
}

// ReadConfig turns the configuration of the plugin into queues, in order. No configuration, or one
// without queues, is no queues.
//
// It stops at the first fault, as the original does: each property is set in the order of the host,
// a value that is no scalar is left out. The error is the original's text: what librdkafka says of a
// property, after the queue's id.
func ReadConfig(n *Node) ([]QueueConfig, error) {
	var queues []QueueConfig
	seen := make(map[string]bool)
	paths := make(map[string]string)
	list := n.Get("queues")
	if list == nil {
		return nil, nil
	}
	for _, q := range list.List {
		id := q.Get("id")
		if id == nil || !id.Scalar {
			return nil, errMissingID
		}
		config := q.Get("config")
		if config == nil || config.Scalar && config.Text != "" {
			return nil, errMissingConfig
		}
		if seen[id.Text] {
			// Compat: two queues with one id end the host with the original. Here the start is
			// refused.
			return nil, fmt.Errorf("%s: two queues have this id, give each its own", id.Text)
		}
		seen[id.Text] = true
		c := conf.New()
		for _, f := range config.Object {
			if f.Value == nil || !f.Value.Scalar {
				continue
			}
			if err := c.Set(f.Key, f.Value.Text); err != nil {
				return nil, fmt.Errorf("%s: %w", id.Text, err)
			}
		}
		if err := readSecrets(c, q.Get("secrets")); err != nil {
			return nil, fmt.Errorf("%s: %w", id.Text, err)
		}
		s, err := readSpool(q.Get("spool"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id.Text, err)
		}
		if s != nil {
			if other, ok := paths[s.Path]; ok {
				return nil, fmt.Errorf("%s: spool: path: %q is the folder of queue %s, give each its own", id.Text, s.Path, other)
			}
			paths[s.Path] = id.Text
		}
		queues = append(queues, QueueConfig{ID: id.Text, Conf: c, Spool: s})
	}
	return queues, nil
}

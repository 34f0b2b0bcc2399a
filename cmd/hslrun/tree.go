package main

import (
	"fmt"
	"strings"

	"github.com/halon-extras/kafka/internal/smtpdconf"
	"github.com/halon-extras/kafka/internal/standin"
)

var kinds = map[smtpdconf.Type]standin.Kind{
	smtpdconf.String:  standin.String,
	smtpdconf.Number:  standin.Number,
	smtpdconf.Boolean: standin.Boolean,
	smtpdconf.Null:    standin.Null,
}

// tree is a configuration as the host gives it to the plugin; nil is none.
func tree(n *smtpdconf.Node) *standin.Config {
	if n == nil {
		return nil
	}
	switch n.Form {
	case smtpdconf.List:
		items := make([]*standin.Config, len(n.Items))
		for i, item := range n.Items {
			items[i] = tree(item)
		}
		return standin.List(items...)
	case smtpdconf.Object:
		members := make([]standin.Member, len(n.Members))
		for i, m := range n.Members {
			members[i] = standin.Member{Key: m.Key.Text, Value: tree(m.Value)}
		}
		return standin.Object(members...)
	}
	return standin.Scalar(n.Text, kinds[n.Type])
}

const serversKey = "bootstrap.servers"

// isServers tells whether a property is the list of brokers, also by its old name.
func isServers(key string) bool { return key == serversKey || key == "metadata.broker.list" }

// queueConfigs calls f with each queues[].config of a plugin's configuration that is an object.
func queueConfigs(config *smtpdconf.Node, f func(queue, config *smtpdconf.Node)) {
	if config == nil {
		return
	}
	queues := config.Get("queues")
	if queues == nil {
		return
	}
	for _, queue := range queues.Items {
		if c := queue.Get("config"); c != nil && c.Form == smtpdconf.Object {
			f(queue, c)
		}
	}
}

// redirect is the configuration with servers as the brokers of every queue. Nodes may stand in several
// places at once through aliases, so they are replaced and not changed.
func redirect(config *smtpdconf.Node, servers string) *smtpdconf.Node {
	replaced := map[*smtpdconf.Node]*smtpdconf.Node{}
	queueConfigs(config, func(_, c *smtpdconf.Node) {
		out := *c
		out.Members = nil
		for _, m := range c.Members {
			if !isServers(m.Key.Text) {
				out.Members = append(out.Members, m)
			}
		}
		out.Members = append(out.Members, smtpdconf.Member{
			Key:   &smtpdconf.Node{Text: serversKey, Type: smtpdconf.String},
			Value: &smtpdconf.Node{Text: servers, Type: smtpdconf.String},
		})
		replaced[c] = &out
	})
	return swap(config, replaced)
}

// swap copies the way to every node that is replaced.
func swap(n *smtpdconf.Node, by map[*smtpdconf.Node]*smtpdconf.Node) *smtpdconf.Node {
	if n == nil {
		return nil
	}
	if r, ok := by[n]; ok {
		return r
	}
	out := *n
	out.Items = make([]*smtpdconf.Node, len(n.Items))
	for i, item := range n.Items {
		out.Items[i] = swap(item, by)
	}
	out.Members = make([]smtpdconf.Member, len(n.Members))
	for i, m := range n.Members {
		out.Members[i] = smtpdconf.Member{Key: m.Key, Value: swap(m.Value, by)}
	}
	return &out
}

// serversOf is the brokers of the first queue that names some.
func serversOf(config *smtpdconf.Node) string {
	servers := ""
	queueConfigs(config, func(_, c *smtpdconf.Node) {
		for _, m := range c.Members {
			if servers == "" && isServers(m.Key.Text) && m.Value.Form == smtpdconf.Scalar && m.Value.Type != smtpdconf.Null {
				servers = m.Value.Text
			}
		}
	})
	return servers
}

// plain returns an error for the first queue that would speak TLS or SASL, which the embedded broker does not: it would try
// until its messages expire.
func plain(config *smtpdconf.Node) error {
	var err error
	queueConfigs(config, func(queue, c *smtpdconf.Node) {
		protocol := c.Get("security.protocol")
		if err != nil || protocol == nil || protocol.Text == "" || strings.EqualFold(protocol.Text, "plaintext") {
			return
		}
		name := ""
		if id := queue.Get("id"); id != nil {
			name = " " + id.Text
		}
		err = fmt.Errorf("hslrun: queue%s has security.protocol %s, and the embedded broker has neither TLS nor SASL: "+
			"take the property out to try the script, or give a real one with --broker HOST:PORT", name, protocol.Text)
	})
	return err
}

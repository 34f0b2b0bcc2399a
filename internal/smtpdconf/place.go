package smtpdconf

import (
	"fmt"
	"slices"
)

// Errorf makes an error about a node of the plugin's configuration, for what a schema cannot tell. steps lead
// from the configuration to the node: keys as strings, positions as ints.
func (p *Plugin) Errorf(at *Node, steps []any, format string, args ...any) *Error {
	full := append(append(slices.Clip(p.path), "config"), steps...)
	return &Error{p.file, at.Line, at.Column, full.String(), fmt.Sprintf(format, args...)}
}

// File returns the name of the file that the plugin is configured in.
func (p *Plugin) File() string { return p.file }

// Place returns the node that stands for the configuration as a whole: that of the plugin where there is none.
func (p *Plugin) Place() *Node {
	if p.Config != nil {
		return p.Config
	}
	return p.item
}

// Others returns the members of the plugin's entry beside id, path and config.
func (p *Plugin) Others() []Member {
	return slices.DeleteFunc(slices.Clone(p.item.Members), func(m Member) bool {
		return m.Key.Text == "id" || m.Key.Text == "path" || m.Key.Text == "config"
	})
}

// PluginErrorf makes an error about a key of the plugin's entry, beside its configuration.
func (p *Plugin) PluginErrorf(at *Node, key, format string, args ...any) *Error {
	return &Error{p.file, at.Line, at.Column, append(slices.Clip(p.path), key).String(), fmt.Sprintf(format, args...)}
}

// Walk calls visit for each node of the plugin's configuration, and for each key. The steps to a node are as for [Plugin.Errorf], and those of a
// key lead to its object.
func (p *Plugin) Walk(visit func(n *Node, steps []any)) {
	var walk func(n *Node, at []any)
	walk = func(n *Node, at []any) {
		visit(n, at)
		for i, item := range n.Items {
			walk(item, append(slices.Clip(at), i))
		}
		for _, m := range n.Members {
			visit(m.Key, at)
			walk(m.Value, append(slices.Clip(at), m.Key.Text))
		}
	}
	if p.Config != nil {
		walk(p.Config, nil)
	}
}

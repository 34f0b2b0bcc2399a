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

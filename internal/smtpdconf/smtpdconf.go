// Package smtpdconf reads the part of Halon's smtpd.yaml that concerns plugins, as the mail server does
// when it starts: hslrun runs a plugin with it, halon-kafka checks it.
//
// It promises that every node keeps its place in the file and that a scalar keeps the text it was written
// with, next to its YAML type: a plugin reads all scalars as text, and 1e3 must not become 1000. Anchors, aliases
// and merge keys are resolved. Each error is an [*Error] with file, line, column and the path in the document.
//
// It refuses what YAML libraries let pass: a key that is written twice, a second document, an alias inside of
// its own anchor, and aliases that multiply without end. It knows nothing of Kafka; what a plugin's
// configuration may hold is in the schema that the caller gives to [Plugin.Validate].
//
// Everything is safe for concurrent use once [Parse] has returned.
package smtpdconf

import (
	"fmt"
	"slices"
	"strings"
)

// File is an smtpd.yaml.
type File struct {
	Name    string
	Plugins []*Plugin
}

// Plugin is an entry of plugins[].
type Plugin struct {
	// ID names the plugin; scripts import from "extras://" and it.
	ID string
	// Path is the .so file as written, or "" for the default of the host.
	Path string
	// Config is the plugin's configuration, or nil when there is none.
	Config *Node

	file string
	path path
	item *Node
}

// Plugin is the entry with that id, or nil.
func (f *File) Plugin(id string) *Plugin {
	for _, p := range f.Plugins {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Error is a place in the file and what is wrong there.
type Error struct {
	File         string
	Line, Column int
	// Path leads to the node, such as plugins[0].config.queues[0].id. Empty: the document as a whole.
	Path string
	Msg  string
}

func (e *Error) Error() string {
	at := fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column)
	if e.Path == "" {
		return at + e.Msg
	}
	return at + e.Path + ": " + e.Msg
}

// Errors are all that is wrong, in the order of the file.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each error to errors.As.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, err := range e {
		out[i] = err
	}
	return out
}

// Parse reads an smtpd.yaml. name stands in error messages. A file without plugins is valid.
func Parse(name string, src []byte) (*File, error) {
	root, err := read(name, src)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name}
	if root == nil || root.Type == Null {
		return f, nil
	}
	r := reader{file: name}
	if root.Form != Object {
		return nil, r.errorf(root, nil, "the file must be an object with the key plugins")
	}
	list := root.Get("plugins")
	if list == nil || list.Type == Null {
		return f, nil
	}
	at := path{"plugins"}
	if list.Form != List {
		return nil, r.errorf(list, at, "plugins must be a list")
	}
	for i, item := range list.Items {
		p, err := r.plugin(item, append(slices.Clip(at), i))
		if err != nil {
			return nil, err
		}
		if f.Plugin(p.ID) != nil {
			return nil, r.errorf(item.Get("id"), append(p.path, "id"), "the plugin %s is configured twice", p.ID)
		}
		f.Plugins = append(f.Plugins, p)
	}
	return f, nil
}

// reader makes errors with the name of the file.
type reader struct{ file string }

func (r reader) errorf(at *Node, p path, format string, args ...any) error {
	return &Error{r.file, at.Line, at.Column, p.String(), fmt.Sprintf(format, args...)}
}

func (r reader) plugin(item *Node, at path) (*Plugin, error) {
	if item.Form != Object {
		return nil, r.errorf(item, at, "a plugin must be an object with an id")
	}
	p := &Plugin{file: r.file, path: at, item: item}
	id := item.Get("id")
	if id == nil {
		return nil, r.errorf(item, at, "the plugin has no id")
	}
	if id.Form != Scalar || id.Type != String || id.Text == "" {
		return nil, r.errorf(id, append(slices.Clip(at), "id"), "the id of a plugin must be a string that is not empty")
	}
	p.ID = id.Text
	if file := item.Get("path"); file != nil && file.Type != Null {
		if file.Form != Scalar || file.Type != String || file.Text == "" {
			return nil, r.errorf(file, append(slices.Clip(at), "path"), "the path of a plugin must be a string that is not empty")
		}
		p.Path = file.Text
	}
	if config := item.Get("config"); config != nil && config.Type != Null {
		p.Config = config
	}
	return p, nil
}

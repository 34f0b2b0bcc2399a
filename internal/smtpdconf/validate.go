package smtpdconf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Validate holds the plugin's configuration against a schema in JSON (draft-07 unless it says otherwise). A
// plugin without a configuration is valid. What is wrong with the configuration comes as [Errors]; any other
// error means that the schema itself cannot be used. It reads no files and no network, also where the
// schema refers to them.
func (p *Plugin) Validate(schema []byte) error {
	if p.Config == nil {
		return nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return fmt.Errorf("the schema of plugin %s is no JSON: %w", p.ID, err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(jsonschema.SchemeURLLoader{})
	// Absolute: a name that is not is taken for one in the current folder, and not found again where that folder's
	// name has a space or a quote.
	const name = "schema:///plugin.json"
	if err := c.AddResource(name, doc); err != nil {
		return fmt.Errorf("the schema of plugin %s cannot be used: %w", p.ID, err)
	}
	s, err := c.Compile(name)
	if err != nil {
		return fmt.Errorf("the schema of plugin %s cannot be used: %w", p.ID, err)
	}
	err = s.Validate(p.Config.value())
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err
	}
	errs := p.place(invalid, nil)
	slices.SortStableFunc(errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return errs
}

// value is the node as the schema sees it: numbers by value, and by text those that JSON cannot write.
func (n *Node) value() any {
	switch n.Form {
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.value()
		}
		return list
	case Object:
		object := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			object[m.Key.Text] = m.Value.value()
		}
		return object
	}
	switch n.Type {
	case Null:
		return nil
	case Boolean:
		return strings.EqualFold(n.Text, "true")
	case Number:
		var v any
		if err := yaml.Unmarshal([]byte(n.Text), &v); err != nil {
			return n.Text
		}
		switch v := v.(type) {
		case int, int64, uint64:
			return v
		case float64:
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				return v
			}
		}
	}
	return n.Text
}

// place turns the leaves of the tree of errors into errors with a place.
func (p *Plugin) place(e *jsonschema.ValidationError, out Errors) Errors {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			out = p.place(cause, out)
		}
		return out
	}
	node, at := p.Config, append(slices.Clip(p.path), "config")
	for _, step := range e.InstanceLocation {
		node, at = node.step(step, at)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			key := node.key(name)
			out = append(out, &Error{p.file, key.Line, key.Column, append(slices.Clip(at), name).String(), "there is no such key"})
		}
		return out
	case *kind.Required:
		for _, name := range k.Missing {
			out = append(out, &Error{p.file, node.Line, node.Column, at.String(), "the key " + name + " is missing"})
		}
		return out
	case *kind.Type:
		return append(out, &Error{p.file, node.Line, node.Column, at.String(), "must be " + strings.Join(k.Want, " or ") + ", not " + k.Got})
	}
	msg := e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return append(out, &Error{p.file, node.Line, node.Column, at.String(), msg})
}

// step goes one step of a schema error's location, in which positions are digits.
func (n *Node) step(name string, at path) (*Node, path) {
	if i, err := strconv.Atoi(name); err == nil && n.Form == List && i < len(n.Items) {
		return n.Items[i], append(slices.Clip(at), i)
	}
	if v := n.Get(name); v != nil {
		return v, append(slices.Clip(at), name)
	}
	return n, at
}

// key is the node of a key, or the object where it has none.
func (n *Node) key(name string) *Node {
	for _, m := range n.Members {
		if m.Key.Text == name {
			return m.Key
		}
	}
	return n
}

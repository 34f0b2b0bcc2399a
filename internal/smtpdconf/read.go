package smtpdconf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	// maxNodes bounds the document after its aliases are resolved: ten lines can name a billion nodes.
	maxNodes = 100_000
	// maxDepth bounds how deep lists and objects nest.
	maxDepth = 100
)

// read gives the document of a file, or nil where it is empty.
func read(name string, src []byte) (*Node, error) {
	if err := checkCharacters(name, src); err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	var doc, more yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, malformed(name, src, err)
	}
	switch err := d.Decode(&more); {
	case err == nil:
		return nil, &Error{name, more.Line, more.Column, "", "the file has more than one document"}
	case !errors.Is(err, io.EOF):
		return nil, malformed(name, src, err)
	}
	r := &resolver{file: name}
	return r.node(doc.Content[0], nil)
}

// checkCharacters finds the first character that YAML refuses (1.2, section 5.1). Its reader refuses the
// same ones, but does not tell where they are.
func checkCharacters(name string, src []byte) error {
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return nil // UTF-16, which the reader decodes
	}
	line, column := 1, 1
	for rest := bytes.TrimPrefix(src, []byte("\ufeff")); len(rest) > 0; column++ {
		char, size := utf8.DecodeRune(rest)
		switch {
		case char == utf8.RuneError && size == 1:
			return &Error{name, line, column, "", fmt.Sprintf("malformed YAML: the byte 0x%02X is not UTF-8: write the file in UTF-8", rest[0])}
		case !allowed(char):
			return &Error{name, line, column, "", fmt.Sprintf("malformed YAML: the character %U is not allowed: in double quotes, an escape can stand for it", char)}
		case char == '\n':
			line, column = line+1, 0
		}
		rest = rest[size:]
	}
	return nil
}

// allowed tells whether a character may stand in a YAML file.
func allowed(char rune) bool {
	switch {
	case char < 0x20:
		return char == '\t' || char == '\n' || char == '\r'
	case char >= 0x7f && char < 0xa0:
		return char == 0x85
	}
	return char != 0xfffe && char != 0xffff
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// malformed gives an error of the YAML reader its place: it knows the line, and the column is where
// the text of that line begins.
func malformed(name string, src []byte, err error) error {
	e := &Error{name, 1, 1, "", err.Error()}
	m := yamlLine.FindStringSubmatch(e.Msg)
	if m == nil {
		return e
	}
	e.Msg = "malformed YAML: " + e.Msg[len(m[0]):]
	lines := strings.Split(string(src), "\n")
	if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= len(lines) {
		e.Line = n
		e.Column = 1 + len(lines[n-1]) - len(strings.TrimLeft(lines[n-1], " \t"))
	}
	if line := guiltyTab(lines, err); line >= 0 {
		e.Line, e.Column = line+1, 1+strings.IndexByte(lines[line], '\t')
		e.Msg = "malformed YAML: there is a tab here, and YAML takes only spaces where a line is indented"
	}
	return e
}

// guiltyTab returns the first line whose tabs are what the YAML reader stumbled over, or -1: with spaces in their place it
// comes further. It names the line before, or none at all.
func guiltyTab(lines []string, first error) int {
	for i, line := range lines {
		head := line[:len(line)-len(strings.TrimLeft(line, " \t-?:"))]
		if !strings.Contains(head, "\t") {
			continue
		}
		// What an editor shows: up to the next multiple of two is enough to tell whether tabs are to blame.
		for _, width := range []int{2, 4, 8, 1} {
			tried := slices.Clone(lines)
			tried[i] = strings.ReplaceAll(line, "\t", strings.Repeat(" ", width))
			var doc yaml.Node
			err := yaml.Unmarshal([]byte(strings.Join(tried, "\n")), &doc)
			if err == nil || err.Error() != first.Error() {
				return i
			}
		}
	}
	return -1
}

// resolver turns the reader's nodes into ours.
type resolver struct {
	file  string
	nodes int
	// open are the nodes around the current one; an alias to one of them has no end.
	open []*yaml.Node
}

func (r *resolver) errorf(n *yaml.Node, p path, msg string) error {
	return &Error{r.file, n.Line, n.Column, p.String(), msg}
}

func (r *resolver) node(n *yaml.Node, at path) (*Node, error) {
	for n.Kind == yaml.AliasNode {
		if slices.Contains(r.open, n.Alias) {
			return nil, r.errorf(n, at, "the alias *"+n.Value+" stands inside of what it names")
		}
		n = n.Alias
	}
	if r.nodes++; r.nodes > maxNodes {
		return nil, r.errorf(n, at, "the document is too large: its aliases multiply")
	}
	if len(r.open) >= maxDepth {
		return nil, r.errorf(n, at, "the document is nested too deep")
	}
	r.open = append(r.open, n)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	out := &Node{Line: n.Line, Column: n.Column}
	switch n.Kind {
	case yaml.SequenceNode:
		out.Form = List
		for i, item := range n.Content {
			v, err := r.node(item, append(slices.Clip(at), i))
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, v)
		}
		return out, nil
	case yaml.MappingNode:
		out.Form = Object
		return out, r.members(out, n, at)
	}
	out.Text, out.Type = n.Value, typeOf(n)
	if n.Tag == envTag {
		out.Env = true
		out.Text, out.Unset = expand(n.Value)
	}
	return out, nil
}

func typeOf(n *yaml.Node) Type {
	switch n.ShortTag() {
	case "!!int", "!!float":
		return Number
	case "!!bool":
		return Boolean
	case "!!null":
		return Null
	}
	return String
}

// members reads the keys of an object. What a merge brings stands where the merge key does, and gives
// way to the object's own keys.
func (r *resolver) members(out *Node, n *yaml.Node, at path) error {
	own := map[string]*yaml.Node{}
	merged := false
	keys := make([]*Node, len(n.Content)/2) // nil is a merge
	for i := range keys {
		key := n.Content[2*i]
		if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
			if merged {
				return r.errorf(key, at, "the merge key << is written twice: give it a list")
			}
			merged = true
			continue
		}
		k, err := r.key(key, at)
		if err != nil {
			return err
		}
		if first, ok := own[k.Text]; ok {
			return r.errorf(key, append(slices.Clip(at), k.Text), "the key is written twice: first in line "+strconv.Itoa(first.Line))
		}
		own[k.Text], keys[i] = key, k
	}
	for i, k := range keys {
		value := n.Content[2*i+1]
		if k == nil {
			if err := r.merge(out, own, value, at); err != nil {
				return err
			}
			continue
		}
		v, err := r.node(value, append(slices.Clip(at), k.Text))
		if err != nil {
			return err
		}
		out.Members = append(out.Members, Member{k, v})
	}
	return nil
}

func (r *resolver) key(n *yaml.Node, at path) (*Node, error) {
	place := n
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return nil, r.errorf(place, at, "a key must be a scalar")
	}
	return &Node{Text: n.Value, Type: typeOf(n), Line: place.Line, Column: place.Column}, nil
}

// merge adds the members of the objects that << names: of several, the first one wins.
func (r *resolver) merge(out *Node, own map[string]*yaml.Node, from *yaml.Node, at path) error {
	v, err := r.node(from, at)
	if err != nil {
		return err
	}
	objects := []*Node{v}
	if v.Form == List {
		objects = v.Items
	}
	for _, o := range objects {
		if o.Form != Object {
			return r.errorf(from, at, "<< takes an object or a list of objects")
		}
		for _, m := range o.Members {
			if own[m.Key.Text] == nil && out.Get(m.Key.Text) == nil {
				out.Members = append(out.Members, m)
			}
		}
	}
	return nil
}

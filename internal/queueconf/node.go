package queueconf

import "strings"

// A Node is one node of a configuration, as the host shows it to a plugin.
//
// Exactly one of Scalar, List and Object says what it is; a node that is none of them is an empty
// list or object, or a null, which the host does not tell apart.
type Node struct {
	Scalar bool
	Text   string // the scalar, as the host gives every YAML type: text
	List   []*Node
	Object []Field
}

// A Field is one member of an object, in the host's order.
type Field struct {
	Key   string
	Value *Node
}

// Get returns the member named key, or nil. It may be called on a nil Node.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Object {
		if n.Object[i].Key == key {
			return n.Object[i].Value
		}
	}
	return nil
}

func (n *Node) form() string {
	if n.List != nil {
		return "a list"
	}
	return "an object"
}

// words splits a text at what does not belong to the name of a property.
func words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c <= ' ' || strings.ContainsRune("`\",:=", c) })
}

package queueconf

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
)

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

// digest returns a number for what n holds. The order of keys does not count: the host does not promise one.
func (n *Node) digest() (sum [sha256.Size]byte) {
	h := sha256.New()
	n.write(h)
	h.Sum(sum[:0])
	return sum
}

func (n *Node) write(w io.Writer) {
	switch {
	case n == nil || !n.Scalar && n.List == nil && n.Object == nil:
		fmt.Fprint(w, "~") // the host does not tell null from an empty list or object
	case n.Scalar:
		fmt.Fprintf(w, "%q", n.Text)
	case n.List != nil:
		for _, element := range n.List {
			fmt.Fprint(w, "-")
			element.write(w)
		}
		fmt.Fprint(w, ".")
	default:
		fields := slices.SortedStableFunc(slices.Values(n.Object), func(a, b Field) int { return strings.Compare(a.Key, b.Key) })
		for _, f := range fields {
			fmt.Fprintf(w, "%q:", f.Key)
			f.Value.write(w)
		}
		fmt.Fprint(w, ".")
	}
}

func (n *Node) form() string {
	if n.List != nil {
		return "a list"
	}
	return "an object"
}

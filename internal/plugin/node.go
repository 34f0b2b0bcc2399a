package plugin

// A Node is one node of the host's configuration, copied: the host's own lives only during a call.
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

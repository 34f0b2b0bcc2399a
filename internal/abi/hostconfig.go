package abi

/*
#include "producer_shim.h"
*/
import "C"

import (
	"github.com/halon-extras/kafka/internal/queueconf"
)

// maxDepth bounds the configuration that is copied; ours is five levels deep.
const maxDepth = 32

// copyConfig copies the host's tree, which lives only during the call. nil gives nil.
func copyConfig(config *C.HalonConfig) *queueconf.Node { return copyNode(config, 0) }

// copyNode finds out what a node is by asking: the interface has no type of a node. A scalar has a
// text, a list a first element, an object a first key; what has none of them is empty or null.
func copyNode(config *C.HalonConfig, depth int) *queueconf.Node {
	if config == nil || depth > maxDepth {
		return nil
	}
	if text := C.HalonMTA_config_string_get(config, nil); text != nil {
		return &queueconf.Node{Scalar: true, Text: C.GoString(text)}
	}
	n := &queueconf.Node{}
	for i := C.size_t(0); ; i++ {
		element := C.HalonMTA_config_array_get(config, i)
		if element == nil {
			break
		}
		n.List = append(n.List, copyNode(element, depth+1))
	}
	if n.List != nil {
		return n
	}
	for i := C.size_t(0); ; i++ {
		name := C.HalonMTA_config_object_key_get(config, i)
		if name == nil {
			break
		}
		key := C.HalonMTA_config_string_get(name, nil)
		if key == nil {
			continue
		}
		n.Object = append(n.Object, queueconf.Field{
			Key: C.GoString(key), Value: copyNode(C.HalonMTA_config_object_get(config, key), depth+1),
		})
	}
	return n
}

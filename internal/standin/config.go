package standin

/*
#include <stdlib.h>
#include "standin.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// Kind is the YAML type of a scalar. The plugin reads all of them as text but [Null], which it reads as absent;
// only HalonMTA_config_to_json tells them apart.
type Kind int

// The kinds of a scalar.
const (
	String  Kind = C.STANDIN_STRING
	Number  Kind = C.STANDIN_NUMBER
	Boolean Kind = C.STANDIN_BOOLEAN
	Null    Kind = C.STANDIN_NULL
)

// Config is a node of a configuration tree: a scalar, a list or an object. Make one with [Scalar], [List] or
// [Object]; it is not changed afterwards.
type Config struct {
	form  form
	kind  Kind
	text  string
	keys  []string // of an object, as long as items
	items []*Config
}

type form int

const (
	formScalar form = iota
	formList
	formObject
)

// Scalar returns a scalar as it is written in YAML.
func Scalar(text string, kind Kind) *Config {
	return &Config{form: formScalar, kind: kind, text: text}
}

// List returns a list.
func List(items ...*Config) *Config {
	return &Config{form: formList, items: items}
}

// Member is a key of an object and its value.
type Member struct {
	Key   string
	Value *Config
}

// Object returns an object; the plugin sees its keys in this order.
func Object(members ...Member) *Config {
	c := &Config{form: formObject}
	for _, m := range members {
		c.keys = append(c.keys, m.Key)
		c.items = append(c.items, m.Value)
	}
	return c
}

var (
	errNilNode = errors.New("the configuration holds a nil node: use Scalar(\"\", Null)")
	errNulText = errors.New("the configuration holds a NUL byte, which the plugin can't read")
)

// build makes the C tree; the caller owns it. Nil becomes NULL.
func build(config *Config) (*C.HalonConfig, error) {
	if config == nil {
		return nil, nil
	}
	if err := config.check(0); err != nil {
		return nil, err
	}
	return config.node(), nil
}

func (c *Config) check(level int) error {
	if c == nil {
		return errNilNode
	}
	if level > depth {
		return fmt.Errorf("the configuration nests deeper than %d", depth)
	}
	if strings.ContainsRune(c.text, 0) {
		return errNulText
	}
	for _, key := range c.keys {
		if strings.ContainsRune(key, 0) {
			return errNulText
		}
	}
	for _, item := range c.items {
		if err := item.check(level + 1); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) node() *C.HalonConfig {
	switch c.form {
	case formList:
		list := C.standin_config_list()
		for _, item := range c.items {
			C.standin_config_append(list, item.node())
		}
		return list
	case formObject:
		object := C.standin_config_object()
		for i, item := range c.items {
			key := C.CString(c.keys[i])
			C.standin_config_put(object, key, C.size_t(len(c.keys[i])), item.node())
			C.free(unsafe.Pointer(key))
		}
		return object
	default:
		text := C.CString(c.text)
		defer C.free(unsafe.Pointer(text))
		return C.standin_config_scalar(text, C.size_t(len(c.text)), C.enum_standin_scalar(c.kind))
	}
}

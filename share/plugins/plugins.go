// Package plugins holds the files that Halon and its editor read about the plugin. They are installed as
// they are; the programs carry the schema in themselves too, so that they work from any folder.
//
// The schema takes what the original's takes: a configuration that started the mail server before must not be
// refused now.
package plugins

import _ "embed"

// Schema is kafka.schema.json: draft-07 of JSON Schema, for plugins[].config in smtpd.yaml.
//
//go:embed kafka.schema.json
var Schema []byte

// AppSchema is kafka-app.schema.json: the same for smtpd-app.yaml, the running configuration. Its queues are those of Schema.
//
//go:embed kafka-app.schema.json
var AppSchema []byte

// Functions is kafka.functions.json: what the editor shows about the functions.
//
//go:embed kafka.functions.json
var Functions []byte

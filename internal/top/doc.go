// Package top is the live view of `halon-kafka top`: the queues of a running plugin in a terminal.
//
// A [Source] asks the plugin, by `halonctl plugin command` or at the listener of its metrics. [Run] shows the answers until the
// operator leaves. An error is a sentence on the screen, and the plugin is asked again: nothing but a key or the end of the context
// ends the view. It changes nothing in the plugin, and numbers that a source does not give are shown as "-".
//
// It is the only package that knows tcell, and part of halon-kafka only. [Run] blocks, and owns the screen while it runs. Names and sentences
// of the plugin are escaped before they are drawn.
package top

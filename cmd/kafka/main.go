// Command kafka is kafka.so, the plugin that Halon loads. Build it with -buildmode=c-shared.
package main

import _ "github.com/halon-extras/kafka/internal/abi" // the entry points of the plugin

func main() {}

//go:build faultinject

package producer

import (
	"os"

	"github.com/halon-extras/kafka/internal/killpoint"
)

// killPoint is what Point of spool.Options gets: it ends the process at the point of the spool that
// KAFKA_KILL_AT=<point>:<n> names, when it comes there for the n-th time. It is nil without that variable. `make
// kill9` builds kafka.so with it.
func killPoint() func(point string) { return killpoint.From(os.Getenv(killpoint.Variable)) }

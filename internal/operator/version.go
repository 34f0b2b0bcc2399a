package operator

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"runtime"

	"github.com/halon-extras/kafka/internal/admin"
)

const versionHelp = `usage: halon-kafka version

Prints the version of this program, of the Kafka client in it, and of Go.
`

// release is the version of the package; the linker writes it: -X .../internal/operator.release=2.0.0
var release = ""

func version(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	rest, status, ok := parse(fs, args, t)
	if !ok {
		return status
	}
	if len(rest) > 0 {
		return usage(t, "version", "version takes no arguments")
	}
	fmt.Fprintf(t.Out, "halon-kafka %s\nfranz-go %s\n%s\n", softwareVersion(), admin.ClientVersion(), runtime.Version())
	return exitFine
}

// softwareName is the name that brokers get.
const softwareName = "halon-kafka"

// softwareVersion is what version prints and brokers get.
func softwareVersion() string { return cmp.Or(release, "development") }

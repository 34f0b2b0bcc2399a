package operator

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

const versionHelp = `usage: halon-kafka version

Prints the version of this program, of the Kafka client in it, and of Go.
`

// release is the version of the package; the linker writes it: -X .../internal/operator.release=2.0.0
var release = ""

func version(_ context.Context, args []string, t Terminal) int {
	fs := flag.NewFlagSet("version", flag.ContinueOnError)
	rest, status, ok := parse(fs, args, t)
	if !ok {
		return status
	}
	if len(rest) > 0 {
		return usage(t, "version", "version takes no arguments")
	}
	fmt.Fprintf(t.Out, "halon-kafka %s\nfranz-go %s\n%s\n", softwareVersion(), moduleVersion("github.com/twmb/franz-go"), runtime.Version())
	return exitFine
}

// softwareName is the name that brokers get.
const softwareName = "halon-kafka"

// softwareVersion is what version prints and brokers get.
func softwareVersion() string {
	if release != "" {
		return release
	}
	return "development"
}

// moduleVersion is the version of a module that is linked in.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "unknown"
}

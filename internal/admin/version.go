package admin

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/halon-extras/kafka/internal/conf"
)

// release is the version of the package; the linker writes it: -X .../internal/admin.release=2.0.0
var release = ""

// versions is the answer of version in JSON.
type versions struct {
	Plugin     string `json:"plugin"`
	Client     string `json:"franz_go"`
	Properties string `json:"librdkafka"` // whose configuration it takes
	Go         string `json:"go"`
}

func version(*call) (answer, error) {
	v := versionsNow()
	return answer{
		fmt.Sprintf("kafka %s\nfranz-go %s\nconfiguration of librdkafka %s\n%s\n", v.Plugin, v.Client, v.Properties, v.Go), v,
	}, nil
}

func versionsNow() versions {
	return versions{Plugin: cmp.Or(release, "development"), Client: ClientVersion(), Properties: conf.ContractVersion, Go: runtime.Version()}
}

// ClientVersion returns the version of franz-go that is linked in.
func ClientVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/twmb/franz-go" {
				return m.Version
			}
		}
	}
	return "unknown"
}

package client

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var unsupportedVersion = kerr.UnsupportedVersion.Code

// askVersions asks the broker what it speaks. It is asked on each connection, because brokers are
// upgraded, and because it tells the broker who the client is.
func (n *conn) askVersions(ctx context.Context) error {
	if assumed := n.b.c.set.MaxVersions(); assumed != nil {
		has := make(map[int16]span, len(speaks))
		for key := range speaks {
			if most, ok := assumed.LookupMaxKeyVersion(key); ok {
				has[key] = span{0, most}
			}
		}
		return n.agree(has, "as broker.version.fallback says")
	}
	for version := speaks[versionsKey].max; ; {
		a, err := exchange(ctx, n, &request{key: versionsKey, body: n.versionsBody}, version, readVersions)
		if err != nil {
			return err
		}
		if a.code == unsupportedVersion && version > 0 {
			// A broker that does not know the version answers in the form of version 0, and since
			// Kafka 2.4 tells which versions it has (KIP-511).
			version = max(min(version-1, a.has[versionsKey].max), 0)
			continue
		}
		if a.code != 0 {
			return fmt.Errorf("the broker does not tell what it speaks: %w", kerr.ErrorForCode(a.code))
		}
		if a.keys == 0 {
			return nonsensef("the answer to ApiVersions is empty")
		}
		return n.agree(a.has, "as it says itself")
	}
}

func (n *conn) versionsBody(dst []byte, version int16) []byte {
	r := kmsg.NewApiVersionsRequest()
	r.Version = version
	r.ClientSoftwareName, r.ClientSoftwareVersion = n.b.c.software[0], n.b.c.software[1]
	return r.AppendTo(dst)
}

// agree finds the versions that both sides have.
func (n *conn) agree(theirs map[int16]span, source string) error {
	n.has = make(map[int16]span, len(speaks))
	for key, ours := range speaks {
		t, ok := theirs[key]
		if !ok {
			continue
		}
		if t.min < 0 || t.min > t.max {
			return nonsensef("the answer to ApiVersions has %s in the versions %d to %d", speaks[key].name, t.min, t.max)
		}
		if both := (span{max(ours.min, t.min), min(ours.max, t.max)}); both.min <= both.max {
			n.has[key] = both
		}
	}
	for _, key := range []int16{produceKey, metadataKey} {
		if _, ok := n.has[key]; ok {
			continue
		}
		t, ok := theirs[key]
		switch {
		case !ok:
			return fmt.Errorf("the broker does not take %s, %s: is this the port of a controller?", speaks[key].name, source)
		case t.max < speaks[key].min:
			return fmt.Errorf("the broker speaks %s only up to version %d, %s: brokers before Apache Kafka 0.11 are not supported", speaks[key].name, t.max, source)
		}
		return nonsensef("the broker speaks %s in the versions %d to %d, %s, and this client %d to %d", speaks[key].name, t.min, t.max, source, speaks[key].min, speaks[key].max)
	}
	return nil
}

// errMessage is an error code of Kafka's with what the broker says about it.
func errMessage(code int16, message string) error {
	err := kerr.ErrorForCode(code)
	if err == nil || message == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, shown(message, 400))
}

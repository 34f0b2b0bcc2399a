package client

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kversion"
)

// The keys of the requests that the client makes: part of Kafka's protocol.
const (
	keyProduce          = 0
	keyMetadata         = 3
	keySASLHandshake    = 17
	keyAPIVersions      = 18
	keyInitProducerID   = 22
	keySASLAuthenticate = 36
)

// spoken are the versions of each request that the client speaks, and from which on one is flexible: part of Kafka's protocol.
var spoken = map[int16]struct{ least, most, flexible int16 }{
	keyProduce:          {3, 13, 9},
	keyMetadata:         {1, 12, 9},
	keySASLHandshake:    {0, 1, 1 << 14},
	keyAPIVersions:      {0, 3, 3},
	keyInitProducerID:   {0, 4, 2},
	keySASLAuthenticate: {0, 2, 2},
}

// versions are the ranges that a broker speaks.
type versions struct{ ranges map[int16][2]int16 }

// legacyVersions are those of a broker that is not asked.
func legacyVersions(v *kversion.Versions) *versions {
	own := &versions{ranges: map[int16][2]int16{}}
	for key := range spoken {
		if most, ok := v.LookupMaxKeyVersion(key); ok {
			own.ranges[key] = [2]int16{0, most}
		}
	}
	return own
}

// of returns the version of key that both sides speak.
func (v *versions) of(key int16) (int16, error) {
	s := spoken[key]
	r, ok := v.ranges[key]
	if !ok || r[1] < s.least || r[0] > s.most || r[0] > r[1] {
		return 0, fmt.Errorf("the broker has no version of request %d that this plugin speaks (%d to %d)", key, s.least, s.most)
	}
	return min(r[1], s.most), nil
}

// readVersions reads an answer to ApiVersions. The header of this answer has no tags in any version.
func readVersions(body []byte, version int16) (v *versions, code int16, err error) {
	r := kbin.Reader{Src: body}
	v = &versions{ranges: map[int16][2]int16{}}
	code = r.Int16()
	if code == codeUnsupportedVersion {
		return nil, code, nil // in the form of version 0, and of no more interest
	}
	flexible := version >= spoken[keyAPIVersions].flexible
	n := int(r.Int32())
	if flexible {
		r = kbin.Reader{Src: body[2:]}
		n = int(r.Uvarint()) - 1
	}
	for range n {
		key, least, most := r.Int16(), r.Int16(), r.Int16()
		if flexible {
			skip(&r)
		}
		if !r.Ok() {
			break
		}
		if _, ours := spoken[key]; ours {
			v.ranges[key] = [2]int16{least, most}
		}
	}
	if !r.Ok() || n < 0 {
		return nil, 0, nonsensef("an incomplete list of versions")
	}
	return v, code, nil
}

// usable says whether a broker with these versions can be worked with.
func (v *versions) usable() error {
	for key, r := range v.ranges {
		if r[0] > r[1] || r[1] < 0 {
			return nonsensef("versions %d to %d of request %d", r[0], r[1], key)
		}
	}
	if len(v.ranges) == 0 {
		return nonsensef("it speaks no version of anything")
	}
	if r := v.ranges[keyProduce]; r[1] < spoken[keyProduce].least {
		return fmt.Errorf("the broker is older than Kafka 0.11 and cannot store what this plugin sends: it must be upgraded")
	}
	for _, key := range []int16{keyProduce, keyMetadata} {
		if _, err := v.of(key); err != nil {
			return err
		}
	}
	return nil
}

const codeUnsupportedVersion = 35

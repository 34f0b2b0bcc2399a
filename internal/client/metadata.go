package client

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kbin"
)

// Metadata is what the cluster says of topics: of those that were asked for, and no others.
type Metadata struct{ Topics []Topic }

// A Topic is one of them. Code is Kafka's, 0 for one that exists.
type Topic struct {
	Name       string
	ID         [16]byte // zero where the broker names none
	Code       int16
	Partitions []Partition
}

// A Partition is one partition. Leader is -1 where nobody leads.
type Partition struct {
	ID, Leader, LeaderEpoch int32
	Code                    int16
}

// A namedBroker is one that metadata names.
type namedBroker struct {
	id   int32
	host string
	port int32
}

// The versions of the metadata request that bring something new: part of Kafka's protocol.
const (
	metadataThrottle  = 3
	metadataCluster   = 2
	metadataCreate    = 4
	metadataOffline   = 5
	metadataEpoch     = 7
	metadataRights    = 8
	metadataFlexible  = 9
	metadataTopicID   = 10
	metadataNoCluster = 11 // the rights of the cluster are not asked for any more
)

func appendMetadata(b []byte, topics []string, create bool, version int16) []byte {
	flexible := version >= metadataFlexible
	b = appendCount(b, len(topics), flexible)
	for _, name := range topics {
		if version >= metadataTopicID {
			b = append(b, make([]byte, 16)...)
		}
		if flexible {
			b = append(kbin.AppendCompactString(b, name), 0)
		} else {
			b = kbin.AppendString(b, name)
		}
	}
	if version >= metadataCreate {
		b = kbin.AppendBool(b, create)
	}
	if version >= metadataRights {
		if version < metadataNoCluster {
			b = append(b, 0)
		}
		b = append(b, 0)
	}
	if flexible {
		b = append(b, 0)
	}
	return b
}

// readMetadata reads an answer. Of topics that are not wanted it only takes the room on the wire.
func readMetadata(body []byte, version int16, wanted map[string]bool) (m *Metadata, brokers []namedBroker, throttle int32, err error) {
	flexible := version >= metadataFlexible
	r := kbin.Reader{Src: body}
	leads := map[int32]bool{}
	if version >= metadataThrottle {
		throttle = r.Int32()
	}
	for range count(&r, flexible) {
		n := namedBroker{id: r.Int32()}
		if flexible {
			n.host = r.CompactString()
		} else {
			n.host = r.String()
		}
		n.port = r.Int32()
		text(&r, flexible) // the rack
		if flexible {
			skip(&r)
		}
		if !r.Ok() {
			return nil, nil, 0, nonsensef("incomplete metadata")
		}
		if n.host == "" || n.port <= 0 || n.port > 65535 || n.id < 0 {
			return nil, nil, 0, nonsensef("broker %d at %q, port %d", n.id, n.host, n.port)
		}
		brokers = append(brokers, n)
		leads[n.id] = true
	}
	if version >= metadataCluster {
		text(&r, flexible)
	}
	r.Int32() // the controller
	m = &Metadata{}
	seen := map[string]bool{}
	for range count(&r, flexible) {
		t, ok := readTopic(&r, version, wanted)
		if !r.Ok() {
			return nil, nil, 0, nonsensef("incomplete metadata")
		}
		if !ok || seen[t.Name] {
			continue
		}
		seen[t.Name] = true
		m.Topics = append(m.Topics, t)
	}
	if !r.Ok() {
		return nil, nil, 0, nonsensef("incomplete metadata")
	}
	if len(brokers) == 0 {
		return nil, nil, 0, nonsensef("metadata without a broker")
	}
	for _, t := range m.Topics {
		for i := range t.Partitions {
			if p := &t.Partitions[i]; !leads[p.Leader] {
				p.Leader = -1 // nobody knows where it is
			}
		}
	}
	return m, brokers, throttle, nil
}

// readTopic reads one topic, and says whether it is wanted.
func readTopic(r *kbin.Reader, version int16, wanted map[string]bool) (t Topic, ok bool) {
	flexible := version >= metadataFlexible
	t.Code = r.Int16()
	t.Name = text(r, flexible)
	if version >= metadataTopicID {
		t.ID = r.Uuid()
	}
	r.Bool() // internal
	ok = wanted[t.Name]
	for range count(r, flexible) {
		p := Partition{Code: r.Int16(), ID: r.Int32(), Leader: r.Int32(), LeaderEpoch: -1}
		if version >= metadataEpoch {
			p.LeaderEpoch = r.Int32()
		}
		skipNumbers(r, flexible) // replicas
		skipNumbers(r, flexible) // in sync
		if version >= metadataOffline {
			skipNumbers(r, flexible)
		}
		if flexible {
			skip(r)
		}
		if !r.Ok() {
			return t, false
		}
		if ok {
			t.Partitions = append(t.Partitions, p)
		}
	}
	if version >= metadataRights {
		r.Int32()
	}
	if flexible {
		skip(r)
	}
	return t, ok
}

func appendProducerID(b []byte, version int16) []byte {
	if version >= spoken[keyInitProducerID].flexible {
		b = append(b, 0) // no transaction
	} else {
		b = binary.BigEndian.AppendUint16(b, 0xffff)
	}
	b = binary.BigEndian.AppendUint32(b, 0x7fffffff) // the time limit of transactions, of which there are none
	if version >= 3 {
		b = binary.BigEndian.AppendUint64(b, ^uint64(0)) // no former id
		b = binary.BigEndian.AppendUint16(b, ^uint16(0))
	}
	if version >= spoken[keyInitProducerID].flexible {
		b = append(b, 0)
	}
	return b
}

func readProducerID(body []byte) (throttle int32, code int16, id int64, epoch int16, err error) {
	r := kbin.Reader{Src: body}
	throttle, code, id, epoch = r.Int32(), r.Int16(), r.Int64(), r.Int16()
	if !r.Ok() || code == 0 && (id < 0 || epoch < 0) {
		return 0, 0, 0, 0, nonsensef("producer id %d, epoch %d", id, epoch)
	}
	return throttle, code, id, epoch, nil
}

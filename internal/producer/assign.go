package producer

import (
	"cmp"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/resperr"
)

const (
	// stallAfter is how long a topic may make no progress before its next records are kept apart from those of the
	// others, and behind a spool stay on the disk.
	stallAfter = time.Second

	// forgetAfter is how long a refused topic is remembered after its last call. Then it is
	// unknown again: the next call is accepted, and decided later.
	forgetAfter = time.Minute
)

// sending is what the sender keeps of a topic.
type sending struct {
	active       bool // in sender.active
	known        bool // metadata has named it, with its partitions
	id           [16]byte
	partitions   []*partition
	led          []int32  // the partitions that have a leader
	unassigned   []*entry // without a partition yet, in order
	records      int      // how many have no report, with and without a partition
	born         mono     // of the first call: from here on an unknown topic has its time to appear
	unknownSince mono     // when the cluster was first found not to know it any more, or 0
	refused      mono     // when the refusal was last asked for
	lastProgress mono     // when it last made progress
	progressed   bool     // since the last tick
	stuck        mono     // since when it is stalled, behind a spool, or 0
	noRight      mono     // since when the cluster refuses writes, or 0
	wanted       bool     // metadata is wanted
	refreshed    mono     // when metadata last named it
	used         mono     // when it was last active
	choice       intake.Choice
	routed       *intake.Choice // the packer's, while records of the topic are packed
	moved        *recordBuffer  // where records of mixed buffers are moved, so that those can go
}

// assign puts e into a batch of its partition. The topic is known.
func (p *Producer) assign(t *topic, e *entry, now mono) {
	s := &t.send
	if p.set.Acks > 1 {
		// Compat: acks. librdkafka sends any number, and brokers refuse all but 0, 1 and -1.
		p.failOne(e, resperr.InvalidRequiredAcks)
		return
	}
	if p.arrive(t, e) {
		return
	}
	n := int32(len(s.partitions))
	choice := e.asked
	if choice == anyPartition {
		kept := &s.choice
		if s.routed != nil {
			kept = s.routed
		}
		choice = p.chooser.Choose(kept, e.key, n, s.led, int64(now))
	}
	if choice < 0 || choice >= n {
		p.failOne(e, resperr.UnknownPartition)
		return
	}
	part := s.partitions[choice]
	part.add(e, p.limits)
	p.enlist(part)
}

// anyPartition leaves the choice to the partitioner.
const anyPartition = -1

// addUnassigned keeps e until its topic is known.
func (p *Producer) addUnassigned(t *topic, e *entry, now mono) {
	switch {
	case p.set.Acks > 1:
		p.failOne(e, resperr.InvalidRequiredAcks)
		return
	case t.name == "":
		// A broker calls the name invalid, and some end the connection instead.
		t.refuse(resperr.UnknownTopic, now)
		p.failOne(e, resperr.TopicException)
		return
	}
	t.send.unassigned = append(t.send.unassigned, e)
	if len(t.send.unassigned) == 1 {
		p.wantMetadata(t, now)
	}
}

// failOne releases one record that is in no batch.
func (p *Producer) failOne(e *entry, code resperr.Code) {
	p.releaseEntry(e, code)
	p.letGo(e.buffer)
}

// assignAll gives what waits for the topic its partitions.
func (p *Producer) assignAll(t *topic, now mono) {
	entries := t.send.unassigned
	t.send.unassigned = nil
	for _, e := range entries {
		p.assign(t, e, now)
	}
}

// unassign takes the records of batches back, which have lost their partition, before what waits already.
func (p *Producer) unassign(t *topic, batches []*batch) {
	for _, b := range batches {
		if b.note != unnoted {
			p.void(b.partition, b)
		}
		p.unpackBatch(b)
		for _, e := range b.entries {
			if e.reported {
				p.letGo(e.buffer)
				continue
			}
			t.send.unassigned = append(t.send.unassigned, e)
		}
	}
	slices.SortStableFunc(t.send.unassigned, func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
}

// stillRefused says whether the topic is refused. One that nobody has called for a while is unknown again, so that the
// cluster is not asked about it for ever.
func (t *topic) stillRefused(now mono) bool {
	if t.refusal.Load() == 0 {
		return false
	}
	if t.wasAsked() {
		t.send.refused = now
	}
	if now.since(t.send.refused) < forgetAfter {
		return true
	}
	t.send.born, t.send.unknownSince = now, 0
	t.refuse(resperr.NoError, now)
	return false
}

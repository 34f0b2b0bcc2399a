package producer

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/spool"
)

// once is what a durable queue with idempotence knows beyond its spool, so that each message is delivered once also over a kill: which records
// were given which sequences. A batch is noted on disk before it is sent; what may be in the log is looked for before it is sent again.
//
// The fields are the sender's, but for bypass.
type once struct {
	notes    *spool.Notes
	states   map[plan.Place]plan.Partition // of partitions that are not in memory: where their sequences go on
	restored map[plan.Place][]*restored    // batches of an earlier run that may be in the log, by sequence
	plans    map[uint64]*restored          // the same by the sequence of each of their records in the spool
	buf      []byte
	spans    []plan.Span
	silent   bool // that the queue may not read a topic was logged
	point    func(string)

	// bypass has the records of restored: they are fed whatever is stalled or full, because their partition waits for them. The value says
	// whether it was fed. Guarded by Producer.mu.
	bypass map[uint64]bool
}

// A restored batch was noted by an earlier run. Its records come from the spool, in order.
type restored struct {
	plan.Batch
	entries []*entry
	toCome  map[uint64]struct{} // records that have not come yet
}

// fold is the sum of notes. The goroutine of the notes alone has it.
type fold struct {
	ledger plan.Ledger
	spool  *spool.Spool
}

func (f *fold) Apply(notes []byte) error { return f.ledger.Apply(notes) }

// plansEvery bounds how long plans wait for others to share their sync: each takes its part of the disk from the calls that wait for it.
const plansEvery = 5 * time.Millisecond

// notedWithin bounds the wait for the position: without it a snapshot says more than it must, and nothing that is wrong.
const notedWithin = 5 * time.Second

func (f *fold) Snapshot() []byte {
	ctx, cancel := context.WithTimeout(context.Background(), notedWithin)
	defer cancel()
	if has, generation, err := f.spool.DurablePosition(ctx); err == nil {
		f.ledger.Forget(has, generation)
	}
	return f.ledger.Snapshot()
}

// openOnce reads what an earlier run has noted. What it knows to be in the log is acknowledged. It returns nil for a queue that keeps no
// plans, and removes what there is: they would be wrong when that queue has sent.
func (p *Producer) openOnce(s *storage) (*once, error) {
	if s.Spill || !p.set.Idempotence {
		if err := spool.RemoveNotes(s.fs, s.Path); err != nil {
			return nil, fmt.Errorf("%s: the plans of an earlier run cannot be removed from %s: %w", p.id, s.Path, err)
		}
		return nil, nil
	}
	f := &fold{spool: s.spool}
	o := &once{
		states: make(map[plan.Place]plan.Partition), restored: make(map[plan.Place][]*restored), plans: make(map[uint64]*restored),
		bypass: make(map[uint64]bool), point: func(string) {},
	}
	if point := killPoint(); point != nil {
		o.point = point
	}
	var found bool
	var damage, err error
	o.notes, found, damage, err = spool.OpenNotes(spool.NotesOptions{
		Dir: s.Path, FS: s.fs, Fold: f, Log: p.log, Point: killPoint(), Every: min(p.set.Linger, plansEvery), Guard: func(run func()) { p.guard("the writer of plans", run) },
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.id, err)
	}
	why := ""
	switch next := s.spool.Stats().Next; {
	case !found:
		why = "it was sent by a version, or with a configuration, that keeps no plans"
	case damage != nil:
		why = "the plans cannot be read: " + damage.Error()
	case s.spool.Generation() < f.ledger.Position:
		why = "the checkpoint of the spool is unreadable"
	case beyond(&f.ledger, next):
		why = "the plans are of another spool"
	default:
		o.recall(p, s, &f.ledger)
	}
	if why != "" {
		f.ledger = plan.Ledger{}
		if n := s.spool.Stats().Pending; n > 0 {
			p.stats.Doubt(int64(n))
			p.log.LogAttrs(context.Background(), slog.LevelWarn, "messages in the spool may be delivered twice: which of them were sent is not known",
				slog.Uint64("messages", n), slog.String("why", why))
		}
	}
	o.notes.Start()
	s.spool.GiveBackAfter(o.notes)
	return o, nil
}

// beyond says whether a plan has records that the spool has never had: its numbers would be those of others.
func beyond(l *plan.Ledger, next uint64) bool {
	for _, part := range l.Partitions {
		for _, b := range part.Batches {
			if b.End() > next {
				return true
			}
		}
	}
	return false
}

// behindPlans is the number of the first record that is in no plan of an earlier run. Those that are have their sequence for a number: they come
// before all others of their partition, in whatever order they are read.
const behindPlans = 1 << 62

// recall takes over what the ledger says.
func (o *once) recall(p *Producer, s *storage, l *plan.Ledger) {
	p.sender.lastNumber = behindPlans
	p.sender.ids.id, p.sender.ids.epoch = l.Producer(), 0
	for place, part := range l.Partitions {
		state := *part
		state.Batches = nil
		o.states[place] = state
		for _, b := range part.Batches {
			if b.Done {
				b.Each(func(seq uint64) bool { s.spool.Ack(seq); return true })
			}
		}
		for _, b := range part.Batches {
			if b.Done {
				continue
			}
			r := &restored{Batch: *b, toCome: make(map[uint64]struct{})}
			b.Each(func(seq uint64) bool {
				if !s.spool.Resolved(seq) {
					r.toCome[seq] = struct{}{}
				}
				return true
			})
			if len(r.toCome) == 0 {
				continue // each was delivered, or given up
			}
			for seq := range r.toCome {
				o.plans[seq], o.bypass[seq] = r, false
			}
			o.restored[place] = append(o.restored[place], r)
		}
	}
}

// close writes what was noted.
func (o *once) close(ctx context.Context) error {
	if o == nil {
		return nil
	}
	return o.notes.Close(ctx)
}

// take returns and forgets what is known of a partition. Brokers before Apache Kafka 2.8 tell no ids of topics.
func (o *once) take(place plan.Place) (state plan.Partition, batches []*restored, ok bool) {
	for _, at := range []plan.Place{place, {Topic: place.Topic, Partition: place.Partition}} {
		if state, ok = o.states[at]; ok {
			batches = o.restored[at]
			delete(o.states, at)
			delete(o.restored, at)
			return state, batches, true
		}
	}
	return plan.Partition{}, nil, false
}

// bypassLocked says whether the record seq is fed whatever is stalled or full, and whether it was already.
func (o *once) bypassLocked(seq uint64) (planned, fed bool) {
	if o == nil || len(o.bypass) == 0 {
		return false, false
	}
	fed, planned = o.bypass[seq]
	return planned, fed
}

// planned says whether e is in a batch of an earlier run that waits for all its records.
func (o *once) planned(e *entry) bool {
	return o != nil && len(o.plans) > 0 && o.plans[e.stored.seq] != nil
}

// place is where the partition is in the ledger.
func (p *partition) place() plan.Place {
	return plan.Place{Topic: p.topic.name, ID: p.topic.send.id, Partition: p.id}
}

// restore sets up a new partition: as an earlier run has left it, or as one that nobody has sent to.
func (p *Producer) restore(part *partition) {
	o := p.onceOrNil()
	if o == nil {
		return
	}
	part.noted, part.bound = true, unasked
	state, batches, ok := o.take(part.place())
	if !ok {
		return
	}
	part.producerID, part.epoch, part.next, part.bound = state.Producer, state.Number, state.Next, state.Bound
	part.restored = batches
	part.doubt = len(batches) > 0
}

// onceOrNil returns what the queue knows of plans, or nil.
func (p *Producer) onceOrNil() *once {
	if p.store == nil {
		return nil
	}
	return p.store.once
}

// keepStates keeps where the sequences of a topic go on that is about to be forgotten.
func (o *once) keepStates(t *topic) {
	if o == nil {
		return
	}
	for _, part := range t.send.partitions {
		if part.producerID >= 0 && part.bound != unasked {
			o.states[part.place()] = plan.Partition{Epoch: plan.Epoch{Producer: part.producerID, Number: part.epoch}, Next: part.next, Bound: part.bound}
		}
	}
}

// arrive puts e, which is in a plan, where the plan says, and says whether it has. One of a topic that was recreated meanwhile goes its
// own way.
func (p *Producer) arrive(t *topic, e *entry) bool {
	o := p.onceOrNil()
	if !o.planned(e) {
		return false
	}
	r := o.plans[e.stored.seq]
	if int(r.Partition) < len(t.send.partitions) && slices.Contains(t.send.partitions[r.Partition].restored, r) {
		delete(r.toCome, e.stored.seq)
		r.entries = append(r.entries, e)
		p.rebuild(t.send.partitions[r.Partition])
		return true
	}
	p.doubtful(t, r.Partition, len(r.toCome)+len(r.entries), "the topic was recreated")
	o.notes.AddLater(plan.AppendVoid(nil, &r.Place, r.Epoch, r.First))
	o.drop(r)
	return false
}

// drop forgets a plan of an earlier run.
func (o *once) drop(r *restored) {
	r.Each(func(seq uint64) bool { delete(o.plans, seq); return true })
}

// rebuild makes batches of the plans of part whose records are all there, oldest first.
func (p *Producer) rebuild(part *partition) {
	o := p.onceOrNil()
	for len(part.restored) > 0 && len(part.restored[0].toCome) == 0 {
		r := part.restored[0]
		part.restored = part.restored[1:]
		o.drop(r)
		if len(r.entries) == 0 {
			continue
		}
		b := newBatch(part, r.entries)
		b.id, b.epoch, b.sequence, b.topicID, b.bound = r.Producer, r.Number, r.First, r.ID, r.Bound
		b.note, b.doubtful, b.loose, b.sequences = noteSynced, true, true, r.Count
		part.insert(b)
	}
	p.enlist(part)
}

// forgetNotComing forgets records of plans that will not come: they were given up before they were fed, a later version has written them, or the disk has lost them.
func (p *Producer) forgetNotComing(t *topic) {
	for _, part := range t.send.partitions {
		if len(part.restored) == 0 {
			continue
		}
		for _, r := range part.restored {
			for seq := range r.toCome {
				if !p.store.comes(seq) {
					delete(r.toCome, seq)
				}
			}
		}
		p.rebuild(part)
	}
}

// doubtful counts and logs messages that may be delivered twice, before they are sent.
func (p *Producer) doubtful(t *topic, partition int32, n int, why string) {
	if n == 0 {
		return
	}
	p.stats.Doubt(int64(n))
	p.log.LogAttrs(context.Background(), slog.LevelWarn, "messages may be delivered twice", slog.String("topic", t.name),
		slog.Int("partition", int(partition)), slog.Int("messages", n), slog.String("why", why))
}

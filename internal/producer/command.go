package producer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/stored"
)

// What an operator may do to a queue. Each of these waits for the sender at most as long as its context lasts, and may be called from any thread.

// Pause lets nothing be sent from now on, and says whether that is new. Calls are accepted as long as there is room; what is on its
// way is still answered. In memory the time of a pause does not count for message.timeout.ms. It ends with [Producer.Resume], or
// with [Producer.Stop], which sends what only memory has.
func (p *Producer) Pause() (news bool) {
	now := time.Now()
	news = p.health.told[report.Paused].CompareAndSwap(nil, &now)
	if news {
		p.log.WithGroup(groupOf("pause", true)).Log(p.life, logsink.LevelNotice, "paused by command: nothing is sent until resume")
		p.changed()
	}
	return news
}

// Resume ends a pause, and says for how long it was; 0 is none.
func (p *Producer) Resume(ctx context.Context) (paused time.Duration, err error) {
	return ask(ctx, p, func() (over time.Duration) {
		if at := p.health.told[report.Paused].Swap(nil); at != nil {
			over = max(time.Since(*at), 1)
			p.postpone(over, p.now())
			p.log.WithGroup(groupOf("pause", true)).Log(p.life, logsink.LevelNotice, fmt.Sprintf("resumed by command after %s", report.Lasted(over)))
		}
		p.health.news.Store(true)
		return over
	})
}

// postpone takes a pause, which ends now, out of the age of what was queued meanwhile: nothing could be sent. The sender runs it.
func (p *Producer) postpone(pause time.Duration, now mono) {
	begun := now - mono(pause)
	for _, t := range p.sender.active {
		t.send.lastProgress = now
		t.send.each(func(e *entry) {
			if p.store == nil {
				e.born += now - max(begun, e.born)
			}
		})
		for _, part := range t.send.partitions {
			for _, b := range slices.Concat(part.waiting, part.inFlight) {
				if b.packed != nil {
					later := now - max(begun, b.oldest)
					b.oldest, b.earliest = b.oldest+later, b.earliest+later
					continue
				}
				b.age()
			}
		}
	}
}

// Purge gives up everything that is queued in memory and on disk, but for what is on its way to a broker, and returns how many
// messages that were: they are counted as dropped. Dead letters stay, and so do scripts that wait for room, which there is then.
func (p *Producer) Purge(ctx context.Context) (n int64, err error) {
	if n, err = ask(ctx, p, p.purge); err != nil {
		return 0, err
	}
	p.log.WithGroup(groupOf("purge", true)).Warn(fmt.Sprintf("purged by command: %s messages are given up", report.Thousands(n)))
	return n, nil
}

func (p *Producer) purge() int64 {
	s := &p.sender
	now := p.now()
	before := p.stats.Snapshot().Dropped
	if p.store != nil {
		p.mu.Lock()
		p.purgeFromLocked()
		p.mu.Unlock()
	}
	p.takeAll(now)
	s.purging = true
	var flying []uint64 // sequences on disk
	for _, t := range s.active {
		p.failWaiting(t, resperr.PurgeQueue)
		for _, part := range t.send.partitions {
			p.enlist(part)
			for _, b := range part.inFlight {
				for _, e := range b.entries {
					if !e.reported {
						flying = append(flying, e.stored.seq)
					}
				}
			}
		}
	}
	s.purging = false
	if p.store != nil {
		slices.Sort(flying)
		p.purgeDisk(flying)
	}
	p.health.news.Store(true)
	return p.stats.Snapshot().Dropped - before
}

// takeAll takes everything that was accepted and is not taken yet. The sender runs it.
func (p *Producer) takeAll(now mono) {
	p.mu.Lock()
	p.takeIntakeLocked()
	buffers := p.takeFullLocked(nil)
	if p.current != nil && len(p.current.entries) > 0 {
		buffers = append(buffers, p.current)
		p.current = nil
	}
	p.mu.Unlock()
	for _, buf := range buffers {
		p.batchUp(buf, now)
	}
}

// purgeFromLocked makes the feeder pass by what is on disk now. Everything is appended under the lock.
func (p *Producer) purgeFromLocked() {
	s := p.store
	s.purged = s.spool.Stats().Next
	for _, t := range p.topics {
		if t.missed > 0 {
			t.missed = max(t.missed, s.purged) // until the feeder looks
		}
	}
}

// purgeDisk gives up what is on disk but for the sequences in keep, which are in order.
func (p *Producer) purgeDisk(keep []uint64) {
	s := p.store
	s.mu.Lock()
	p.stats.Lose(dropped, int64(s.spool.Discard(0, s.purged, keep))-int64(s.countedEarlyLocked()))
	var awaits []*await
	for seq, a := range s.awaits {
		if _, flies := slices.BinarySearch(keep, seq); seq < s.purged && !flies {
			delete(s.awaits, seq)
			awaits = append(awaits, a)
		}
	}
	s.mu.Unlock()
	for _, a := range awaits {
		p.resumes.answer(a, Delivery{Code: resperr.PurgeQueue})
	}
	s.nudge()
}

// dropped is the loss of what makes room, or is purged.
var dropped = report.Loss{Fate: report.Dropped, Code: resperr.PurgeQueue}

// Head returns a copy of the oldest message without a report, and false where there is none.
func (p *Producer) Head(ctx context.Context) (r record.Record, some bool, err error) {
	if p.store != nil {
		if r, some = p.headOnDisk(); some {
			return r, true, nil
		}
	}
	found, err := ask(ctx, p, func() *record.Record {
		var oldest *entry
		for _, t := range p.sender.active {
			p.unpackOldest(t)
			t.send.each(func(e *entry) {
				if !e.reported && (oldest == nil || cmp.Compare(e.number, oldest.number) < 0) {
					oldest = e
				}
			})
		}
		if oldest == nil {
			return nil
		}
		r := oldest.record()
		r = Clone(&r)
		return &r
	})
	if found == nil {
		return r, false, err
	}
	return *found, true, nil
}

func (p *Producer) headOnDisk() (r record.Record, some bool) {
	c := p.store.spool.NewCursor()
	defer c.Close()
	batch, err := c.TryNext()
	if err != nil || batch == nil {
		return r, false
	}
	defer batch.Release()
	for i := range batch.Frames {
		if stored.Decode(batch.Frames[i].Payload, &r) == nil {
			return Clone(&r), true
		}
	}
	return record.Record{}, false
}

// Describe asks the cluster about topics, or without any about those that the queue uses, and waits for the answer. It changes nothing.
func (p *Producer) Describe(ctx context.Context, topics []string) (report.Cluster, error) {
	if len(topics) == 0 {
		for _, t := range p.Topics() {
			if len(topics) < mostTopics && t.Name != "" {
				topics = append(topics, t.Name)
			}
		}
	}
	begun := time.Now()
	m, err := p.client.Describe(ctx, topics)
	if err != nil {
		_, text := p.clientLog.blame(err, client.Versions)
		if _, outage, _, is := p.clientLog.outage.present(); is {
			text = outage
		}
		return report.Cluster{}, fmt.Errorf("%s: the cluster does not answer: %s", p.id, text)
	}
	c := report.Cluster{ID: m.ClusterID, Controller: m.Controller, Took: time.Since(begun).Seconds(), Brokers: []report.ClusterBroker{}, Topics: []report.ClusterTopic{}}
	for _, id := range m.Brokers {
		c.Brokers = append(c.Brokers, report.ClusterBroker{ID: id, Address: m.Addresses[id]})
	}
	for _, t := range m.Topics {
		one := report.ClusterTopic{Name: t.Name, Partitions: []report.ClusterPartition{}}
		if code := resperr.Code(t.Code); code != resperr.NoError {
			one.Error = code.Error()
		}
		for _, part := range t.Partitions {
			p := report.ClusterPartition{ID: part.ID, Leader: part.Leader, Replicas: part.Replicas, InSync: part.InSync}
			if code := resperr.Code(part.Code); code != resperr.NoError {
				p.Error = code.Error()
			}
			one.Partitions = append(one.Partitions, p)
		}
		c.Topics = append(c.Topics, one)
	}
	return c, nil
}

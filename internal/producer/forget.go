package producer

import "time"

const (
	// keptTopics is how many topics a queue remembers however long they have not been used. Scripts that make up topics
	// are not to fill the memory with what nobody asks for again.
	keptTopics = 1000

	// forgetEvery is how often topics are looked through that nobody has used for that long.
	forgetEvery = time.Minute
)

// forgetTopics forgets topics that nobody uses, where there are many. One that is used again is asked about again. The sender runs it.
func (p *Producer) forgetTopics(now mono) {
	s := &p.sender
	if now.since(s.forgot) < forgetEvery {
		return
	}
	s.forgot = now
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.topics) <= keptTopics {
		return
	}
	read := uint64(0) // every record on disk below it has been read
	if p.store != nil {
		p.store.mu.Lock()
		read = p.store.nextRead
		p.store.mu.Unlock()
	}
	used := p.untakenLocked()
	forgotten := make(map[*topic]bool)
	for name, t := range p.topics {
		if used[t] || !t.idle(now) || p.store != nil && (t.missed > 0 || t.last >= read && t.last > 0) {
			continue
		}
		forgotten[t] = true
		p.onceOrNil().keepStates(t)
		delete(p.topics, name)
		if p.packer != nil && t.introduced && t.index >= 0 {
			p.packer.Unroute(t.index)
		}
	}
	if forgotten[p.latest] {
		p.latest = nil
	}
	for _, byIndex := range [][]*topic{s.topics, p.ingress.topics} {
		for i, t := range byIndex {
			if forgotten[t] {
				byIndex[i] = nil
			}
		}
	}
}

// untakenLocked returns the topics of records that the sender has not taken yet.
func (p *Producer) untakenLocked() map[*topic]bool {
	used := make(map[*topic]bool)
	for _, buf := range p.buffersLocked() {
		for i := range buf.entries {
			used[buf.entries[i].topic] = true
		}
	}
	return used
}

// idle says whether nobody has used t for a while, and nothing of it is on its way.
func (t *topic) idle(now mono) bool {
	s := &t.send
	if s.active || s.wanted || now.since(s.used) < forgetEvery || t.unsaved.Load() > 0 {
		return false
	}
	for _, part := range s.partitions {
		if !part.idle() {
			return false
		}
	}
	return true
}

package producer

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

const (
	// feedEvery is how often the feeder looks again when nothing has woken it: at topics that were
	// delayed, and at a disk that could not be read.
	feedEvery = 250 * time.Millisecond

	// readPatience bounds one attempt to read around damage, so that Stop and the other cursor need
	// not wait for a disk that does not answer.
	readPatience = 1500 * time.Millisecond
)

// A feeder reads the spool and admits its records into memory, as a script's call would. It is one
// goroutine with two cursors. The main one goes through the spool once. When it meets a record of a
// topic that is stalled, it leaves it on the disk, and with it all later ones of the topic. The
// chase reads those again once the topic makes progress, while the main one serves the others; a topic that
// the chase has brought up to the main cursor goes back to it.
type feeder struct {
	// The feeder's alone.
	main, chase reader
	chasing     bool // the chase is under way
	foreign     bool // that there are records of a later version was logged
	spent       *time.Timer

	kick  chan struct{} // look again; there before the feeder, as calls that another queue has left may be stored before it reads
	quit  chan struct{} // closed by stop
	ended chan struct{} // closed when the feeder has ended
}

// A reader is a cursor and the records that it has read and that are not fed.
type reader struct {
	cursor *spool.Cursor
	batch  *spool.Batch
	at     int

	read   takenAt       // when the batch was last looked at
	record record.Record // the decoded frame at
	ready  bool

	troubled bool // the last look at the disk has failed
}

// A feedResult is what became of one frame that the feeder has read.
type feedResult uint8

const (
	fed        feedResult = iota // it is in memory, or needs no delivery
	keptOnDisk                   // it stays there until the chase comes by
	noRoom                       // there is none in memory now: it is tried again
)

func (p *Producer) startFeeder() {
	f := &p.store.feeder
	f.main.cursor = p.store.spool.NewCursor()
	f.chase.cursor = p.store.spool.NewCursor()
	f.spent = time.NewTimer(feedEvery)
	go p.guard("the reader of the spool", p.feedLoop)
}

// nudge makes the feeder look again. It never blocks.
func (f *feeder) nudge() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// stop ends the feeder and waits for it.
func (f *feeder) stop() {
	close(f.quit)
	<-f.ended
	f.main.close()
	f.chase.close()
}

func (p *Producer) feedLoop() {
	f := &p.store.feeder
	defer close(f.ended)
	defer f.spent.Stop()
	for {
		progressed := p.feedMain()
		if p.feedChase() {
			progressed = true
		}
		if progressed {
			select {
			case <-f.quit:
				return
			default:
				continue
			}
		}
		p.countMissing()
		var again <-chan time.Time
		if p.unfed() { // an idle queue does not wake the host
			f.spent.Reset(feedEvery)
			again = f.spent.C
		}
		select {
		case <-f.kick:
		case <-again:
		case <-f.quit:
			return
		}
	}
}

// unfed says whether there is something on the disk that the feeder could not feed.
func (p *Producer) unfed() bool {
	s := p.store
	if s.main.batch != nil || s.chasing || s.main.troubled || s.chase.troubled {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.behind
}

// feedMain feeds one batch of the main cursor, as far as there is room, and says whether it made progress.
func (p *Producer) feedMain() (progressed bool) {
	s := p.store
	r := &s.main
	r.read = p.readNow()
	for r.fill(p.life) {
		seq := r.batch.Frames[r.at].Seq
		if s.markRead(seq) {
			s.spool.Ack(seq)
		} else if p.feedFrame(r, false) == noRoom {
			return progressed
		}
		r.at, r.ready, progressed = r.at+1, false, true
		if r.at == len(r.batch.Frames) {
			return true
		}
	}
	if !r.troubled {
		p.replayed()
	}
	return progressed
}

// replayed ends the time in which new records go to the disk because of what may lie there.
func (p *Producer) replayed() {
	s := p.store
	p.mu.Lock()
	s.replaying = false
	p.mu.Unlock()
}

// feedChase feeds one batch of the topics that were left behind, and says whether it made progress.
func (p *Producer) feedChase() (progressed bool) {
	s := p.store
	r := &s.chase
	if from, again := p.behind(); again {
		r.drop()
		r.cursor.Seek(from)
		s.chasing = true
	}
	if s.chasing {
		r.read = p.readNow()
	}
	for s.chasing {
		end, arrived := s.mainNext(), !r.fill(p.life)
		if arrived || r.batch.Frames[r.at].Seq >= end {
			p.caughtUp()
			r.drop()
			s.chasing = false
			return true
		}
		if p.feedFrame(r, true) == noRoom {
			return progressed
		}
		r.at, r.ready, progressed = r.at+1, false, true
		if r.at == len(r.batch.Frames) {
			return true
		}
	}
	return progressed
}

// mainNext is the sequence that the main cursor comes to next.
func (s *storage) mainNext() uint64 {
	if r := &s.main; r.batch != nil && r.at < len(r.batch.Frames) {
		return r.batch.Frames[r.at].Seq
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextRead
}

// fill makes sure that there is a frame at r.at, and says whether there is one now.
func (r *reader) fill(life context.Context) bool {
	if r.batch != nil && r.at < len(r.batch.Frames) {
		return true
	}
	r.drop()
	batch, err := r.cursor.TryNext()
	if err != nil && !errors.Is(err, spool.ErrClosed) {
		ctx, cancel := context.WithTimeout(life, readPatience)
		batch, err = r.cursor.Next(ctx)
		cancel()
	}
	r.troubled = err != nil
	if err != nil || batch == nil {
		return false
	}
	r.batch = batch
	return true
}

// readNow is when records are read from the disk. One look at the clocks does for a batch.
func (p *Producer) readNow() takenAt {
	return takenAt{at: p.now(), wall: milliseconds(), span: math.MaxInt64}
}

func (r *reader) drop() {
	if r.batch != nil {
		r.batch.Release()
	}
	r.batch, r.at, r.ready = nil, 0, false
}

func (r *reader) close() {
	r.drop()
	r.cursor.Close()
}

// feedFrame admits the record that r is at.
func (p *Producer) feedFrame(r *reader, chase bool) feedResult {
	frame := &r.batch.Frames[r.at]
	if !r.ready {
		if err := stored.Decode(frame.Payload, &r.record); err != nil {
			switch {
			case chase:
			case errors.Is(err, stored.ErrLater):
				p.leaveForLater(frame.Seq, err)
			default:
				p.undecodable(frame, err)
			}
			return fed
		}
		r.ready = true
	}
	f, code := p.admitFrame(&r.record, frame.Seq, &r.read, chase)
	if code != resperr.NoError {
		p.failStored(&r.record, frame.Seq, code)
	}
	return f
}

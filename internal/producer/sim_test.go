package producer

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A simKafka is one broker as Apache Kafka was measured to treat repeated batches: it remembers the last five batches of a producer on a partition, after a
// restart only the last one, and after a while none; without memory it takes any sequence. What it has written may be on no replica for a while: then nobody may
// read it, and another leader may lack it. It speaks the protocol over pipes, and its faults follow from a seed. Requests may reach it after their connection has
// ended.
type simKafka struct {
	mu      sync.Mutex
	r       *rand.Rand
	topicID byte
	parts   []simPart
	nextID  int64
	down    bool
	calm    bool // no faults from now on
	conns   map[net.Conn]bool
	late    []func() // received, and not handled yet; their connections have ended
	trouble map[string]int
	told    []string // what has happened, for the message of a failure; guarded by mu

	next       []string      // what happens to the next produce requests, instead of chance
	mute       bool          // a produce request is handled, and not answered; nobody may connect after it
	unreadable bool          // nobody may read the topic
	hung       chan struct{} // requests are not answered before it is closed; nil: they are
	start      int64         // where the logs begin
}

type simPart struct {
	log    []simBatch
	end    int64
	states map[int64]*simState

	high   int64     // what is before it was on every replica when they last kept up
	behind time.Time // until when they do not keep up
	lead   int64     // where the log ended when the leader began to lead
}

// replicated is the end of what every replica has.
func (p *simPart) replicated() int64 {
	if !time.Now().Before(p.behind) {
		p.high = p.end
	}
	return p.high
}

type simBatch struct {
	offset   int64
	producer int64
	epoch    int16
	first    int32
	values   []string
}

type simState struct {
	epoch int16
	last  []simBatch // five at most
	at    time.Time  // of the last one
}

func newSimKafka(r *rand.Rand, partitions int) *simKafka {
	k := &simKafka{r: r, topicID: 1, conns: map[net.Conn]bool{}, nextID: 1000, trouble: map[string]int{}}
	k.parts = make([]simPart, partitions)
	for i := range k.parts {
		k.parts[i].states = map[int64]*simState{}
	}
	return k
}

// happenedLocked notes a trouble.
func (k *simKafka) happenedLocked(what string) {
	k.trouble[what]++
	k.tell("%s", what)
}

func (k *simKafka) tell(format string, args ...any) {
	k.told = append(k.told, time.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

// chanceLocked is true once in n times, unless there is calm.
func (k *simKafka) chanceLocked(n int) bool { return !k.calm && k.r.IntN(n) == 0 }

func (k *simKafka) dial(_ context.Context, network, address string) (net.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	k.conns[far] = true
	go k.serve(far)
	return near, nil
}

// cut ends all connections.
func (k *simKafka) cut() {
	for c := range k.conns {
		c.Close()
		delete(k.conns, c)
	}
}

// set changes what the cluster does from now on.
func (k *simKafka) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

// setDown lets nobody connect, or everybody again.
func (k *simKafka) setDown(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down = down; down {
		k.cut()
	}
}

// restart loses what is under way, and all but the last batch of each producer; of records that are old it loses that too.
func (k *simKafka) restart(old bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.happenedLocked("restart")
	k.cut()
	k.late = nil
	for i := range k.parts {
		p := &k.parts[i]
		p.replicated()
		p.lead = p.end
		for id, s := range p.states {
			s.last = s.last[len(s.last)-1:]
			if old {
				delete(p.states, id)
			}
		}
	}
}

// move lets a replica lead that has what is replicated and perhaps some more. It has made its memory of the same log.
func (k *simKafka) move() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.happenedLocked("move")
	k.cut()
	k.late = nil
	for i := range k.parts {
		p := &k.parts[i]
		high := p.replicated()
		for n := len(p.log); n > 0 && p.log[n-1].offset >= high && k.r.IntN(2) == 0; n-- {
			k.happenedLocked("truncated")
			p.log, p.end = p.log[:n-1], p.log[n-1].offset
		}
		p.lead = p.end
		known := p.states
		p.states = map[int64]*simState{}
		for _, b := range p.log {
			if known[b.producer] == nil {
				continue // expired, also for the replica
			}
			s := p.states[b.producer]
			if s == nil || s.epoch != b.epoch {
				s = &simState{epoch: b.epoch, at: known[b.producer].at}
				p.states[b.producer] = s
			}
			s.remember(b)
		}
	}
}

// expire forgets every producer that has written nothing for idleAfter. What is on its way outside of the broker for longer than that is not part of this world.
func (k *simKafka) expire() {
	k.handleLate()
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.parts {
		for id, s := range k.parts[i].states {
			if time.Since(s.at) > idleAfter {
				delete(k.parts[i].states, id)
				k.happenedLocked("expiry")
			}
		}
	}
}

// handleLate handles requests whose sender is gone.
func (k *simKafka) handleLate() {
	k.mu.Lock()
	late := k.late
	k.late = nil
	k.mu.Unlock()
	for _, f := range late {
		f()
	}
}

// hangs returns what a request waits for, which may be nil, and whether it is handled only then.
func (k *simKafka) hangs() (until chan struct{}, first bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.hung, k.hung != nil && k.r.IntN(2) == 0
}

func (k *simKafka) serve(conn net.Conn) {
	frames := make(chan []byte, 100)
	go func() { // the kernel takes bytes of whoever is gone
		defer close(frames)
		for {
			var head [4]byte
			if _, err := io.ReadFull(conn, head[:]); err != nil {
				return
			}
			frame := make([]byte, binary.BigEndian.Uint32(head[:]))
			if _, err := io.ReadFull(conn, frame); err != nil {
				return
			}
			frames <- frame
		}
	}()
	defer conn.Close()
	for frame := range frames {
		r := kbin.Reader{Src: frame}
		key, version, id := r.Int16(), r.Int16(), r.Int32()
		r.NullableString()
		req := kmsg.RequestForKey(key)
		req.SetVersion(version)
		if req.IsFlexible() {
			kmsg.SkipTags(&r)
		}
		if err := req.ReadFrom(r.Src); err != nil {
			panic(err)
		}
		hung, first := k.hangs()
		if hung != nil && first {
			<-hung
		}
		answer, end := k.handle(req)
		if hung != nil {
			<-hung
		}
		if end {
			k.mu.Lock()
			delete(k.conns, conn)
			k.mu.Unlock()
			return
		}
		head := kbin.AppendInt32(nil, id)
		if req.IsFlexible() && key != 18 {
			head = append(head, 0)
		}
		body := answer.AppendTo(head)
		out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		if _, err := conn.Write(append(out, body...)); err != nil {
			return
		}
	}
}

package producer

import (
	"slices"
	"sync"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
)

const (
	// bufferRecords and bufferBytes bound what is handed to the sender at once. Several hundred records
	// share one allocation and one wake-up; more would only make the first one wait longer.
	bufferRecords = 256
	bufferBytes   = 96 << 10

	// mediumBytes and largeBytes are the sizes from which records get buffers with fewer entries, and
	// a buffer each: entries that nobody uses are memory that no limit counts.
	mediumBytes   = 1 << 10
	mediumRecords = 32
	largeBytes    = bufferBytes / 8

	// pooledBuffers bounds the memory that an idle queue keeps after a burst: about 10 MB. A busy one
	// keeps as many as it goes through.
	pooledBuffers = 64
)

// An entry is one accepted record on its way. From the moment that the sender takes its buffer, the entry is the
// sender's alone.
type entry struct {
	key, value []byte
	headers    []record.Header
	timestamp  int64 // milliseconds since 1970, as Kafka gets it
	born       mono  // when its time began to run
	topic      *topic
	buffer     *batchBuffer
	await      *await // the call that waits for the delivery, or nil
	cost       int64  // what the record holds in memory, counted at admission
	number     uint64 // counts the records in the order of their admission
	asked      int32  // the partition that the script named, or -1
	reported   bool   // it has had its delivery report
	stored     diskCopy
}

// A diskCopy is what an entry knows of its copy on disk. It means nothing without a spool.
type diskCopy struct {
	seq   uint64 // in the spool; 0 while in memory only, gone when it was released before
	drops uint32 // of the topic when the feeder admitted it
}

// A batch buffer is one byte buffer and one array of entries for several hundred records, or a chunk of the intake, or a packed batch
// of which entries were made.
//
// Until the sender takes it, it is guarded by Producer.mu; then it is the sender's alone. refs counts the records that
// somebody still holds, which may have their report already, plus one while the sender walks the buffer; at zero its memory goes back to where it came from.
type batchBuffer struct {
	entries  []entry
	headers  []record.Header
	bytes    []byte
	topic    *topic        // the one topic of all entries, or nil when they are mixed
	chunk    intake.Chunk  // of the intake: then bytes is empty and the records' bytes are there
	packed   *intake.Batch // the same for entries that were packed
	sum      intake.Sum    // of the records in chunk
	complete bool          // sum is known, and not an estimate
	takenAt  takenAt       // when the chunk was taken
	refs     int
}

func newBuffer(records, bytes int) *batchBuffer {
	return &batchBuffer{entries: make([]entry, 0, records), bytes: make([]byte, 0, bytes)}
}

// fits says whether a record of n bytes goes into what is left of s. Neither array may grow: the
// entries before hold pointers into both.
func (s *batchBuffer) fits(n int) bool {
	return len(s.entries) < cap(s.entries) && len(s.bytes)+n <= cap(s.bytes)
}

// add copies r, whose bytes stay the caller's; its header names must outlive the call. nil and empty are different on the wire and stay so.
func (s *batchBuffer) add(r *record.Record, t *topic, cost int64, born mono) *entry {
	i := len(s.entries)
	s.entries = s.entries[:i+1]
	e := &s.entries[i]
	*e = entry{topic: t, buffer: s, cost: cost, born: born, timestamp: r.Timestamp, asked: r.Partition}
	if i == 0 {
		s.topic = t
	} else if s.topic != t {
		s.topic = nil
	}
	e.key, e.value = s.keep(r.Key), s.keep(r.Value)
	if len(r.Headers) > 0 {
		e.headers = s.keepHeaders(r.Headers)
	}
	return e
}

// keepHeaders copies the values; the names stay the caller's, which has interned them.
func (s *batchBuffer) keepHeaders(headers []record.Header) []record.Header {
	if len(s.headers)+len(headers) > cap(s.headers) {
		// The entries before keep the array that they point into.
		s.headers = make([]record.Header, 0, max(bufferRecords, len(headers)))
	}
	from := len(s.headers)
	for i := range headers {
		h := &headers[i]
		s.headers = append(s.headers, record.Header{Key: h.Key, Value: s.keep(h.Value)})
	}
	return s.headers[from:len(s.headers):len(s.headers)]
}

func (s *batchBuffer) keep(b []byte) []byte {
	if b == nil {
		return nil
	}
	from := len(s.bytes)
	s.bytes = append(s.bytes, b...)
	return s.bytes[from:len(s.bytes):len(s.bytes)]
}

// reset forgets what the buffer held, so that it pins no topic, header or caller's memory.
func (s *batchBuffer) reset() {
	clear(s.entries)
	clear(s.headers)
	s.entries, s.headers, s.bytes, s.topic = s.entries[:0], s.headers[:0], s.bytes[:0], nil
}

// A bufferPool keeps buffers of the standard sizes for the next burst. A sync.Pool would give them up at
// each collection, which is when a busy queue needs them.
type bufferPool struct {
	mu     sync.Mutex
	small  shelf // guarded by mu
	medium shelf // guarded by mu

	intake *intake.Intake // whose chunks come back with their buffers, or nil
}

// A shelf is the free buffers of one size.
type shelf struct {
	free []*batchBuffer
	idle int // the fewest in free since the last trim
}

// get returns the buffer that was put back last, or nil.
func (s *shelf) get() *batchBuffer {
	n := len(s.free)
	if n == 0 {
		return nil
	}
	last := s.free[n-1]
	s.free = s.free[:n-1]
	s.idle = min(s.idle, n-1)
	return last
}

// trim gives up half of the buffers that nobody has needed since the last trim, but never the last
// pooledBuffers. Giving up more at once would only make the next burst take them from the kernel
// again, page by page.
func (p *bufferPool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.small.trim()
	p.medium.trim()
	if p.intake != nil {
		p.intake.Trim(pooledBuffers)
	}
}

func (s *shelf) trim() {
	if give := min(s.idle/2, len(s.free)-pooledBuffers); give > 0 {
		keep := len(s.free) - give
		clear(s.free[keep:])
		s.free = s.free[:keep]
	}
	s.idle = len(s.free)
}

// get returns an empty buffer that holds at least one record of n bytes.
func (p *bufferPool) get(n int) *batchBuffer {
	if n > largeBytes {
		return newBuffer(1, n)
	}
	records, from := bufferRecords, &p.small
	if n > mediumBytes {
		records, from = mediumRecords, &p.medium
	}
	p.mu.Lock()
	s := from.get()
	p.mu.Unlock()
	if s == nil {
		s = newBuffer(records, bufferBytes)
	}
	return s
}

func (p *bufferPool) put(s *batchBuffer) {
	if s.chunk != (intake.Chunk{}) {
		p.intake.Free(s.chunk)
		return
	}
	var to *shelf
	switch {
	case cap(s.bytes) != bufferBytes:
		return
	case cap(s.entries) == bufferRecords:
		to = &p.small
	case cap(s.entries) == mediumRecords:
		to = &p.medium
	default:
		return
	}
	s.reset()
	p.mu.Lock()
	to.free = append(to.free, s)
	p.mu.Unlock()
}

// letGo gives up one hold on s. Only the sender, or who has ended it, may call it.
func (p *Producer) letGo(s *batchBuffer) {
	switch s.refs--; {
	case s.refs > 0:
	case s.packed != nil:
		p.packer.Free(s.packed)
	default:
		p.pool.put(s)
	}
}

// buffersLocked returns the buffers that the sender has not taken, in order. The list is the caller's.
func (p *Producer) buffersLocked() []*batchBuffer {
	buffers := slices.Clone(p.full)
	if p.current != nil {
		buffers = append(buffers, p.current)
	}
	return buffers
}

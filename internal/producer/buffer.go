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
	buffer     *recordBuffer
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

// A recordBuffer is one byte buffer and one array of entries for several hundred records, or a chunk of the intake, or a packed batch
// of which entries were made.
//
// Until the sender takes it, it is guarded by Producer.mu; then it is the sender's alone. refs counts the records that
// somebody still holds, which may have their report already, plus one while the sender walks the buffer; at zero its memory goes back to where it came from.
type recordBuffer struct {
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

func newBuffer(records, bytes int) *recordBuffer {
	return &recordBuffer{entries: make([]entry, 0, records), bytes: make([]byte, 0, bytes)}
}

// fits says whether a record of n bytes goes into what is left of buf. Neither array may grow: the
// entries before hold pointers into both.
func (buf *recordBuffer) fits(n int) bool {
	return len(buf.entries) < cap(buf.entries) && len(buf.bytes)+n <= cap(buf.bytes)
}

// add copies r, whose bytes stay the caller's; its header names must outlive the call. nil and empty are different on the wire and stay so.
func (buf *recordBuffer) add(r *record.Record, t *topic, cost int64, born mono) *entry {
	i := len(buf.entries)
	buf.entries = buf.entries[:i+1]
	e := &buf.entries[i]
	*e = entry{topic: t, buffer: buf, cost: cost, born: born, timestamp: r.Timestamp, asked: r.Partition}
	if i == 0 {
		buf.topic = t
	} else if buf.topic != t {
		buf.topic = nil
	}
	e.key, e.value = buf.keep(r.Key), buf.keep(r.Value)
	if len(r.Headers) > 0 {
		e.headers = buf.keepHeaders(r.Headers)
	}
	return e
}

// keepHeaders copies the values; the names stay the caller's, which has interned them.
func (buf *recordBuffer) keepHeaders(headers []record.Header) []record.Header {
	if len(buf.headers)+len(headers) > cap(buf.headers) {
		// The entries before keep the array that they point into.
		buf.headers = make([]record.Header, 0, max(bufferRecords, len(headers)))
	}
	from := len(buf.headers)
	for i := range headers {
		h := &headers[i]
		buf.headers = append(buf.headers, record.Header{Key: h.Key, Value: buf.keep(h.Value)})
	}
	return buf.headers[from:len(buf.headers):len(buf.headers)]
}

func (buf *recordBuffer) keep(b []byte) []byte {
	if b == nil {
		return nil
	}
	from := len(buf.bytes)
	buf.bytes = append(buf.bytes, b...)
	return buf.bytes[from:len(buf.bytes):len(buf.bytes)]
}

// reset forgets what the buffer held, so that it pins no topic, header or caller's memory.
func (buf *recordBuffer) reset() {
	clear(buf.entries)
	clear(buf.headers)
	buf.entries, buf.headers, buf.bytes, buf.topic = buf.entries[:0], buf.headers[:0], buf.bytes[:0], nil
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
	free []*recordBuffer
	idle int // the fewest in free since the last trim
}

// get returns the buffer that was put back last, or nil.
func (s *shelf) get() *recordBuffer {
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
func (p *bufferPool) get(n int) *recordBuffer {
	if n > largeBytes {
		return newBuffer(1, n)
	}
	records, from := bufferRecords, &p.small
	if n > mediumBytes {
		records, from = mediumRecords, &p.medium
	}
	p.mu.Lock()
	buf := from.get()
	p.mu.Unlock()
	if buf == nil {
		buf = newBuffer(records, bufferBytes)
	}
	return buf
}

func (p *bufferPool) put(buf *recordBuffer) {
	if buf.chunk != (intake.Chunk{}) {
		p.intake.Free(buf.chunk)
		return
	}
	var to *shelf
	switch {
	case cap(buf.bytes) != bufferBytes:
		return
	case cap(buf.entries) == bufferRecords:
		to = &p.small
	case cap(buf.entries) == mediumRecords:
		to = &p.medium
	default:
		return
	}
	buf.reset()
	p.mu.Lock()
	to.free = append(to.free, buf)
	p.mu.Unlock()
}

// letGo gives up one hold on buf. Only the sender, or who has ended it, may call it.
func (p *Producer) letGo(buf *recordBuffer) {
	switch buf.refs--; {
	case buf.refs > 0:
	case buf.packed != nil:
		p.packer.Free(buf.packed)
	default:
		p.pool.put(buf)
	}
}

// buffersLocked returns the buffers that the sender has not taken, in order. The list is the caller's.
func (p *Producer) buffersLocked() []*recordBuffer {
	buffers := slices.Clone(p.full)
	if p.current != nil {
		buffers = append(buffers, p.current)
	}
	return buffers
}

package producer

import (
	"runtime"
	"sync"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/recordbatch"
)

// A compressor compresses batches, several at once, from when they are stamped: the connection, which waits for those of the request that
// it writes, would else compress one after another. Its goroutines are as many as processors at most, and none is at rest.
type compressor struct {
	codec *recordbatch.Codec // nil: nothing is compressed
	most  int                // goroutines
	start func(run func())

	mu      sync.Mutex
	jobs    []*image // guarded by mu
	running int      // goroutines; guarded by mu

	buffers sync.Pool
}

func (p *Producer) newCompressor(set *conf.Settings) *compressor {
	// A codec that conf accepts is known; without it records go plain, which every broker takes.
	codec, _ := recordbatch.NewCodec(set.Codec, set.Level)
	return &compressor{codec: codec, most: runtime.NumCPU(), start: func(run func()) {
		p.goroutines.Go(func() { p.guard("a compression", run) })
	}}
}

// begin begins to compress m.
func (c *compressor) begin(m *image) {
	if c.codec == nil {
		return
	}
	m.compressed = make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs = append(c.jobs, m)
	if c.running < c.most {
		c.running++
		c.start(c.run)
	}
}

func (c *compressor) run() {
	for m := c.next(); m != nil; m = c.next() {
		func() {
			defer close(m.compressed) // also when it fails, which ends the queue
			buffer, _ := c.buffers.Get().(*[]byte)
			if buffer == nil {
				buffer = new([]byte)
			}
			*buffer, _ = m.encode((*buffer)[:0], c.codec)
			m.buffer = buffer
		}()
	}
}

// next returns the oldest batch, or nil when the goroutine is to end.
func (c *compressor) next() *image {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.jobs) == 0 {
		c.jobs = nil
		c.running--
		return nil
	}
	m := c.jobs[0]
	c.jobs[0] = nil
	c.jobs = c.jobs[1:]
	return m
}

// append is what the connection writes of m for a broker of that version.
func (c *compressor) append(m *image, dst []byte, version int16) ([]byte, [][]byte) {
	if m.compressed == nil {
		return m.encode(dst, nil)
	}
	<-m.compressed
	if m.buffer == nil || c.codec.Plain(version) {
		return m.encode(dst, nil)
	}
	return dst, [][]byte{*m.buffer}
}

// free gives the buffer of m back. Nothing is written of it any more.
func (c *compressor) free(m *image) {
	if m.compressed == nil {
		return
	}
	<-m.compressed
	if m.buffer != nil {
		c.buffers.Put(m.buffer)
		m.buffer = nil
	}
}

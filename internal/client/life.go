package client

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/quiet"
)

// Client has the connections of one queue, and what is known of the cluster.
type Client struct {
	set       *conf.Settings
	net       conf.Connections
	deps      Deps
	dialer    *conf.Dialer
	mechanism sasl.Mechanism // nil where the protocol does not log in
	clientID  string
	software  [2]string // name and version

	ctx    context.Context // done when the client is closed
	cancel context.CancelFunc
	work   sync.WaitGroup // every goroutine of the client

	mu      sync.Mutex
	closed  bool               // guarded by mu
	known   map[int32]string   // the address of each broker that the cluster names; guarded by mu
	brokers map[string]*broker // by address: those that were ever used, and the bootstrap servers; guarded by mu
	asking  bool               // a goroutine asks for metadata; guarded by mu
	waiting *question          // the one to ask after it; guarded by mu
	fresh   time.Time          // when the last metadata came, or asking for them began; guarded by mu
	serial  uint64             // counts connections; guarded by mu
	naming  bool               // a goroutine asks for a producer id; guarded by mu
}

// New returns a client. It opens nothing and starts nothing.
func New(set *conf.Settings, deps Deps) *Client {
	if deps.Guard == nil {
		deps.Guard = func(run func()) { run() }
	}
	c := &Client{
		set:      set,
		net:      set.Connections(),
		deps:     deps,
		clientID: set.ClientID[:min(len(set.ClientID), math.MaxInt16)],
		known:    map[int32]string{},
		brokers:  map[string]*broker{},
	}
	own := conf.Deps{Dialer: deps.Dialer, Wrap: quiet.Hush, Secret: deps.Secret, Report: deps.Report}
	c.dialer, c.mechanism = set.Dialer(own), set.Login(own)
	c.software[0], c.software[1] = set.Software(own)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for _, address := range set.Brokers {
		c.brokerLocked(address).seed = true
	}
	return c
}

// closeLimit is how long Close waits for the goroutines. They end at once, unless one of them is
// inside a call of the host's or of a library that does not look at its context.
const closeLimit = 500 * time.Millisecond

// Close ends every connection and every goroutine, waits for that for at most half a second, and says whether all have ended. Open
// requests are answered with [ErrClosed] before. It must not be called from within [Produce.Done],
// [Batch.Append] or a function of [Deps].
func (c *Client) Close() (ended bool) {
	c.mu.Lock()
	c.closed = true
	var conns []*conn
	for _, b := range c.brokers {
		if b.conn != nil {
			conns = append(conns, b.conn)
		}
	}
	c.mu.Unlock()
	c.cancel()
	for _, n := range conns {
		n.raw.Close()
	}
	done := make(chan struct{})
	go c.deps.Guard(func() {
		c.work.Wait()
		close(done)
	})
	select {
	case <-done:
		return true
	case <-time.After(closeLimit):
		return false
	}
}

// spawnLocked starts a goroutine, unless the client is closed. It is under the lock so that Close waits for all
// that were started.
func (c *Client) spawnLocked(f func()) bool {
	if c.closed {
		return false
	}
	c.work.Go(func() { c.deps.Guard(f) })
	return true
}

// emit tells an event, unless the client is closed: nobody waits for it then.
func (c *Client) emit(e Event) {
	if c.ctx.Err() == nil {
		c.deps.Events(e)
	}
}

// brokerLocked returns the broker of an address. New calls it before anybody else has the client.
func (c *Client) brokerLocked(address string) *broker {
	b := c.brokers[address]
	if b == nil {
		b = &broker{c: c, address: address, wake: make(chan struct{}, 1), since: time.Now()}
		b.ids = c.idsOfLocked(address)
		c.brokers[address] = b
	}
	return b
}

// idsOfLocked returns the ids of an address, in order.
func (c *Client) idsOfLocked(address string) (ids []int32) {
	for id, a := range c.known {
		if a == address {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// findLocked returns the broker of an id, and nil if it was never used.
func (c *Client) findLocked(id int32) *broker { return c.brokers[c.known[id]] }

// Connect wants a connection to a broker that metadata has named. It does not block: an event [Up], or
// [Down] at the end of each failed attempt, follows. The client keeps trying, with pauses that grow,
// until the broker is no longer named or was not used for connections.max.idle.ms. A broker that is not
// named is not connected to, and nothing follows: ask for metadata.
func (c *Client) Connect(id int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if address, ok := c.known[id]; ok {
		c.wantLocked(address)
	}
}

// wantLocked keeps a broker connected.
func (c *Client) wantLocked(address string) {
	b := c.brokerLocked(address)
	b.wanted, b.announce = true, true
	b.startLocked()
}

// Send gives r to the broker's connection if that takes requests now; otherwise it returns false and
// nothing has happened. It does not block: r is encoded and written on the connection's own goroutine.
func (c *Client) Send(id int32, r *Produce) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.findLocked(id)
	if c.closed || b == nil || !b.takesLocked(time.Now()) || r.Connection != 0 && r.Connection != b.conn.serial {
		return false
	}
	b.queue = append(b.queue, &request{key: produceKey, produce: r, deadline: r.Deadline, silent: r.Acks == 0})
	b.poke()
	return true
}

// Look says that the caller looks at answers now, and lazy that it does so again soon: until then answers wake nobody, and neither does the
// end of a connection. It does not block.
func (c *Client) Look(lazy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.brokers {
		if n := b.conn; n != nil && n.quiet != nil {
			n.quiet.Look(lazy && b.state == Ready)
		}
	}
}

// Ready reports whether [Client.Send] would take a request now.
func (c *Client) Ready(id int32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.findLocked(id)
	return !c.closed && b != nil && b.takesLocked(time.Now())
}

// Unwritten returns how many requests to a broker wait until they are written.
func (c *Client) Unwritten(id int32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.findLocked(id); b != nil {
		return len(b.queue)
	}
	return 0
}

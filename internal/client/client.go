// Package client speaks to the brokers of one cluster for one queue: connections, what the cluster says of topics, and producer
// ids.
//
// It promises that no call of it blocks, that each request is answered exactly once, that one broker which is away delays no
// question to another, that an answer costs a small multiple of its own size whatever it says, and that nothing is left
// when Close has returned. It refuses to know records, batches, retries and counters: those are the producer's. It writes no log
// itself; see [Log].
//
// The files, in the order of a connection's life: client.go, broker.go (wanted, back-off), handshake.go and login.go, conn.go (requests
// and answers), produce.go; question.go and metadata.go ask about topics, producerid.go for an id. decode.go reads answers.
//
// Lock order: Client.mu, then Broker.mu, then conn.mu. Events are told without any lock.
package client

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/conf"
)

// ErrClosed ends the requests that are open when the client is closed.
var ErrClosed = errors.New("the client is closed")

// A Stage is how far an attempt to connect had come when it failed.
type Stage uint8

// The stages, in order. Connecting is from the resolution of the name to the TLS handshake; Versions is the first question on the
// connection; Login is from the moment that the broker has heard the name.
const (
	Connecting Stage = iota
	Versions
	Login
)

// A Log is told what operators should know of brokers. Its methods are called from many goroutines and must not block.
type Log interface {
	// Failed is one attempt to connect that has failed.
	Failed(address string, stage Stage, err error)
	// Lost is a usable connection that ended, and not by this side.
	Lost(address string, err error)
	// Nonsense is an answer that makes no sense; err is one sentence that says why. The connection is closed.
	Nonsense(address string, err error)
	// Throttled is a broker's wish for a pause.
	Throttled(address string, d time.Duration)
}

// Deps are what a Client is given by the queue.
type Deps struct {
	Log    Log                                                                  // never nil
	Events func(Event)                                                          // called from any goroutine without a lock; must not block
	Dialer func(ctx context.Context, network, address string) (net.Conn, error) // see [conf.Deps]
	Secret func(property string) (string, bool)                                 // see [conf.Deps]
	Report func(err error)                                                      // see [conf.Deps]
	Guard  func(run func())                                                     // runs each goroutine; nil runs it plainly
}

// A Kind is what an Event tells.
type Kind uint8

// The kinds. Up and Down are of Event.Broker, which takes requests now or does not any more.
const (
	Up Kind = iota
	Down
	MetadataReceived
	MetadataFailed
	ProducerID
)

// An Event is news of the cluster.
type Event struct {
	Kind     Kind
	Broker   int32
	Err      error // Down, MetadataFailed: why
	Metadata *Metadata
	ID       int64 // ProducerID
	Epoch    int16
	Code     int16 // ProducerID: why there is none, or 0
}

// A Client is the connections of one queue.
type Client struct {
	set   *conf.Settings
	conns conf.Connections
	dial  *conf.Dialer
	deps  Deps
	own   conf.Deps

	life context.Context // ends at Close
	end  context.CancelFunc
	runs sync.WaitGroup

	mu       sync.Mutex
	closed   bool              // guarded by mu
	brokers  map[int32]*broker // that metadata has named, by id; guarded by mu
	seeds    []*broker         // bootstrap.servers; guarded by mu
	asking   bool              // a question for metadata is on its way; guarded by mu
	waiting  *question         // the one after it; guarded by mu
	answered time.Time         // when metadata last came; guarded by mu
	turn     int               // which broker is asked first; guarded by mu
}

// New returns a client of the cluster that set names. It opens nothing.
func New(set *conf.Settings, deps Deps) *Client {
	if deps.Guard == nil {
		deps.Guard = func(run func()) { run() }
	}
	own := conf.Deps{Dialer: deps.Dialer, Secret: deps.Secret, Report: deps.Report}
	c := &Client{set: set, conns: set.Connections(), dial: set.Dialer(own), deps: deps, own: own, brokers: map[int32]*broker{}, answered: time.Now()}
	c.life, c.end = context.WithCancel(context.Background())
	for i, address := range set.Brokers {
		c.seeds = append(c.seeds, newBroker(c, int32(-1-i), address))
	}
	return c
}

// run starts a goroutine of the client. It does nothing when the client is closed.
func (c *Client) run(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.runs.Go(func() { c.deps.Guard(do) })
	}
}

// Close ends every connection. Requests that are open have been answered with [ErrClosed] when it returns, and no goroutine of the
// client is left.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	all := c.all()
	c.mu.Unlock()
	c.end()
	for _, b := range all {
		b.drop(ErrClosed)
	}
	c.runs.Wait()
}

// all returns every broker. The caller holds mu.
func (c *Client) all() []*broker {
	all := slices.Clone(c.seeds)
	for _, b := range c.brokers {
		all = append(all, b)
	}
	return all
}

func (c *Client) broker(id int32) *broker {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.brokers[id]
}

// Connect says that a broker is needed, which metadata has named: it is connected to, with a growing pause between attempts, for as long as
// Connect is called from time to time. [Up] and, for each attempt that fails, [Down] follow. It never blocks.
func (c *Client) Connect(id int32) {
	if b := c.broker(id); b != nil {
		b.want()
	}
}

// Ready says whether Send would take a request now.
func (c *Client) Ready(id int32) bool {
	b := c.broker(id)
	return b != nil && b.ready() != nil
}

// Send writes r to the broker if its connection is up, and returns false, and has done nothing, if it is not. It never blocks: r
// is encoded and written on the connection's goroutine, and r.Done is called once from a goroutine of the client.
func (c *Client) Send(id int32, r *Produce) bool {
	b := c.broker(id)
	if b == nil {
		return false
	}
	conn := b.ready()
	return conn != nil && conn.produce(r)
}

// Unwritten returns how many requests to a broker wait until they are written.
func (c *Client) Unwritten(id int32) int {
	b := c.broker(id)
	if b == nil {
		return 0
	}
	conn := b.ready()
	if conn == nil {
		return 0
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	return len(conn.queue)
}

// learned takes the brokers that metadata has named. A connection to a bootstrap server with the address of one of them becomes that
// one's; the others are closed, and so are connections to brokers that are gone or have moved.
func (c *Client) learned(named []namedBroker) {
	var left []*broker
	var up []int32
	c.mu.Lock()
	c.answered = time.Now()
	known := make(map[int32]*broker, len(named))
	for _, n := range named {
		address := net.JoinHostPort(n.host, strconv.Itoa(int(n.port)))
		if b := c.brokers[n.id]; b != nil && b.address == address {
			known[n.id] = b
			continue
		}
		b := newBroker(c, n.id, address)
		for i, seed := range c.seeds {
			if seed.address == address && seed.ready() != nil {
				c.seeds[i] = newBroker(c, seed.number(), address)
				seed.adopt(n.id)
				b = seed
				up = append(up, n.id)
				break
			}
		}
		known[n.id] = b
	}
	for id, b := range c.brokers {
		if known[id] != b {
			left = append(left, b)
		}
	}
	left = append(left, c.seeds...)
	c.brokers = known
	closed := c.closed
	c.mu.Unlock()
	for _, b := range left {
		b.release()
	}
	if closed {
		for _, b := range known {
			b.drop(ErrClosed)
		}
		return
	}
	for _, id := range up {
		c.deps.Events(Event{Kind: Up, Broker: id})
	}
	if !c.conns.Sparse {
		for _, b := range known {
			b.want()
		}
	}
}

// A BrokerStatus is what there is to say of one broker.
type BrokerStatus struct {
	ID             int32 // below 0 for a bootstrap server that metadata has not named
	Address        string
	State          State
	Since          time.Time
	Failure        string        // the last one, or ""
	RoundTrip      time.Duration // of the last answer
	Sent, Received int64         // bytes
	Requests       int64         // written
	InFlight       int
}

// Brokers returns the state of each broker, by id. It never blocks.
func (c *Client) Brokers() []BrokerStatus {
	c.mu.Lock()
	all := c.all()
	c.mu.Unlock()
	var list []BrokerStatus
	for _, b := range all {
		if s := b.status(); s.ID >= 0 || s.State != Idle {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b BrokerStatus) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

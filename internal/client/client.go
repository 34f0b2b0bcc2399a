// Package client speaks Kafka's protocol for one queue: connections to brokers, what is known of
// their addresses, metadata and producer ids.
//
// It knows nothing of records, of partition queues or of retries: it carries encoded batches to the
// broker that its caller names, once, and tells what became of them. It keeps trying to reach brokers
// that are wanted; it never sends a request of its caller a second time.
//
// It refuses what makes no sense: every answer is read by a cursor that checks each count against
// what is left of the answer, and an answer that is nonsense ends its connection (see [Log.Nonsense]).
// Memory is bounded by the answers, and those by receive.message.max.bytes.
//
// Each broker that is wanted has one goroutine, which alone moves the broker's state: it connects,
// logs in, writes, and ends the connection. A connection has a second one, which reads. A question to
// the cluster has one while it lasts. At rest there is none.
//
// There is one lock, Client.mu; a function whose name ends in Locked needs it. It guards what brokers and connections share, and it is never held
// while one of [Deps], [Produce.Done] or [Batch.Append] is called, while a goroutine waits, or across a
// call into the network. Every method may be called from any goroutine, also from within those
// functions, but for [Client.Close].
package client

import (
	"context"
	"errors"
	"net"
	"time"
)

// Deps is what a client gets from its surroundings.
type Deps struct {
	// Log gets what an operator should know. Never nil.
	Log Log

	// Events is called from any goroutine and must not block. Events of one broker come in order, and
	// so do answers to questions.
	Events func(Event)

	// Dialer connects in place of the network's own; nil is TCP with the socket properties. TLS is put
	// on top of either.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)

	// Secret gives the present value of a property that is kept outside of the configuration, as
	// [conf.Deps] has it. It is asked at each login.
	Secret func(property string) (text string, ok bool)

	// Report gets changed TLS files that cannot be used, while the old ones stay; nil is nobody.
	Report func(err error)

	// Guard runs the function that it is given, on the goroutine that calls it, and does what has to be
	// done when that panics. Every goroutine of the client runs in it. Nil runs it plainly.
	Guard func(func())

	// Written is called when the last byte of a Produce request was written, from the goroutine that wrote it. Nil is nobody.
	Written func()
}

// Log gets what an operator should know. Its methods are called from the client's goroutines and
// must not block. The same is reported again as often as it happens.
type Log interface {
	Failed(address string, stage Stage, err error) // an attempt to connect has failed at this stage
	Lost(address string, err error)                // a usable connection has ended, and not by this side
	Nonsense(address string, err error)            // an answer makes no sense; err is one sentence that says what was wrong
	Throttled(address string, d time.Duration)     // the broker asks for a pause; d may be more than the client grants
}

// Stage is a step of connecting.
type Stage uint8

// The stages, in their order.
const (
	Connecting Stage = iota // from the resolution of the name to the TLS handshake
	Versions                // the broker tells what it speaks, and the login begins
	Login                   // from when the broker has heard who logs in
)

// Kind is what an [Event] tells.
type Kind uint8

// The kinds of events.
const (
	// Up: the broker takes requests. It is sent when the connection is usable, again for each
	// [Client.Connect] of a connection that already is, and when a pause that the broker asked for is over.
	Up Kind = iota
	// Down: an attempt to connect has failed, or the connection has ended. Requests that were open have
	// been answered by then. The client goes on trying unless Idle is set or the broker is unknown.
	Down
	// MetadataReceived: a question has its answer.
	MetadataReceived
	// MetadataFailed: no broker has answered; ask again after a pause of your own.
	MetadataFailed
	// ProducerID: a producer id was given, or, if Code is not 0, permanently refused.
	ProducerID
)

// Event is news. Fields that do not belong to its kind are zero.
type Event struct {
	Kind       Kind
	Broker     int32     // Up, Down
	Connection uint64    // Up: counts the connections
	Idle       bool      // Down: the connection was not in use; connect again when it is needed
	Err        error     // Down, MetadataFailed, ProducerID with a code: why
	Metadata   *Metadata // MetadataReceived; the receiver owns it
	ID         int64     // ProducerID
	Epoch      int16     // ProducerID
	Code       int16     // ProducerID: Kafka's error code
}

// Metadata is the answer to a question. It makes sense: every topic that was asked for is in it once,
// the partitions of a topic are numbered from 0 and stand in that order, and every leader is a known broker.
type Metadata struct {
	ClusterID  string // "" if the broker does not tell
	Controller int32  // -1 if the broker does not tell
	Brokers    []int32
	Topics     []Topic
}

// Topic is what a broker says of a topic that was asked for.
type Topic struct {
	Name       string
	ID         [16]byte // zero if the broker does not tell
	Code       int16    // Kafka's error code
	Partitions []Partition
}

// Partition is what a broker says of a partition.
type Partition struct {
	ID          int32
	Leader      int32 // -1 is none
	LeaderEpoch int32 // -1 if the broker does not tell
	Code        int16
	Replicas    int // how many there are
	InSync      int // how many of them have all that the leader has
}

// Produce is one Produce request. The client owns it and its batches from a [Client.Send] that
// returned true until Done.
type Produce struct {
	Acks       int16
	Timeout    time.Duration // how long the broker may wait for its replicas
	Deadline   time.Duration // how long the answer may take after the last byte was written; pauses that the broker asks for do not count
	Batches    []Batch       // at least one; those of one topic stand together
	Connection uint64        // if not 0, the request is taken only by this one

	// Done is called exactly once, from a goroutine of the client. It must not block for long: the next
	// answers of the broker wait for it. If err is nil each Answer is filled, and with acks 0 the kernel has the last byte.
	Done func(r *Produce, err error)

	// Written is set before Done: some byte of the request may have reached the broker.
	Written bool
}

// Batch is one record batch on its way.
type Batch struct {
	Topic     string
	TopicID   [16]byte // zero if it is not known; a request with such a batch is written with a version that names topics
	Partition int32

	// Append appends the encoded record batch (v2) to dst, or returns it in pieces that stay as they are until Done. It is called
	// at most once, on the goroutine that writes, with the version of the request. There is at least one byte.
	Append func(dst []byte, produceVersion int16) (appended []byte, pieces [][]byte)

	Answer Answer

	answered bool // Answer was read
}

// Answer is what the broker says of a batch.
type Answer struct {
	Code          int16
	Message       string
	BaseOffset    int64 // -1 with acks 0
	LogAppendTime int64 // milliseconds since 1970; -1 unless the topic has it
	Records       []RecordError
	Leader        int32 // who leads now, if the broker tells; else -1
	LeaderEpoch   int32 // -1 if the broker does not tell
}

// RecordError is what is wrong with one record of a batch.
type RecordError struct {
	Index   int32
	Message string
}

// BrokerStatus is a moment in the life of the connection to a broker.
type BrokerStatus struct {
	ID        int32 // -1 for a bootstrap server that is not known to be a broker of the cluster
	Address   string
	State     State
	Since     time.Time // when State began
	LastError string    // one sentence, "" if nothing has gone wrong since the connection was usable
	InFlight  int       // requests without their answer
	Waiting   int       // requests that are not written yet
	Lost      time.Time // when it began to fail; zero if nothing has since the connection was usable
	Counters
}

// State is where the connection to a broker stands.
type State uint8

// The states. Up to Ready they follow each other in this order. A connection that is Ready may be Muted and Ready again; one that is Finishing logs in again
// and is Ready, or ends. Each may go back to Idle or Pausing.
const (
	Idle    State = iota // nobody wants the broker
	Pausing              // wanted, and left alone for a moment after it was lost
	Dialing              // connecting, or shaking hands
	Asking               // the broker is asked what it speaks
	LoggingIn
	Ready     // takes requests
	Muted     // connected; the broker has asked for a pause
	Finishing // connected; nothing is written until what is open is answered, then the login or the connection is renewed
)

// String returns librdkafka's name of the state, as its statistics have it, where there is one.
func (s State) String() string {
	return [...]string{"INIT", "TRY_CONNECT", "CONNECT", "APIVERSION_QUERY", "AUTH_REQ", "UP", "UP", "REAUTH"}[s]
}

// Errors of requests. Others are those of the network, of TLS and of Kafka (package kerr). A request
// that was not answered in time ends with one that is [os.ErrDeadlineExceeded], and so do those that were open beside it.
var (
	// ErrClosed is an end by [Client.Close].
	ErrClosed = errors.New("the client is closed")
	// ErrUnknownBroker is a broker that the cluster does not name any more, or names at another address.
	ErrUnknownBroker = errors.New("the cluster does not name this broker")
	// ErrNoBrokers is a client without bootstrap.servers.
	ErrNoBrokers = errors.New("no bootstrap.servers configured")
)

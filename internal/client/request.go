package client

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"
)

// Kafka's keys of the requests that the client sends: part of the protocol.
const (
	produceKey    int16 = 0
	fetchKey      int16 = 1
	listKey       int16 = 2
	metadataKey   int16 = 3
	handshakeKey  int16 = 17
	versionsKey   int16 = 18
	producerIDKey int16 = 22
	loginKey      int16 = 36
	describeKey   int16 = 61
)

// span is a range of versions.
type span struct{ min, max int16 }

// An api is what the client knows of requests with one key.
type api struct {
	span            // the versions that it speaks
	flexible int16  // from which version on there are compact lengths and tagged fields
	name     string // Kafka's
}

// speaks has the APIs that the client knows. Metadata 4 and Produce 3 came with Kafka 0.11, as did
// the record batches that the client is given.
var speaks = map[int16]api{
	produceKey:    {span{3, 13}, 9, "Produce"},
	fetchKey:      {span{4, 13}, 12, "Fetch"},
	listKey:       {span{1, 6}, 6, "ListOffsets"},
	metadataKey:   {span{4, 13}, 9, "Metadata"},
	handshakeKey:  {span{0, 1}, math.MaxInt16, "SaslHandshake"},
	versionsKey:   {span{0, 4}, 3, "ApiVersions"},
	producerIDKey: {span{0, 5}, 2, "InitProducerId"},
	loginKey:      {span{0, 2}, 2, "SaslAuthenticate"},
	describeKey:   {span{0, 0}, 0, "DescribeProducers"},
}

// request is one that waits to be written or to be answered. Its way is: a broker's queue, then the
// connection's open requests, then done; whoever takes it off one of the two, under Client.mu, must move it on.
// One without an answer (acks 0) is never among the open ones: who has written it calls done.
type request struct {
	key      int16
	most     int16         // the highest version that may be used; 0 is any
	deadline time.Duration // for its answer, from when the last byte was written
	silent   bool          // has no answer
	raw      bool          // bytes of a login without a header: the oldest form of it

	produce *Produce // a caller's; the other functions are nil then
	body    func(dst []byte, version int16) []byte
	read    func(answer *cursor, version int16) (throttle int32, err error) // on the goroutine that reads; the answer's bytes are lent
	done    func(err error)                                                 // exactly once; nil if read was called and returned nil

	// From here on: set when it is written, guarded by Client.mu.
	id        int32
	version   int16
	sent      time.Time // when the last byte was written; zero until then
	due       time.Time // for its answer
	abandoned bool      // it has timed out, and done was called: the answer is for nobody
	answered  bool      // the answer was read
	returned  bool      // the write is over
	answerErr error     // of an answer that came before that
	written   bool      // some byte may have reached the broker
}

// finish calls done. No lock is held.
func (r *request) finish(err error) {
	if r.produce == nil {
		r.done(err)
		return
	}
	r.produce.Written = r.written
	r.produce.Done(r.produce, err)
}

// timedOut is the error of a request that was not answered in time.
func (r *request) timedOut() error {
	return fmt.Errorf("no answer to %s for %v: %w", speaks[r.key].name, r.deadline, os.ErrDeadlineExceeded)
}

// nonsense is an answer that no broker gives: one sentence that says what was wrong.
type nonsense struct{ text string }

func (e *nonsense) Error() string { return e.text }

func isNonsense(err error) bool {
	_, is := errors.AsType[*nonsense](err)
	return is
}

func nonsensef(format string, args ...any) error { return &nonsense{fmt.Sprintf(format, args...)} }

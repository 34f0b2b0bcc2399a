package conf

import (
	"math/rand/v2"
	"time"
)

// RetryPause returns how long a batch waits before its try-th retry. It is librdkafka's: it doubles with each try, moves by a fifth
// either way, and is never above its limit.
func (s *Settings) RetryPause(try int) time.Duration {
	pause := s.RetryBackoffMax
	if shift := max(try-1, 0); shift < 32 && s.RetryBackoff<<shift < pause {
		pause = s.RetryBackoff << shift
	}
	return min(time.Duration(float64(pause)*(0.8+0.4*rand.Float64())), s.RetryBackoffMax)
}

// pipeline is how many produce requests are on their way to a broker, or batches of a partition, unless max.in.flight is set. More would only be more memory,
// and more records to send again when the connection breaks.
const pipeline = 5

// idempotentWindow is how many batches of a producer a broker remembers for each partition: part of Kafka's protocol.
const idempotentWindow = 5

// InFlight returns how many batches of one partition, and how many requests to one broker, may be on their way. inOrder asks for the
// order of each partition through retries.
//
// Compat: max.in.flight. librdkafka lets a million requests wait on a connection, and a retry of one then
// overtakes the others. A few fill any line, because a request takes all that is waiting; with one a
// partition would stand still for each round trip. Who sets max.in.flight gets it.
func (s *Settings) InFlight(inOrder bool) (batches, requests int) {
	requests = min(max(s.MaxInFlight, 1), pipeline)
	if s.inFlightChosen {
		requests = max(s.MaxInFlight, 1)
	}
	switch {
	case s.Idempotence:
		return min(requests, idempotentWindow), requests
	case inOrder:
		return 1, requests
	}
	return requests, requests
}

package producer

import (
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/resperr"
)

// An outcome is what becomes of a batch after an attempt.
type outcome uint8

const (
	written outcome = iota // it is in the log
	retry                  // it is sent again after a pause, as often as retries allows
	relook                 // it is sent again once the leader is known; this counts as no retry
	bisect                 // its two halves are sent: one record may be to blame
	reorder                // the broker expects another sequence
	renew                  // the broker does not take the producer id: another one is asked for
	reject                 // it fails with the code; behind a spool it becomes a dead letter
	denied                 // behind a spool: it is sent again until somebody has given the right
)

// An outcomeRow is one row of the table of outcomes.
type outcomeRow struct {
	memory, spool outcome
	why           string
}

// outcomes says what becomes of a batch by the broker's answer. A code that is in no row is sent again where Kafka calls it
// retriable, and refused otherwise.
//
// Compat: retriable codes. librdkafka fails a message at once for every code that it does not list. A code that Kafka calls
// retriable is tried again here, and not lost.
var outcomes = map[resperr.Code]outcomeRow{
	resperr.NoError:                      {written, written, "written"},
	resperr.DuplicateSequenceNumber:      {written, written, "written before, and its answer was lost"},
	resperr.Transport:                    {retry, retry, "the connection broke while it was on its way: it may be written"},
	resperr.TimedOut:                     {retry, retry, "no answer in time: it may be written"},
	resperr.InvalidMsg:                   {retry, retry, "damaged on its way"},
	resperr.RequestTimedOut:              {retry, retry, "the replicas did not confirm in time"},
	resperr.NotEnoughReplicas:            {retry, retry, "a replica is missing"},
	resperr.NotEnoughReplicasAfterAppend: {retry, retry, "a replica was lost after it was written"},
	resperr.KafkaStorageError:            {retry, retry, "the broker's disk has failed: another one will lead"},
	resperr.UnknownTopicOrPart:           {relook, relook, "the broker does not have the partition: metadata decides whether anybody has"},
	resperr.LeaderNotAvailable:           {relook, relook, "a leader is being chosen"},
	resperr.NotLeaderForPartition:        {relook, relook, "another broker leads"},
	resperr.BrokerNotAvailable:           {relook, relook, "the broker is going"},
	resperr.ReplicaNotAvailable:          {relook, relook, "the broker does not have the replica yet"},
	resperr.FencedLeaderEpoch:            {retry, retry, "another broker leads since"},
	resperr.UnknownLeaderEpoch:           {retry, retry, "the broker does not know of its lead yet"},
	resperr.CoordinatorNotAvailable:      {relook, relook, "as librdkafka, though no broker answers a message so"},
	resperr.NotCoordinator:               {relook, relook, "as librdkafka, though no broker answers a message so"},
	resperr.UnknownTopicID:               {relook, relook, "the topic was recreated: metadata has its new id"},
	resperr.MsgSizeTooLarge:              {bisect, bisect, "larger than the topic takes, together"},
	resperr.RecordListTooLarge:           {bisect, bisect, "larger than a segment of the topic, together"},
	resperr.InvalidRecord:                {reject, bisect, "a record is not valid for the topic: those that the broker names fail"},
	resperr.InvalidTimestamp:             {reject, bisect, "a record is too old or too new for the topic"},
	resperr.PolicyViolation:              {reject, bisect, "a record violates a policy of the topic"},
	resperr.OutOfOrderSequenceNumber:     {reorder, reorder, "records before it are missing"},
	resperr.InvalidProducerEpoch:         {renew, renew, "a newer epoch of the producer has written"},
	resperr.UnknownProducerID:            {renew, renew, "the broker has forgotten the producer"},
	resperr.TopicAuthorizationFailed:     {reject, denied, "no right to write to the topic; rights are often given after the first message"},
	resperr.TopicException:               {reject, reject, "no such name"},
	resperr.InvalidRequiredAcks:          {reject, reject, "acks is not 0, 1 or -1"},
	resperr.UnsupportedForMessageFormat:  {reject, reject, "the topic's format is too old"},
	resperr.UnsupportedCompressionType:   {reject, reject, "the topic does not take the codec"},
	resperr.InvalidRequest:               {reject, reject, "the request makes no sense to the broker"},
}

// outcomeOf looks code up.
func outcomeOf(code resperr.Code, spooled bool) outcome {
	v, ok := outcomes[code]
	switch {
	case !ok && code > 0 && kerr.IsRetriable(kerr.ErrorForCode(int16(code))):
		return retry
	case !ok && spooled:
		return retry // only what is listed is certain to be refused for ever: the message stays
	case !ok:
		return reject
	case spooled:
		return v.spool
	}
	return v.memory
}

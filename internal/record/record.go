// Package record is a message on its way to Kafka, as a script has passed it.
//
// It is plain data and knows nothing: calls, the producer and the encoder of record batches share it, so that none
// of them needs another one's words for it.
package record

// A Header is one header of a record. A nil Value is Kafka's null.
type Header struct {
	Key   string
	Value []byte
}

// A Record is what Kafka is to get. A nil Key or Value is Kafka's null, which is not the empty one. Partition -1 leaves
// the choice to the configured partitioner. Timestamp is in milliseconds since 1970; 0 means the time of the call.
type Record struct {
	Topic     string
	Partition int32
	Key       []byte
	Value     []byte
	Headers   []Header
	Timestamp int64
}

// Size returns the bytes of the key, the value and the headers.
func (r *Record) Size() int {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}

package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// unsupportedVersion is the error code of an ApiVersions request that is newer than the broker.
const unsupportedVersion = 35

// metadataMax is a version with topic ids, which any broker of today has. Without them librdkafka 2.15.0 cannot read the answer about
// a hundred topics of one partition: it takes memory for four times the size of the response, and short names need more.
const metadataMax = 12

// offered are the requests that the broker says it takes. The first group it answers. The second it does not: librdkafka
// derives what a broker can do from them (LZ4 from FindCoordinator, zstd from Fetch), and a producer never sends them.
var offered = [...]kmsg.ApiVersionsResponseApiKey{
	{ApiKey: int16(kmsg.Produce), MinVersion: 0, MaxVersion: produceMax},
	{ApiKey: int16(kmsg.Metadata), MinVersion: 0, MaxVersion: metadataMax},
	{ApiKey: int16(kmsg.ApiVersions), MinVersion: 0, MaxVersion: 3},
	{ApiKey: int16(kmsg.InitProducerID), MinVersion: 0, MaxVersion: 4},
	{ApiKey: int16(kmsg.ListOffsets), MinVersion: 0, MaxVersion: 5},

	{ApiKey: int16(kmsg.Fetch), MinVersion: 0, MaxVersion: 11},
	{ApiKey: int16(kmsg.FindCoordinator), MinVersion: 0, MaxVersion: 3},
}

// rest answers the requests that are not produce requests. They are rare and small: read as a whole, and through kmsg.
func (c *conn) rest(h header) error {
	req := kmsg.RequestForKey(h.key)
	if req == nil {
		return fmt.Errorf("request with the unknown key %d", h.key)
	}
	req.SetVersion(h.version)
	if h.key == int16(kmsg.ApiVersions) {
		return c.versions(h)
	}
	c.in.tags(req.IsFlexible())
	body := c.in.take(int(c.in.left))
	if c.in.err != nil {
		return c.in.err
	}
	if err := req.ReadFrom(body); err != nil {
		return fmt.Errorf("%s request, version %d: %w", kmsg.NameForKey(h.key), h.version, err)
	}
	var resp kmsg.Response
	switch req := req.(type) {
	case *kmsg.MetadataRequest:
		resp = c.broker.metadata(req)
	case *kmsg.InitProducerIDRequest:
		pid := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		pid.ProducerID = rand.Int64N(1 << 40)
		pid.ProducerEpoch = 0
		resp = pid
	case *kmsg.ListOffsetsRequest:
		resp = offsets(req)
	default:
		return fmt.Errorf("%s request, which this broker does not answer", kmsg.NameForKey(h.key))
	}
	c.begin(h, resp.IsFlexible())
	c.out = resp.AppendTo(c.out)
	return c.send()
}

// versions answers ApiVersions. A client newer than the broker gets that answer in version 0 and asks again. The header of this
// one response never has tags.
func (c *conn) versions(h header) error {
	c.in.skip(c.in.left)
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ApiKeys = offered[:]
	for _, k := range offered {
		if k.ApiKey == h.key && h.version > k.MaxVersion {
			resp.ErrorCode = unsupportedVersion
			h.version = 0
		}
	}
	resp.SetVersion(h.version)
	c.begin(h, false)
	c.out = resp.AppendTo(c.out)
	return c.send()
}

// topicID is the same for a name in every answer: another one would tell a client that the topic was deleted and recreated.
func topicID(name string) (id [16]byte) {
	sum := sha256.Sum256([]byte(name))
	copy(id[:], sum[:])
	return id
}

// metadata has every topic that is asked for; asked for all, it has none.
func (b *broker) metadata(req *kmsg.MetadataRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	for i, at := range b.nodes {
		node := kmsg.NewMetadataResponseBroker()
		node.NodeID, node.Host, node.Port = int32(i)+1, at.IP.String(), int32(at.Port)
		resp.Brokers = append(resp.Brokers, node)
	}
	resp.ControllerID = 1
	resp.ClusterID = kmsg.StringPtr("blackhole")
	for _, t := range req.Topics {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = t.Topic
		if t.Topic != nil {
			topic.TopicID = topicID(*t.Topic)
		}
		for i := range b.partitions {
			p := kmsg.NewMetadataResponseTopicPartition()
			leader := i%int32(len(b.nodes)) + 1
			p.Partition, p.Leader, p.LeaderEpoch = i, leader, 0
			p.Replicas, p.ISR = []int32{leader}, []int32{leader}
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// offsets says that every log is empty.
func offsets(req *kmsg.ListOffsetsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			part := kmsg.NewListOffsetsResponseTopicPartition()
			part.Partition, part.Offset = p.Partition, 0
			topic.Partitions = append(topic.Partitions, part)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

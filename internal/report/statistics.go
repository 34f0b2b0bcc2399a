package report

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Statistics are what a queue writes to the log each statistics.interval.ms, and what the command stats prints.
//
// The names are librdkafka's where it has the same number, see its STATISTICS.md; of its more than a
// hundred they are those that this engine knows. queue, in, in_bytes, refused, delivered and the fates of messages, failures, and
// topics_omitted and partitions_omitted are ours. Part of the interface.
type Statistics struct {
	Name     string `json:"name"` // of the client, as in its log lines
	ClientID string `json:"client_id"`
	Type     string `json:"type"`  // always producer
	Queue    string `json:"queue"` // the id in smtpd.yaml
	TS       int64  `json:"ts"`    // microseconds
	Time     int64  `json:"time"`  // seconds since 1970
	Age      int64  `json:"age"`   // microseconds since the queue was opened

	MsgCnt     int64 `json:"msg_cnt"`      // messages in the queue
	MsgSize    int64 `json:"msg_size"`     // bytes of their values
	MsgMax     int64 `json:"msg_max"`      // the limit of msg_cnt, 0 for none
	MsgSizeMax int64 `json:"msg_size_max"` // the limit of msg_size

	Tx      uint64 `json:"tx"` // requests to all brokers
	TxBytes uint64 `json:"tx_bytes"`
	Rx      uint64 `json:"rx"` // answers
	RxBytes uint64 `json:"rx_bytes"`

	TxMsgs   int64            `json:"txmsgs"` // delivered
	In       int64            `json:"in"`     // accepted: txmsgs + failed + dropped + expired + dead + queued + on_disk
	InBytes  int64            `json:"in_bytes"`
	Refused  int64            `json:"refused"` // calls answered with errno
	Failed   int64            `json:"failed"`
	Dropped  int64            `json:"dropped"`
	Expired  int64            `json:"expired"`
	Dead     int64            `json:"dead"`
	Queued   int64            `json:"queued"` // in memory only
	OnDisk   int64            `json:"on_disk"`
	Failures map[string]int64 `json:"failures"` // failed, dropped, expired and dead by code

	MetadataCacheCnt int `json:"metadata_cache_cnt"` // topics that are known

	Brokers           map[string]BrokerStatistics `json:"brokers"`
	Topics            map[string]TopicStatistics  `json:"topics"`
	TopicsOmitted     int                         `json:"topics_omitted,omitempty"`
	PartitionsOmitted int                         `json:"partitions_omitted,omitempty"`
}

// BrokerStatistics are those of the connection to one broker.
type BrokerStatistics struct {
	Name        string  `json:"name"`   // host:port/id
	NodeID      int32   `json:"nodeid"` // -1 for a bootstrap server that is not known to be a broker
	NodeName    string  `json:"nodename"`
	Source      string  `json:"source"` // configured or learned
	State       string  `json:"state"`
	StateAge    int64   `json:"stateage"`     // microseconds
	OutbufCnt   int     `json:"outbuf_cnt"`   // requests that are not written
	WaitrespCnt int     `json:"waitresp_cnt"` // requests without their answer
	Tx          uint64  `json:"tx"`
	TxBytes     uint64  `json:"txbytes"`
	TxRetries   int64   `json:"txretries"` // batches that were sent again
	ReqTimeouts uint64  `json:"req_timeouts"`
	Rx          uint64  `json:"rx"`
	RxBytes     uint64  `json:"rxbytes"`
	Connects    uint64  `json:"connects"`
	Disconnects uint64  `json:"disconnects"`
	RTT         Average `json:"rtt"`      // microseconds
	Throttle    Average `json:"throttle"` // milliseconds
	TopparCnt   int     `json:"toppars_cnt"`
	LastError   string  `json:"last_error,omitempty"` // since the connection was usable
}

// An Average is what is known of a time that librdkafka has a window for: a moving average, and of how many.
type Average struct {
	Avg int64  `json:"avg"`
	Cnt uint64 `json:"cnt,omitempty"`
}

// TopicStatistics are those of one topic.
type TopicStatistics struct {
	Topic        string                         `json:"topic"`
	PartitionCnt int                            `json:"partition_cnt"` // 0 while unknown
	MsgqCnt      int                            `json:"msgq_cnt"`      // messages that wait to be sent
	XmitMsgqCnt  int                            `json:"xmit_msgq_cnt"` // messages on their way
	Stalled      bool                           `json:"stalled"`
	Partitions   map[string]PartitionStatistics `json:"partitions,omitempty"`
}

// PartitionStatistics are those of one partition.
type PartitionStatistics struct {
	Partition    int32  `json:"partition"`
	Broker       int32  `json:"broker"` // that leads it; -1 is none
	Leader       int32  `json:"leader"`
	State        string `json:"state"`         // open, leaderless, pausing, draining
	MsgqCnt      int    `json:"msgq_cnt"`      // messages that wait to be sent
	MsgqBytes    int    `json:"msgq_bytes"`    // of their batches, before compression
	MsgsInflight int    `json:"msgs_inflight"` // messages on their way
	TxMsgs       int64  `json:"txmsgs"`        // delivered
	TxBytes      int64  `json:"txbytes"`       // of their values
}

// mostStatistics bounds a line: syslog daemons cut at eight kilobytes by default.
const mostStatistics = 7 << 10

// SetCounters fills in the counters.
func (s *Statistics) SetCounters(c Snapshot) {
	s.TxMsgs, s.In, s.InBytes, s.Refused = c.Delivered, c.In, c.InBytes, c.Refused
	s.Failed, s.Dropped, s.Expired, s.Dead, s.Queued, s.OnDisk = c.GivenUp(), c.Dropped, c.Expired, c.Dead, c.InMemory(), c.OnDisk
	s.Failures = make(map[string]int64, len(c.Failures))
	for _, f := range c.Failures {
		s.Failures[strconv.Itoa(int(f.Code))] += f.Count
	}
}

// Line returns the statistics in one line of JSON that fits into a line of syslog: as many brokers as do, connected ones first, then
// topics, those with messages first, with their partitions where they fit too.
func (s Statistics) Line() string {
	brokers, topics := s.Brokers, s.Topics
	s.Brokers, s.Topics = make(map[string]BrokerStatistics), make(map[string]TopicStatistics)
	size := len(s.JSON()) + len(`,"topics_omitted":2147483647,"partitions_omitted":2147483647`)
	fits := func(v any) bool {
		text, err := json.Marshal(v)
		if err != nil || size+len(text) > mostStatistics {
			return false
		}
		size += len(text)
		return true
	}
	for _, up := range []bool{true, false} {
		for _, name := range slices.Sorted(maps.Keys(brokers)) {
			b := brokers[name]
			if (b.State == "UP") == up && size < mostStatistics/2 && fits(map[string]BrokerStatistics{name: b}) {
				s.Brokers[name] = b
			}
		}
	}
	for _, busy := range []bool{true, false} {
		for _, name := range slices.Sorted(maps.Keys(topics)) {
			t := topics[name]
			partitions := t.Partitions
			if (t.MsgqCnt+t.XmitMsgqCnt > 0) != busy {
				continue
			}
			t.Partitions = nil
			if !fits(map[string]TopicStatistics{name: t}) {
				s.TopicsOmitted++
				continue
			}
			if len(partitions) > 0 {
				if fits(map[string]any{"partitions": partitions}) {
					t.Partitions = partitions
				} else {
					s.PartitionsOmitted += len(partitions)
				}
			}
			s.Topics[name] = t
		}
	}
	return s.JSON()
}

// JSON returns all of the statistics in one line.
func (s *Statistics) JSON() string {
	text, err := json.Marshal(s)
	if err != nil {
		return "{}" // not reached: nothing in it can fail
	}
	return string(text)
}

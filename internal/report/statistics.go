package report

import (
	"encoding/json"
	"strconv"
	"time"
)

// Statistics are what a queue writes to the log each statistics.interval.ms.
//
// The names are librdkafka's where it has the same number, see its STATISTICS.md; of its more than a
// hundred they are those that this engine knows. queue, in, in_bytes, refused, failed, failures and
// topics_omitted are ours. Part of the interface.
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

	TxMsgs   int64            `json:"txmsgs"` // delivered
	In       int64            `json:"in"`     // accepted: txmsgs + failed + those still queued
	InBytes  int64            `json:"in_bytes"`
	Refused  int64            `json:"refused"` // calls answered with errno
	Failed   int64            `json:"failed"`
	Failures map[string]int64 `json:"failures"` // failed by code

	Topics        map[string]TopicStatistics `json:"topics"`
	TopicsOmitted int                        `json:"topics_omitted,omitempty"`
}

// TopicStatistics are those of one topic.
type TopicStatistics struct {
	Topic        string `json:"topic"`
	PartitionCnt int    `json:"partition_cnt"` // 0 while unknown
	MsgqCnt      int    `json:"msgq_cnt"`      // messages that wait because the topic is stalled
	XmitMsgqCnt  int    `json:"xmit_msgq_cnt"` // messages that the client has
	Stalled      bool   `json:"stalled"`
}

// mostStatistics bounds a line: syslog daemons cut at eight kilobytes by default.
const mostStatistics = 7 << 10

// SetTime fills in when the statistics were taken, of a queue that was opened at born.
func (s *Statistics) SetTime(now, born time.Time) {
	s.TS, s.Time, s.Age = now.UnixMicro(), now.Unix(), now.Sub(born).Microseconds()
}

// SetCounters fills in the counters.
func (s *Statistics) SetCounters(c Snapshot) {
	s.TxMsgs, s.In, s.InBytes, s.Refused, s.Failed = c.Delivered, c.In, c.InBytes, c.Refused, c.Failed
	s.Failures = make(map[string]int64, len(c.Failures))
	for _, f := range c.Failures {
		s.Failures[strconv.Itoa(int(f.Code))] = f.Count
	}
}

// JSON returns the statistics in one line of JSON. Topics that do not fit into a line of syslog are
// left out, those without messages first.
func (s Statistics) JSON(topics []Topic) string {
	s.Type, s.Topics = "producer", make(map[string]TopicStatistics)
	size := len(s.marshal()) + len(`,"topics_omitted":2147483647`)
	for _, busy := range []bool{true, false} {
		for _, t := range topics {
			if (t.InClient+t.Waiting > 0) != busy {
				continue
			}
			one := TopicStatistics{
				Topic: t.Name, PartitionCnt: t.Partitions, MsgqCnt: t.Waiting, XmitMsgqCnt: t.InClient, Stalled: t.Stalled,
			}
			text, err := json.Marshal(map[string]TopicStatistics{t.Name: one})
			if err != nil || size+len(text) > mostStatistics {
				s.TopicsOmitted++
				continue
			}
			size += len(text)
			s.Topics[t.Name] = one
		}
	}
	return string(s.marshal())
}

func (s *Statistics) marshal() []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return nil // not reached: nothing in it can fail
	}
	return text
}

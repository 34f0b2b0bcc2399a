package top

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// A metric is a line of the text format.
type metric struct {
	name   string
	labels map[string]string
	value  float64
}

// parseMetrics reads the text format of Prometheus as the plugin writes it: see report.Exposition.
func parseMetrics(text string) ([]metric, error) {
	var all []metric
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m, err := parseMetric(line)
		if err != nil {
			return nil, fmt.Errorf("it serves no metrics: %s", firstLine([]byte(line)))
		}
		all = append(all, m)
	}
	return all, nil
}

var errMetric = errors.New("not a metric")

func parseMetric(line string) (m metric, err error) {
	end := strings.IndexAny(line, "{ ")
	if end < 0 {
		return m, errMetric
	}
	m = metric{name: line[:end], labels: map[string]string{}}
	if line = line[end:]; line[0] == '{' {
		for line = line[1:]; !strings.HasPrefix(line, "}"); {
			name, rest, ok := strings.Cut(line, `="`)
			if !ok {
				return m, errMetric
			}
			if m.labels[name], line, ok = labelValue(rest); !ok {
				return m, errMetric
			}
			line = strings.TrimPrefix(line, ",")
		}
		line = line[1:]
	}
	fields := strings.Fields(line) // the value, and perhaps a time
	if len(fields) == 0 {
		return m, errMetric
	}
	m.value, err = strconv.ParseFloat(fields[0], 64)
	return m, err
}

// labelValue reads a value up to its closing quote, and returns what follows it. The escapes of the format are those of Go too.
func labelValue(s string) (value, rest string, ok bool) {
	quoted, err := strconv.QuotedPrefix(`"` + s)
	if err != nil {
		return "", "", false
	}
	value, err = strconv.Unquote(quoted)
	return value, s[len(quoted)-1:], err == nil
}

const prefix = "halon_kafka_"

// fillFromMetrics makes a sample of the plugin's metrics.
func fillFromMetrics(all []metric, s *Sample) error {
	at := make(map[string]int)
	ours := false
	stats := &report.Statistics{Brokers: map[string]report.BrokerStatistics{}, Topics: map[string]report.TopicStatistics{}}
	for _, m := range all {
		name, ok := strings.CutPrefix(m.name, prefix)
		if !ok {
			continue
		}
		ours = true
		switch name {
		case "start_time_seconds":
			s.Started = time.UnixMilli(int64(m.value * 1000))
		case "build_info":
			s.Version = m.labels["version"]
		}
		id, ok := m.labels["queue"]
		if !ok {
			continue
		}
		i, ok := at[id]
		if !ok {
			i = len(s.Queues)
			at[id], s.Queues = i, append(s.Queues, Queue{ID: id, Storage: "memory"})
		}
		s.Queues[i].take(name, m)
		if id == s.Detail {
			takeStats(stats, name, m)
			s.Stats = stats
		}
	}
	if !ours {
		return fmt.Errorf("it serves no metric whose name begins with %s: another program, or an older plugin", prefix)
	}
	if slices.ContainsFunc(s.Queues, func(q Queue) bool { return q.State == "" }) {
		return fmt.Errorf("it serves no %squeue_state: the plugin is older than this program", prefix)
	}
	return nil
}

// take notes one metric of a queue.
func (q *Queue) take(name string, m metric) {
	for series, to := range map[string]*int64{
		"accepted_messages_total": &q.In, "delivered_messages_total": &q.Delivered, "queued_messages": &q.Queued, "on_disk_messages": &q.OnDisk,
		"in_flight_messages": &q.InFlight, "refused_calls_total": &q.Refused, "parked_calls": &q.Parked, "queue_limit_messages": &q.LimitMessages,
		"queue_limit_bytes": &q.LimitBytes, "spool_bytes": &q.SpoolBytes, "spool_limit_bytes": &q.SpoolLimit, "dead_letter_pending_messages": &q.DeadPending,
	} {
		if series == name {
			*to = int64(m.value)
		}
	}
	switch name {
	case "failed_messages_total":
		to := map[string]*int64{"failed": &q.Failed, "dropped": &q.Dropped, "expired": &q.Expired, "dead": &q.Dead}[m.labels["fate"]]
		if to != nil {
			*to += int64(m.value)
		}
	case "oldest_message_age_seconds":
		q.OldestAge = m.value
	case "queue_state":
		if m.value == 1 {
			q.State = m.labels["state"]
		}
	case "queue_state_timestamp_seconds":
		q.Since = time.UnixMilli(int64(m.value * 1000))
	case "queue_problem":
		if m.value == 1 {
			q.Problems = append(q.Problems, report.StatusProblem{Kind: m.labels["reason"]})
			q.Paused = q.Paused || m.labels["reason"] == report.Paused.String()
		}
	case "spool_pending_messages":
		q.Storage = "spool"
	}
}

// takeStats notes one metric of a broker or a topic.
func takeStats(s *report.Statistics, name string, m metric) {
	if broker, ok := m.labels["broker"]; ok {
		b := s.Brokers[broker]
		switch b.Name = broker; name {
		case "broker_up":
			if b.State = "down"; m.value == 1 {
				b.State = "UP"
			}
		case "broker_rtt_seconds":
			b.RTT.Avg = int64(m.value * 1e6)
		case "broker_in_flight_requests":
			b.WaitrespCnt = int(m.value)
		case "broker_requests_total":
			b.Tx = uint64(m.value)
		case "broker_timeouts_total":
			b.ReqTimeouts = uint64(m.value)
		case "broker_disconnects_total":
			b.Disconnects = uint64(m.value)
		}
		s.Brokers[broker] = b
	}
	if topic, ok := m.labels["topic"]; ok {
		t := s.Topics[topic]
		switch t.Topic = topic; name {
		case "topic_partitions":
			t.PartitionCnt = int(m.value)
		case "topic_client_messages":
			t.XmitMsgqCnt = int(m.value)
		case "topic_waiting_messages":
			t.MsgqCnt = int(m.value)
		case "topic_stalled":
			t.Stalled = m.value == 1
		}
		s.Topics[topic] = t
	}
}

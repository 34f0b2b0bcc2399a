package producer

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
)

// startStatistics writes the queue's statistics to log each statistics.interval.ms, from a goroutine
// that ends at Stop. No interval, no log, and log levels that leave out information start nothing.
//
// Compat: statistics.interval.ms. The original registers no callback for them, and librdkafka then
// writes nothing.
func (p *Producer) startStatistics(log *slog.Logger) {
	every := p.set.StatisticsInterval
	if every <= 0 || log == nil || p.set.Silent || p.set.LogLevel < logsink.Info {
		return
	}
	born := time.Now()
	say := newClientLog(p.life, log, p.set)
	p.goroutines.Go(func() {
		p.guard("the writer of statistics", func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					say.say(logsink.Info, "STATS", "", p.statistics(born))
				case <-p.life.Done():
					return
				}
			}
		})
	})
}

// statistics returns one line of JSON.
func (p *Producer) statistics(born time.Time) string {
	ctx, cancel := context.WithTimeout(p.life, statisticsTime)
	defer cancel()
	s, _ := p.Statistics(ctx) // without partitions where the sender is busy
	s.Age = time.Since(born).Microseconds()
	return s.Line()
}

// statisticsTime bounds the wait for the sender, who alone knows the partitions.
const statisticsTime = 2 * time.Second

// Statistics returns the numbers of the queue, its brokers, topics and partitions. It waits for the sender as long as ctx lasts; on an
// error the topics are without their partitions.
func (p *Producer) Statistics(ctx context.Context) (report.Statistics, error) {
	now := time.Now()
	s := report.Statistics{
		Name: p.set.Name, ClientID: p.set.ClientID, Type: "producer", Queue: p.id,
		TS: now.UnixMicro(), Time: now.Unix(), Age: time.Since(p.began).Microseconds(),
		MsgMax: int64(p.set.QueueMaxMessages), MsgSizeMax: p.set.QueueMaxBytes,
	}
	p.mu.Lock()
	p.takeIntakeLocked()
	s.MsgCnt, s.MsgSize = p.taken-p.released.Count.Load(), p.ledger.HeldBytes()
	p.mu.Unlock()
	s.SetCounters(p.Snapshot())
	s.Topics = make(map[string]report.TopicStatistics)
	for _, t := range p.Topics() {
		s.Topics[t.Name] = report.TopicStatistics{Topic: t.Name, PartitionCnt: t.Partitions, MsgqCnt: t.Waiting, XmitMsgqCnt: t.InClient, Stalled: t.Stalled}
	}
	s.MetadataCacheCnt = len(s.Topics)
	type seen struct {
		topics  map[string]map[string]report.PartitionStatistics
		retries map[int32]int64
		toppars map[int32]int
	}
	got, err := ask(ctx, p, func() seen {
		one := seen{make(map[string]map[string]report.PartitionStatistics), make(map[int32]int64), make(map[int32]int)}
		p.mu.Lock()
		topics := slices.Collect(maps.Values(p.topics))
		p.mu.Unlock()
		for _, t := range topics {
			one.topics[t.name] = t.send.statistics(one.toppars)
		}
		for id, b := range p.sender.brokers {
			one.retries[id] = b.retries
		}
		return one
	})
	if err == nil {
		for name, t := range s.Topics {
			t.Partitions = got.topics[name]
			s.Topics[name] = t
		}
	}
	s.Brokers = make(map[string]report.BrokerStatistics)
	for _, one := range p.Brokers() {
		one.TxRetries, one.TopparCnt = got.retries[one.NodeID], got.toppars[one.NodeID]
		s.Brokers[one.Name] = one
		s.Tx, s.TxBytes, s.Rx, s.RxBytes = s.Tx+one.Tx, s.TxBytes+one.TxBytes, s.Rx+one.Rx, s.RxBytes+one.RxBytes
	}
	return s, err
}

// Brokers returns the numbers of the connections, without what only the sender knows.
func (p *Producer) Brokers() []report.BrokerStatistics {
	now := time.Now()
	var all []report.BrokerStatistics
	for _, b := range p.client.Brokers() {
		all = append(all, brokerStatistics(&b, now))
	}
	return all
}

func brokerStatistics(b *client.BrokerStatus, now time.Time) report.BrokerStatistics {
	one := report.BrokerStatistics{
		NodeID: b.ID, NodeName: b.Address, Source: "learned", State: b.State.String(), StateAge: now.Sub(b.Since).Microseconds(),
		OutbufCnt: b.Waiting, WaitrespCnt: b.InFlight, Tx: b.Requests, TxBytes: b.TxBytes, Rx: b.Answers, RxBytes: b.RxBytes,
		ReqTimeouts: b.Timeouts, Connects: b.Connects, Disconnects: b.Disconnects, LastError: b.LastError,
		RTT: report.Average{Avg: b.RTT.Microseconds(), Cnt: b.Answers}, Throttle: report.Average{Avg: b.Throttle.Milliseconds()},
	}
	one.Name = fmt.Sprintf("%s/%d", b.Address, b.ID)
	if b.ID < 0 {
		one.Name, one.Source = b.Address+"/bootstrap", "configured"
	}
	return one
}

// statistics returns the numbers of the partitions, and adds to toppars how many each broker leads. The sender runs it.
func (s *sending) statistics(toppars map[int32]int) map[string]report.PartitionStatistics {
	all := make(map[string]report.PartitionStatistics, len(s.partitions))
	for _, part := range s.partitions {
		one := report.PartitionStatistics{
			Partition: part.id, Broker: part.leader, Leader: part.leader, State: part.state.String(),
			TxMsgs: part.sent, TxBytes: part.sentBytes,
		}
		for _, b := range part.waiting {
			one.MsgqCnt += b.unreported()
			one.MsgqBytes += b.bytes()
		}
		for _, b := range part.inFlight {
			one.MsgsInflight += b.unreported()
		}
		if part.leader >= 0 {
			toppars[part.leader]++
		}
		all[strconv.Itoa(int(part.id))] = one
	}
	return all
}

// String returns a word for the state.
func (s partitionState) String() string {
	return [...]string{"leaderless", "open", "pausing", "draining", "removed"}[s]
}

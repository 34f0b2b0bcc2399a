package producer

import (
	"log/slog"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// startStatistics writes the queue's statistics to log each statistics.interval.ms, from a goroutine
// that ends at Stop. No interval, no log, and log levels that leave out information start nothing.
//
// Compat: statistics.interval.ms. The original registers no callback for them, and librdkafka then
// writes nothing.
func (p *Producer) startStatistics(log *slog.Logger) {
	every := p.set.StatisticsInterval
	if every <= 0 || log == nil || p.set.Silent || p.set.LogLevel < priorityInfo {
		return
	}
	born := time.Now()
	say := newClientLog(p.life, log, p.set)
	p.helpers.Go(func() {
		p.guard("the writer of statistics", func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					say.say(priorityInfo, "STATS", "", p.statistics(born))
				case <-p.life.Done():
					return
				}
			}
		})
	})
}

// statistics returns one line of JSON.
func (p *Producer) statistics(born time.Time) string {
	s := report.Statistics{
		Name: p.set.Name, ClientID: p.set.ClientID, Queue: p.id,
		MsgMax: int64(p.set.QueueMaxMessages), MsgSizeMax: p.set.QueueMaxBytes,
	}
	p.mu.Lock()
	p.drainIntake()
	s.MsgCnt, s.MsgSize = p.taken-p.settled.Count.Load(), p.ledger.HeldBytes()
	p.mu.Unlock()
	s.SetCounters(p.Snapshot())
	s.SetTime(time.Now(), born)
	return s.JSON(p.Topics())
}

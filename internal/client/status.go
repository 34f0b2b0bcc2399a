package client

import (
	"cmp"
	"slices"
	"time"
)

// brokerStats are counters of a broker, guarded by Client.mu.
type brokerStats struct {
	connects, disconnects, requests, txBytes, answers, rxBytes, timeouts uint64

	rtt, throttle time.Duration
}

// took notes how long an answer took. The average moves by an eighth, as TCP's does.
func (s *brokerStats) took(d time.Duration) {
	if s.rtt == 0 {
		s.rtt = d
		return
	}
	s.rtt += (d - s.rtt) / 8
}

// Brokers returns where the connections stand: to brokers that were ever used, and to bootstrap
// servers, by id and address. The caller owns the slice.
func (c *Client) Brokers() []BrokerStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]BrokerStatus, 0, len(c.brokers))
	for _, b := range c.brokers {
		s := BrokerStatus{
			ID: -1, Address: b.address, State: b.state, Since: b.since, Waiting: len(b.queue),
			RTT: b.stats.rtt, Throttle: b.stats.throttle,
			Connects: b.stats.connects, Disconnects: b.stats.disconnects,
			Requests: b.stats.requests, TxBytes: b.stats.txBytes,
			Answers: b.stats.answers, RxBytes: b.stats.rxBytes, Timeouts: b.stats.timeouts,
		}
		if b.conn != nil {
			s.InFlight = len(b.conn.open)
		}
		if b.last != nil {
			s.LastError, s.Lost = b.last.Error(), b.lost
		}
		if len(b.ids) > 0 {
			s.ID = b.ids[0]
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b BrokerStatus) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Address, b.Address))
	})
	return all
}

package client

import (
	"cmp"
	"slices"
	"time"
)

// Counters are what is counted of the connections to one broker.
type Counters struct {
	Throttle time.Duration // the last pause that the broker asked for
	RTT      time.Duration // of produce and other requests, a moving average; 0 before the first answer

	Connects, Disconnects uint64
	Requests, TxBytes     uint64
	Answers, RxBytes      uint64
	Timeouts              uint64
}

// took notes how long an answer took. The average moves by an eighth, as TCP's does.
func (s *Counters) took(d time.Duration) {
	if s.RTT == 0 {
		s.RTT = d
		return
	}
	s.RTT += (d - s.RTT) / 8
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
			Counters: b.stats,
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

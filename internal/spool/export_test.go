package spool

import "time"

// Eagerly makes the keeper write the position after every acknowledgement and append.
func Eagerly(o Options) Options {
	o.pace = pace{acks: 1, every: time.Millisecond, bytes: 1}
	return o
}

package conf

import "time"

// Settings is a finished configuration.
type Settings struct {
	PartitionerName string
	StickyLinger    time.Duration
}

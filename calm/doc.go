// Package calm is the proof that the plugin never blocks the host: it measures how long the longest call holds a thread of
// the host while Kafka is silent, gone, unknown or behind a slow DNS, while the plugin stops or loads another configuration, and with ten thousand scripts
// parked; and with it the bound on memory, that topics which make progress are not disturbed, and what an outage costs.
//
// It holds tests only, and the programs in C that make a DNS server slow and that prove the measurement. `make calm` runs it:
//
//	CALM_BUILD      folder with kafka.so, driver, blackhole and the rest; without it the tests are skipped
//	CALM_SECONDS    length of each state (2)
//	CALM_LIMIT_US   how long a call may be held (1000). A slow machine for continuous integration may want more; the
//	                output then says so
//
// It promises nothing of throughput: that is the bench.
package calm

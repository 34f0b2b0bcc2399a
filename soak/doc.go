// Command soak runs kafka.so for a long time and judges whether it holds: nothing lost, order kept, and memory, threads,
// descriptors, goroutines and disk flat.
//
// There are three processes: this one, with the embedded broker, the ledger and the samples; and two hosts, which are this program
// again. One has a queue in memory, the other a durable one. Each produces half of the rate. The run is divided into periods, and
// each has an outage in its middle: the broker's listener and all connections are closed.
//
//	first period    during the outage the host with the durable queue is killed with SIGKILL and started again
//	each period     the running configuration is reloaded four times in both hosts, once of it during the outage: each reload changes
//	                a property of the queue, and adds or removes a second queue, to which one worker produces whenever it is there
//	at the end      both hosts shut down normally
//
// The rules, and the exit status is 1 when one is broken:
//
//	lost            every message that was accepted has reached the broker; a kill takes nothing from the durable queue
//	order           of each worker, the first deliveries are in the order of production; not of a queue in memory that a reload changes,
//	                for 15 seconds
//	changed         the broker gets nothing that no worker produced
//	flat            in each period after the first, the highest and the median sample of each series are at most those of the
//	                second period, with a tenth and a fixed allowance (judge.go). It takes three periods of a minute at least;
//	                a shorter run says NOT JUDGED
//
// Duplicates are counted, not judged: e2e/kill9 bounds those.
//
// The samples are written to soak.tsv, one line a host every few seconds, and gnuplot draws them (soak.gp).
package main

// Command kill9 proves on a real process and a real disk what a durable queue promises: it starts a host, lets it
// produce, kills it with SIGKILL, and starts it again on the same spool, many times.
//
// There are three processes: this one, which has the embedded broker and the journal and survives; the host, which is
// this program again; and between them the folder on disk. The host tells on its standard output what was
// answered, in one write before it goes on, so that a kill cannot take back an answer that a script has.
//
//	-host=plugin   kafka.so in the stand-in host: scripts call kafka_producer on a queue with a durable spool
//	-host=spool    package spool alone, with the pipe in the place of Kafka
//
// Half of the kills come at a random moment, also while the host starts; the others at a named point of the spool, such
// as between the write of a batch and its sync. What must hold in the end, after a last life that only sends what is left:
//
//	lost         every record that was answered with [] is on the topic
//	order        of each key, the first occurrences are in the order in which they were produced
//	invented     nothing is on the topic that nobody produced, and no byte of a record has changed
//	duplicates   a record is delivered twice only when a kill found it on the topic and not yet acknowledged in the spool's
//	             position: the bound is the number of those, over all kills
//
// It ends with one line, and with status 1 when one of them does not hold:
//
//	kill9: 200 kills, 123456 acknowledged, 0 lost, 789 duplicates (bound 1234), order kept
//
// -once is for a queue that delivers each message once: no duplicate is allowed, and the Kafka is a real one that is killed, restarted, forgets
// producers and swallows answers, then three brokers whose leaders move. It fails where a named point or a trouble was never met, and ends with
// the same without idempotence.
//
// The files: journal.go has the rules, run.go the lives, child.go a life as this process sees it, host.go as the
// host does, host_spool.go and host_plugin.go the two hosts, broker.go and topic.go the Kafka side; once.go,
// proxy.go, three.go and tally.go are for -once.
package main

// Package realkafka runs one real Apache Kafka broker for tests.
//
// It promises a broker and controller in one process (KRaft), from the jars that e2e/kafka/pom.xml
// pins, on the machine's own Java, on loopback ports that no other broker has, with its data in a
// folder of its own. The broker can hang ([Broker.Pause]), die ([Broker.Kill]), shut down normally
// ([Broker.Stop]) and come back on the same ports with the same data ([Broker.Start]). The process
// never outlives the test process, not even one that was killed.
//
// It refuses to guess: where Java 17 or Maven is missing, [Start] returns an error that
// wraps [ErrUnavailable] and says what to install. [Require] turns that into a loud skip on a
// developer's machine and into a failure where CI=true, so that a run without Kafka never passes
// for a run with it.
//
// It is for tests only: nothing that ships imports it. It lives in internal, and not beside the
// scripts of e2e, because the queue's own tests and the benchmarks start the same broker.
// A Broker belongs to one test or one TestMain; its methods may be called from any goroutine.
//
// The files: broker.go has the states of a broker, jars.go what it needs from the machine,
// properties.go its configuration, process.go the child process, ready.go the wait for an answer.
package realkafka

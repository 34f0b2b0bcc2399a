// Package e2e runs the scripts of testdata/script: what a user sees of the plugin, from an HSL script and a
// configuration file to the records on a broker.
//
// One scenario is one txtar file, and its first line is a sentence that an operator understands. The same
// files run on two brokers: E2E_BROKER=embedded (the default) is franz-go's kfake inside the test program, and
// E2E_BROKER=kafka is a real Apache Kafka. A line that holds on one of them only is marked with the condition
// [embedded] or [kafka] and says why.
//
// Beside testscript's own commands a script has
//
//	kafka start [topic=NAME]... [partitions=N] [create=auto] [produce=hang|ok]
//	                  a broker with these topics; its HOST:PORT is in $BROKER. After `kafka stop` it is the
//	                  same broker, with its data, on the same address
//	                  With create=auto a topic that a producer asks for is created
//	kafka stop        the broker shuts down normally, and its address refuses connections
//	kafka hang        it takes connections and bytes and answers nothing
//	kafka resume      it goes on with what reached it in the meantime
//	kafka cut         every connection breaks at once; new ones are taken
//	kafka storm       connections break at random moments, many times a second, until `kafka calm`
//	records TOPIC COUNT [FILE]
//	                  waits until TOPIC holds exactly COUNT records, and with FILE compares them with its JSON
//	                  lines: partition by partition, without offsets and timestamps
//	records -distinct TOPIC COUNT
//	                  the same with records that repeat another not counted: where Kafka promises no more
//	await FILE REGEXP waits until FILE has a line like that: how a script follows `exec ... >FILE &`
//	within SECONDS REGEXP PROGRAM ARGUMENT...
//	                  runs a program again and again until a line of its output is like that
//	tmpfs FOLDER SIZE a disk of its own
//	address NAME      sets a variable to an address that nobody listens at
//	terminal ...      a program in a terminal: see terminal_test.go
//
// and three programs on its path: hslrun, which loads the kafka.so under test, halon-kafka, and `exits N PROGRAM ...`,
// which succeeds when the program's exit status is N. KAFKA_SO and HSLRUN name built files; without them the tests
// build both.
package e2e

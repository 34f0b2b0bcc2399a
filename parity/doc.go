// Package parity holds kafka.so against librdkafka: the same calls go through kafka.so and through bench/baseline, a thin plugin
// over librdkafka 2.15.0, in the same stand-in host, against brokers that follow the same script.
//
// What is compared is what people see: the answer of each call, the delivery reports with their counts, whether the plugin
// starts and with which words it refuses to, its warnings about a configuration, and what reached the broker. Every difference that
// stays is a row of differences.tsv with its reason. A difference without a row fails the tests, and so does a row without a
// difference; docs/compatibility.md shows the rows.
//
// A scenario runs twice, with calls that have headers and with calls that have none, each in two processes (parity/runner)
// and each against a cluster of its own, on the loopback. What would differ from run to run in librdkafka itself (which partition
// a message without a key gets, how many requests a batch takes) is not compared.
//
// Beside the scenarios stands a table of generated keys, certificates, stores and TLS servers (certs_test.go): what librdkafka makes of each
// (parity/verdict) must become of it here too. openssl and keytool make them.
//
// The tests need librdkafka, which comes inside a Go module. Where it can't be had they are skipped with a line that says so, and fail
// if CI=true. KAFKA_SO, BASELINE_SO and PARITY_RUNNER name built files; without them the tests build what is missing.
package parity

// Package conf speaks librdkafka's configuration language, as of version 2.15.0, to the letter.
//
// One table ([Properties]) holds what there is to know about each property; parsing, range checks,
// error texts, warnings and docs/configuration.md are made from it and nothing repeats it. A queue's
// configuration takes three steps, each of which reads its input and changes nothing else:
//
//	[Conf.Set]        name and text, one by one   as rd_kafka_conf_set
//	[Conf.Finalize]   the whole, checked           as rd_kafka_new
//	[Settings]        Go's types                    for the producer and its connections
//
// The package promises librdkafka's verdicts and words, and that a value it accepted is either
// honoured, or listed in the manual with the reason why it is not. It refuses nothing that
// librdkafka accepts, but for what cannot work without librdkafka in the process. Secrets are never
// put into an error or a warning.
//
// It knows no producer and logs nothing: warnings are returned. Finalize reads the files that
// properties name, and connections and logins look whether they have changed; nothing here touches
// the network before a [Dialer] connects. Conf is for one goroutine; Settings are immutable and may be shared.
package conf

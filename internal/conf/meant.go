package conf

import (
	"strings"

	"github.com/halon-extras/kafka/internal/nearest"
)

// javaNames are properties of the Java producer that librdkafka does not know, and what stands for them here: the name of
// a property, or a sentence where none does.
var javaNames = map[string]string{
	"max.request.size":                          "message.max.bytes",
	"buffer.memory":                             "queue.buffering.max.kbytes",
	"send.buffer.bytes":                         "socket.send.buffer.bytes",
	"receive.buffer.bytes":                      "socket.receive.buffer.bytes",
	"compression.gzip.level":                    "compression.level",
	"compression.lz4.level":                     "compression.level",
	"compression.zstd.level":                    "compression.level",
	"partitioner.class":                         "partitioner",
	"ssl.keystore.certificate.chain":            "ssl.certificate.pem",
	"ssl.keystore.key":                          "ssl.key.pem",
	"ssl.truststore.certificates":               "ssl.ca.pem",
	"ssl.truststore.password":                   "ssl.ca.location",
	"ssl.truststore.type":                       "ssl.ca.location",
	"ssl.provider":                              "ssl.providers",
	"socket.connection.setup.timeout.max.ms":    "socket.connection.setup.timeout.ms",
	"sasl.oauthbearer.client.credentials.scope": "sasl.oauthbearer.scope",
	"metadata.max.idle.ms":                      "metadata.max.age.ms",
	"sasl.login.callback.handler.class":         "sasl.oauthbearer.method",
	"sasl.kerberos.min.time.before.relogin.ms":  "sasl.kerberos.min.time.before.relogin",

	"max.block.ms":                             "a call does not wait unless its seventh argument says so",
	"key.serializer":                           "keys are sent as they are",
	"value.serializer":                         "values are sent as they are",
	"ssl.keystore.type":                        "ssl.keystore.location takes PKCS#12 only",
	"ssl.enabled.protocols":                    "TLS 1.2 and 1.3 are always on",
	"ssl.protocol":                             "TLS 1.2 and 1.3 are always on",
	"partitioner.ignore.keys":                  "partitioner chooses what keys do",
	"partitioner.adaptive.partitioning.enable": "partitioner chooses what keys do",
	"partitioner.availability.timeout.ms":      "partitioner chooses what keys do",
	"interceptor.classes":                      "Java's classes cannot be loaded here",
	"metric.reporters":                         "Java's classes cannot be loaded here",
	"sasl.client.callback.handler.class":       "Java's classes cannot be loaded here",
	"metrics.num.samples":                      "statistics.interval.ms writes statistics to the log",
	"metrics.recording.level":                  "statistics.interval.ms writes statistics to the log",
	"metrics.sample.window.ms":                 "statistics.interval.ms writes statistics to the log",
}

// Meant says what a name that is no property may stand for: a slip, or a name of the Java client. It returns "" where it
// does not know.
func Meant(name string) string {
	if here, ok := javaNames[strings.TrimPrefix(strings.TrimSpace(name), topicPrefix)]; ok {
		if _, property := Lookup(here); property {
			return "that is a name of the Java client, here it is " + here
		}
		return "that is a name of the Java client: " + here
	}
	if names := nearest.Names(name, settable()); names != nil {
		return "is " + strings.Join(names, " or ") + " meant?"
	}
	return ""
}

// settable returns the names of all properties that can be set.
func settable() []string {
	var names []string
	for i := range properties {
		if p := &properties[i]; p.Kind != Pointer && p.Kind != Internal {
			names = append(names, p.SettableName())
		}
	}
	return names
}

package parity

import (
	"strings"

	"github.com/halon-extras/kafka/parity/play"
)

// settingScenarios: configurations that are refused, warned about, or accepted and then of no use to any message.
func settingScenarios() []scenario {
	good := script{topics: topic(1, "t")}
	list := []scenario{
		{
			name:   "transactional.id",
			config: []string{"transactional.id=x"},
			script: good,
			steps:  twice(message("t", "v")),
		},
		{
			name:   "transactional.id, and a message too large",
			config: []string{"transactional.id=x"},
			script: good,
			steps:  twice(sized("t", 2000000)),
		},
		{
			name:     "linger.ms above message.timeout.ms",
			config:   []string{"linger.ms=400000"},
			script:   good,
			steps:    append(twice(message("t", "v")), call("another topic", message("u", "v"))),
			warnings: true,
		},
	}
	for _, config := range []string{
		"nonsense=1",
		"linger.ms=-1",
		"linger.ms=x",
		"acks=1001",
		"acks=",
		"enable.idempotence=yes",
		"compression.codec=brotli",
		"partitioner=Random",
		"message.max.bytes=999",
		"retries=-1",
		"queue.buffering.max.kbytes=0",
		"security.protocol=tls",
		"debug=broker,nonsense",
		"ssl.ca=x",
		"dr_msg_cb=x",
		"sasl.jaas.config=x",
		"topic.linger.ms=1",
		"linger.ms=400000 message.timeout.ms=300000",
		"enable.idempotence=true acks=1",
		"enable.idempotence=true retries=0",
		"enable.idempotence=true max.in.flight=6",
		"enable.gapless.guarantee=true",
		"transactional.id=x enable.idempotence=false",
		"reconnect.backoff.ms=100 reconnect.backoff.max.ms=50",
		"security.protocol=sasl_plaintext sasl.mechanism=PLAIN",
		"security.protocol=sasl_plaintext sasl.mechanism=plain",
		"ssl.keystore.location=/nowhere",
		"security.protocol=ssl ssl.ca.location=/nowhere/ca.pem",
	} {
		list = append(list, scenario{
			name: "refused: " + config, config: strings.Fields(config), script: script{absent: true}, plain: true,
		})
	}
	for _, config := range []string{
		"group.id=g",
		"auto.offset.reset=earliest enable.auto.commit=false",
		"metadata.request.timeout.ms=10",
		"enable.gapless.guarantee=true enable.idempotence=true",
		"sasl.mechanism=PLAIN",
		"sasl.username=me",
		"retry.backoff.ms=5000",
		"topic.metadata.refresh.fast.interval.ms=5000",
		"bootstrap.servers=",
		"log.thread.name=false group.id=g",
		"log_level=3 group.id=g",
		"client.id=mta group.id=g",
	} {
		list = append(list, scenario{
			name: "warned about: " + config, config: strings.Fields(config), script: script{absent: true},
			steps: []play.Step{command("unknown queue", "dump", "nobody")}, warnings: true, plain: true,
		})
	}
	return list
}

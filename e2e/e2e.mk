# Included from the top Makefile, which sets BUILD and GO.

E2E_ENV = KAFKA_SO=$(abspath $(BUILD)/kafka.so) HSLRUN=$(abspath $(BUILD)/hslrun)

.PHONY: e2e test-kafka kafka-jars

e2e: build ## the scripts of e2e/testdata on the embedded broker
	$(E2E_ENV) E2E_BROKER=embedded $(GO) test -count=1 ./e2e

test-kafka: build ## the same scripts, and what else needs one, on a real Apache Kafka (Java 17 and Maven)
	KAFKA_E2E=1 $(GO) test -count=1 ./internal/realkafka ./internal/operator
	$(E2E_ENV) E2E_BROKER=kafka $(GO) test -count=1 -timeout 20m ./e2e

# internal/realkafka resolves the jars itself when they are missing; this is for a machine that goes offline.
kafka-jars:
	KAFKA_E2E=1 $(GO) test -count=1 -run TestBrokerMisuse ./internal/realkafka

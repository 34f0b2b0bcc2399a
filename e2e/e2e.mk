# Included from the top Makefile, which sets BUILD and GO.

# The paths are made by the shell: make takes a path with a space for two.
E2E_ENV = KAFKA_SO="$$(realpath $(BUILD)/kafka.so)" HSLRUN="$$(realpath $(BUILD)/hslrun)"

.PHONY: e2e e2e-numbers test-kafka kafka-jars

e2e: build ## the scripts of e2e/testdata on the embedded broker
	$(E2E_ENV) E2E_BROKER=embedded $(GO) test -count=1 ./e2e

# The numbers in Halon's header are not public. A plugin and a host that agree on quite other ones must do the same,
# or one of ours has leaked into the code.
NUMBERS = CGO_CFLAGS="-O2 -g -DHALONMTA_STANDIN_ALT_NUMBERS" $(GO) build
e2e-numbers: build ## the same scripts on a plugin and a host built on a header with other numbers
	$(NUMBERS) -buildmode=c-shared -o $(BUILD)/numbers/kafka.so ./cmd/kafka
	$(NUMBERS) -o $(BUILD)/numbers/hslrun ./cmd/hslrun
	@# They differ for certain: the host with other numbers refuses the usual plugin.
	echo 'echo 1;' | $(BUILD)/numbers/hslrun --plugin-path $(BUILD)/kafka.so -; test $$? = 3
	KAFKA_SO="$$(realpath $(BUILD)/numbers/kafka.so)" HSLRUN="$$(realpath $(BUILD)/numbers/hslrun)" E2E_BROKER=embedded $(GO) test -count=1 ./e2e

test-kafka: build ## the same scripts, and what else needs one, on a real Apache Kafka (Java 17 or newer, Maven and pip)
	@GO='$(GO)' BUILD='$(BUILD)' e2e/test-kafka

# internal/realkafka resolves the jars itself when they are missing; this is for a machine that goes offline.
kafka-jars:
	KAFKA_E2E=1 $(GO) test -count=1 -run TestBrokerMisuse ./internal/realkafka

.PHONY: once
# 200 kills are about half an hour. Without Java, or without Maven the first time, nothing is tested: exit status 3.
once: $(BUILD)/kill9/kafka.so $(BUILD)/kill9/kill9 ## N (200) kills of a durable queue with idempotence on a real Apache Kafka that has every trouble, and N/5 on three brokers: nothing lost, nothing twice
	@e2e/once $(BUILD)/kill9/kill9 -once -n $(or $(N),200) -plugin $(BUILD)/kill9/kafka.so

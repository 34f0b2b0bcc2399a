# Included from the top Makefile, which sets BUILD and GO.

PARITY_ENV = KAFKA_SO="$$(realpath $(BUILD)/kafka.so)" BASELINE_SO="$$(realpath $(BUILD)/baseline.so)" PARITY_RUNNER="$$(realpath $(BUILD)/parity-runner)"

.PHONY: parity
parity: $(BUILD)/kafka.so $(BUILD)/baseline.so $(BUILD)/parity-runner ## the same calls through kafka.so and librdkafka, compared: about a minute
	$(PARITY_ENV) $(GO) test -count=1 ./parity/...

$(BUILD)/parity-runner: FORCE
	@mkdir -p $(BUILD)
	$(GO) build -o $@ ./parity/runner

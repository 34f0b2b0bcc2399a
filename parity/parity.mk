# Included from the top Makefile, which sets BUILD and GO.

PARITY_ENV = KAFKA_SO="$$(realpath $(BUILD)/kafka.so)" BASELINE_SO="$$(realpath $(BUILD)/baseline.so)" PARITY_RUNNER="$$(realpath $(BUILD)/parity-runner)" PARITY_VERDICT="$$(realpath $(BUILD)/verdict)"

.PHONY: parity
parity: $(BUILD)/kafka.so $(BUILD)/baseline.so $(BUILD)/parity-runner $(BUILD)/verdict ## the same calls through kafka.so and librdkafka, compared: about a minute
	$(PARITY_ENV) $(GO) test -count=1 ./parity/...

$(BUILD)/parity-runner: FORCE
	@mkdir -p $(BUILD)
	$(GO) build -o $@ ./parity/runner

# The archive of librdkafka and its header, as the baseline plugin has them (bench/bench.mk).
$(BUILD)/verdict: $(wildcard parity/verdict/*.c) bench/baseline/go.mod bench/baseline/go.sum
	@mkdir -p $(BUILD)
	dir=$$(cd bench/baseline && $(GO) mod download -json $(RDKAFKA) | sed -n 's/^.*"Dir": "\(.*\)".*$$/\1/p')/kafka/librdkafka_vendor && \
	$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -isystem "$$dir" -o $@ $(filter %.c,$^) "$$dir/librdkafka_glibc_linux_$$($(GO) env GOARCH).a" -pthread -lm -ldl -lrt

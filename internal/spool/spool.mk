# Included from the top Makefile, which sets GO and BUILD.

# About 1,000 crashes a second on two cores.
N_CRASHES = $(or $(N),20000)

.PHONY: crash

crash: ## N (20000) random crashes of a disk that forgets, tears and fails; and one crash or fault at every call
	@out=$$($(GO) test -count=1 -v -timeout 24h -run '^TestCrashAtRandom$$|^TestCrashAtEveryCall$$' ./internal/spool -crashes=$(N_CRASHES)) \
		|| { echo "$$out"; exit 1; }; echo "$$out" | sed -n 's/^ *crash_test.go:[0-9]*: //p'

N_KILLS = $(or $(N),200)

.PHONY: kill9 kill9-spool kill9-kafka

kill9: $(BUILD)/kill9/kafka.so $(BUILD)/kill9/kill9 ## N (200) times kill -9 of a host with kafka.so and a durable queue, at random and at named moments
	$(BUILD)/kill9/kill9 -n $(N_KILLS) -plugin $(BUILD)/kill9/kafka.so

kill9-spool: $(BUILD)/kill9/kill9 ## the same for the spool alone
	$(BUILD)/kill9/kill9 -n $(N_KILLS) -host spool

kill9-kafka: $(BUILD)/kill9/kafka.so $(BUILD)/kill9/kill9 ## N (20) times on a real Apache Kafka, which is killed and started again meanwhile
	$(BUILD)/kill9/kill9 -n $(or $(N),20) -plugin $(BUILD)/kill9/kafka.so -broker kafka

# The plugin that can be killed at a point: it must never be delivered.
$(BUILD)/kill9/kafka.so: FORCE
	@mkdir -p $(@D)
	$(GO) build -tags faultinject -buildmode=c-shared -o $@ ./cmd/kafka

$(BUILD)/kill9/kill9: FORCE
	@mkdir -p $(@D)
	$(GO) build -o $@ ./e2e/kill9

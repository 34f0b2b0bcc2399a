# The bench, to be included from the Makefile at the top. Uses GO, CC and BUILD.
#
# The driver and the noop plugin are built on our own header only, as they are this project's host and not Halon's; a
# kafka.so that was built on Halon's header is refused by the driver, because its numbers differ.

BENCH_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Iinclude
BENCH_SO     := -fPIC -shared -fvisibility=hidden -Wl,--unresolved-symbols=ignore-all
RDKAFKA      := github.com/confluentinc/confluent-kafka-go/v2

.PHONY: bench bench-scale bench-build
bench-build: $(BUILD)/driver $(BUILD)/noop.so $(BUILD)/baseline.so $(BUILD)/blackhole $(BUILD)/wire

# make bench [CELLS=sat,steady-20k] [PAIRS=n]
bench: $(BUILD)/kafka.so bench-build ## kafka.so beside the librdkafka baseline, in pairs (CELLS=sat,... PAIRS=n)
	CELLS='$(CELLS)' PAIRS='$(PAIRS)' $(GO) run ./bench/run -build $(BUILD)

# make bench-scale [CELLS=topics,threads] [PAIRS=n] [POINT_SECONDS=1.5] [DOCS=1]
bench-scale: $(BUILD)/kafka.so bench-build ## both by topics, partitions, queues and threads, with a plot (PAIRS=n, DOCS=1 writes docs/)
	CELLS='$(CELLS)' PAIRS='$(or $(PAIRS),1)' $(GO) run ./bench/run -build $(BUILD) -scale \
		$(if $(POINT_SECONDS),-seconds $(POINT_SECONDS)) $(if $(filter-out 0,$(DOCS)),-docs docs)

.PHONY: profile
profile: $(BUILD)/blackhole ## the profile that kafka.so is built with, made again (cmd/kafka/default.pgo)
	bench/profile $(BUILD) cmd/kafka/default.pgo

$(BUILD)/driver: $(wildcard bench/driver/*.[ch]) include/HalonMTA.h
	@mkdir -p $(BUILD)
	$(CC) $(BENCH_CFLAGS) -pthread -rdynamic -o $@ $(filter %.c,$^) -ldl

$(BUILD)/noop.so: bench/noop/noop.c include/HalonMTA.h
	@mkdir -p $(BUILD)
	$(CC) $(BENCH_CFLAGS) $(BENCH_SO) -o $@ $<

# The archive of librdkafka and its header come out of a Go module, which is pinned by bench/baseline/go.mod and go.sum.
$(BUILD)/baseline.so: $(wildcard bench/baseline/*.[ch]) bench/baseline/go.mod bench/baseline/go.sum include/HalonMTA.h
	@mkdir -p $(BUILD)
	dir=$$(cd bench/baseline && $(GO) mod download -json $(RDKAFKA) | sed -n 's/^.*"Dir": "\(.*\)".*$$/\1/p')/kafka/librdkafka_vendor && \
	$(CC) $(BENCH_CFLAGS) $(BENCH_SO) -pthread -s -isystem "$$dir" -o $@ $(filter %.c,$^) \
		"$$dir/librdkafka_glibc_linux_$$($(GO) env GOARCH).a" -Wl,--exclude-libs,ALL -lm -ldl -lrt

$(BUILD)/blackhole $(BUILD)/wire: $(BUILD)/%: $(wildcard bench/blackhole/*.go bench/wire/*.go) go.mod go.sum
	@mkdir -p $(BUILD)
	$(GO) build -o $@ ./bench/$*

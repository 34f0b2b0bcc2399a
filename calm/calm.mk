# Included from the top Makefile, which sets BUILD, GO and CC, after bench/bench.mk.

.PHONY: calm calm-build

calm: $(BUILD)/kafka.so calm-build ## no call is held: the longest in each state that Kafka can be in (CALM_SECONDS=2)
	@# Without a list of packages, so that the table is shown also when all has passed.
	build="$$(realpath $(BUILD))" && cd calm && CALM_BUILD="$$build" $(GO) test -count=1 -timeout 10m

calm-build: $(BUILD)/driver $(BUILD)/blackhole $(BUILD)/noop.so $(BUILD)/held.so $(BUILD)/slowdns.so $(BUILD)/silentdns

$(BUILD)/held.so: calm/held/held.c include/HalonMTA.h
	@mkdir -p $(BUILD)
	$(CC) $(BENCH_CFLAGS) $(BENCH_SO) -o $@ $<

$(BUILD)/slowdns.so: calm/slowdns/slowdns.c
	@mkdir -p $(BUILD)
	$(CC) $(BENCH_CFLAGS) $(BENCH_SO) -o $@ $<

$(BUILD)/silentdns: calm/silentdns/silentdns.c
	@mkdir -p $(BUILD)
	$(CC) $(BENCH_CFLAGS) -o $@ $<

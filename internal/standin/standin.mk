# Included from the top Makefile, which sets BUILD, GO and CC.

ASAN_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -Iinclude -Iinternal/standin
DRIVER_SRC  := $(wildcard internal/standin/*.c) $(wildcard internal/standin/driver/*.c)
DRIVER_HDR  := $(wildcard internal/standin/*.h internal/standin/driver/*.h) include/HalonMTA.h

.PHONY: asan asan-build border

# The plugin under the AddressSanitizer, with the entry that faults on purpose, once for each set of the header's numbers.
$(BUILD)/asan/driver: $(DRIVER_SRC) $(DRIVER_HDR)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) -rdynamic -o $@ $(DRIVER_SRC) -ldl -lpthread

$(BUILD)/asan/driver-alt: $(DRIVER_SRC) $(DRIVER_HDR)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) -DHALONMTA_STANDIN_ALT_NUMBERS -rdynamic -o $@ $(DRIVER_SRC) -ldl -lpthread

$(BUILD)/asan/kafka.so: FORCE
	@mkdir -p $(@D)
	$(GO) build -asan -tags faultinject -buildmode=c-shared -o $@ ./cmd/kafka

$(BUILD)/asan/kafka-alt.so: FORCE
	@mkdir -p $(@D)
	CGO_CFLAGS="-g -O2 -DHALONMTA_STANDIN_ALT_NUMBERS" $(GO) build -asan -tags faultinject -buildmode=c-shared -o $@ ./cmd/kafka

asan-build: $(BUILD)/asan/driver $(BUILD)/asan/driver-alt $(BUILD)/asan/kafka.so $(BUILD)/asan/kafka-alt.so

asan: asan-build $(BUILD)/blackhole ## the border scenarios under the AddressSanitizer, with both sets of the header's numbers
	internal/standin/driver/run $(BUILD)/asan/driver $(BUILD)/asan/kafka.so $(BUILD)/blackhole
	internal/standin/driver/run $(BUILD)/asan/driver-alt $(BUILD)/asan/kafka-alt.so $(BUILD)/blackhole

# Included from the top Makefile, which sets BUILD and CC.

.PHONY: tsan interleave

# The C of a call, without what Go does in C with records that were taken.
CALL_C := $(addprefix internal/intake/,chunks.c intake.c names.c offer.c)
CALL_H := $(wildcard internal/intake/*.h internal/intake/proof/*.h)
PROOF_CFLAGS := -std=gnu11 -g -Wall -Wextra -Werror -Wno-maybe-uninitialized

TSAN_SECONDS ?= 20
tsan: $(BUILD)/proof/tsan ## the C of a call on several threads under the ThreadSanitizer (TSAN_SECONDS=20)
	TSAN_OPTIONS=halt_on_error=1 $(BUILD)/proof/tsan $(TSAN_SECONDS)

$(BUILD)/proof/tsan: $(CALL_C) internal/intake/proof/tsan.c $(CALL_H)
	@mkdir -p $(@D)
	$(CC) $(PROOF_CFLAGS) -O1 -fsanitize=thread -o $@ $(filter %.c,$^) -pthread

# Each planted mistake must be found, or the proof proves nothing.
interleave: $(BUILD)/proof/explore $(BUILD)/proof/explore-1 $(BUILD)/proof/explore-2 $(BUILD)/proof/explore-3 ## calls and what Go does, in every order of their steps: a few minutes
	$(BUILD)/proof/explore
	@for plant in 1 2 3; do \
		if $(BUILD)/proof/explore-$$plant >$(BUILD)/proof/plant-$$plant.log 2>&1; then echo "planted mistake $$plant is not found"; exit 1; fi; \
		echo "planted mistake $$plant is found: $$(tail -n 1 $(BUILD)/proof/plant-$$plant.log)"; \
	done

$(BUILD)/proof/explore: $(CALL_C) $(wildcard internal/intake/proof/[es]*.c) $(CALL_H)
	@mkdir -p $(@D)
	$(CC) $(PROOF_CFLAGS) -O2 -include internal/intake/proof/steps.h -o $@ $(filter %.c,$^)

$(BUILD)/proof/explore-%: $(CALL_C) $(wildcard internal/intake/proof/[es]*.c) $(CALL_H)
	@mkdir -p $(@D)
	$(CC) $(PROOF_CFLAGS) -O2 -DPLANT=$* -include internal/intake/proof/steps.h -o $@ $(filter %.c,$^)

# Included from the top Makefile, which sets BUILD and GO.

.PHONY: soak

# make soak [MINUTES=60] [SOAK_DIR=folder for the spool] [DOCS=1]
soak: $(BUILD)/kafka.so ## a long run with outages, a kill and reloads: 0 lost, and memory, disk and the rest flat (MINUTES=60, DOCS=1 writes docs/soak.svg)
	@$(GO) build -o $(BUILD)/soak ./soak
	@$(BUILD)/soak -minutes $(or $(MINUTES),60) -plugin $(BUILD)/kafka.so -out $(BUILD) -dir '$(SOAK_DIR)' $(if $(filter-out 0,$(DOCS)),-docs docs)

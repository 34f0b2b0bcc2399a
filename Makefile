# make help lists the targets. Two of them do all the set-up: make run, and make test.

BUILD ?= build
GO    ?= go
CC    ?= cc

# cgo must not guess: the plugin is nothing without C.
export CGO_ENABLED = 1
export GOFLAGS += -buildvcs=false

TOOL := $(GO) tool -modfile=tools/go.mod
GOFILES := $(shell git ls-files -co --exclude-standard '*.go' 2>/dev/null || find . -name '*.go')
CFILES  := $(wildcard internal/*/*.[ch] internal/standin/*/*.[ch] bench/*/*.[ch] include/*.h)

# Only the entry points are visible: smtpd may load plugins into one namespace, and two written in Go bring the same names.
SO_CC = PATH="$$PWD/packaging/cc:$$PATH" KAFKA_CC='$(CC)' CC=kafka-cc
# HTTP serves metrics and asks for tokens, and HTTP/2 would be a twentieth of the file.
SO_TAGS := nethttpomithttp2
SO_LDFLAGS := -s -w -X github.com/halon-extras/kafka/internal/admin.release=$(shell cat packaging/VERSION)

.DEFAULT_GOAL := help
.PHONY: help build run test e2e test-kafka race fuzz lint fmt cut bench package clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(BUILD)/kafka.so $(BUILD)/hslrun $(BUILD)/halon-kafka ## kafka.so, hslrun and halon-kafka in build/

$(BUILD)/kafka.so: FORCE
	@mkdir -p $(BUILD)
	$(SO_CC) $(GO) build -buildmode=c-shared -tags $(SO_TAGS) -ldflags '$(SO_LDFLAGS)' -o $@ ./cmd/kafka
	@rm -f $(BUILD)/kafka.h

$(BUILD)/hslrun: FORCE
	@mkdir -p $(BUILD)
	$(GO) build -ldflags '-X main.release=$(shell cat packaging/VERSION)' -o $@ ./cmd/hslrun

$(BUILD)/halon-kafka: FORCE
	@mkdir -p $(BUILD)
	CGO_ENABLED=0 $(GO) build -ldflags "-X github.com/halon-extras/kafka/internal/operator.release=$$(cat packaging/VERSION)" -o $@ ./cmd/halon-kafka

run: build ## the example script, through kafka.so, onto an embedded broker, and read back
	@$(BUILD)/hslrun -c examples/smtpd.yaml -p kafka --broker embedded --consume test-topic examples/produce.hsl

# Tests run in a random order, and under the race detector where it starts: not beside a C host, and not where another process does the work.
RACED = $(GO) list ./internal/... | grep -v -e /standin -e /realkafka -e /abi
test: build ## all tests that need no Java, in random order and under the race detector: some minutes on two cores
	$(E2E_ENV) E2E_BROKER=embedded $(GO) test -shuffle=on $$($(GO) list ./... | grep -v '/parity$$' | grep -vxF "$$($(RACED))") # make parity needs librdkafka
	$(GO) test -shuffle=on ./internal/producer ./internal/spool # which try rare orders of events more often without the race detector
	$(MAKE) race

race: ## the tests in process under the race detector
	$(GO) test -race -shuffle=on -timeout 30m $$($(RACED))
	PACKED=1 $(GO) test -race -shuffle=on -timeout 30m ./internal/producer # again, with records as calls leave them

lint: ## gofumpt, golangci-lint with the import rules of the design, and C without warnings
	$(TOOL) golangci-lint run ./...
	$(CC) -fsyntax-only -std=gnu11 -Wall -Wextra -Werror -Iinclude $(filter-out internal/abi/%,$(filter %.c,$(wildcard internal/intake/*.c internal/standin/*.c internal/standin/*/*.c calm/*/*.c bench/driver/*.c bench/noop/*.c)))

cut: ## 8 threads x 100,000 records while connections are cut at random
	CUT_RECORDS=100000 $(GO) test -count=1 -v -run TestNothingVanishesWhenConnectionsAreCut ./internal/producer

fmt: ## format the Go files
	@$(TOOL) gofumpt -l -w $(GOFILES)

# A count of runs: the end of a time may come as "context deadline exceeded", which is go test's own and fails a target that is right.
FUZZTIME ?= 40000x
# Without -fuzzminimizetime each new input is made smaller for up to a minute, and little else runs. A target counts when it says how
# often it ran.
fuzz: ## each fuzz target for FUZZTIME (40000x runs)
	@set -e; packages=$$($(GO) list ./...); for package in $$packages; do \
		targets=$$($(GO) test -list '^Fuzz' $$package) || { echo "$$targets"; exit 1; }; \
		for target in $$(echo "$$targets" | grep '^Fuzz'); do \
			out=$$($(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$package 2>&1) || { echo "$$out"; exit 1; }; \
			runs=$$(echo "$$out" | sed -n 's/.*execs: \([0-9]*\) .*/\1/p' | tail -n 1); \
			echo "$$package $$target: $${runs:-0} executions"; \
			[ "$${runs:-0}" -ge 100 ] || { echo "$$out"; exit 1; }; \
		done; \
	done

clean: ## forget what was built
	rm -rf $(BUILD)

FORCE:

include internal/standin/standin.mk
include internal/spool/spool.mk
include internal/intake/intake.mk
-include parity/parity.mk
include e2e/e2e.mk
include bench/bench.mk
include calm/calm.mk
include soak/soak.mk
include share/grafana/grafana.mk
include packaging/package.mk

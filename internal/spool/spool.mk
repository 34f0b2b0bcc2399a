# Included from the top Makefile, which sets GO.

# About 1,000 crashes a second on two cores.
N_CRASHES = $(or $(N),20000)

.PHONY: crash

crash: ## N (20000) random crashes of a disk that forgets, tears and fails; and one crash or fault at every call
	@out=$$($(GO) test -count=1 -v -timeout 24h -run '^TestCrashAtRandom$$|^TestCrashAtEveryCall$$' ./internal/spool -crashes=$(N_CRASHES)) \
		|| { echo "$$out"; exit 1; }; echo "$$out" | sed -n 's/^ *crash_test.go:[0-9]*: //p'

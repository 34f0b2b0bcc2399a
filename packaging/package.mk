# Included from the top Makefile, which sets BUILD and GO.

.PHONY: package packages test-packages

package: ## the deb and the rpm for this machine in build/packages (DEVELOPMENT_PACKAGE=1 without Halon's header)
	BUILD=$(BUILD) GO=$(GO) packaging/build

packages: ## the same for amd64 and arm64
	BUILD=$(BUILD) GO=$(GO) packaging/build amd64 arm64

test-packages: ## builds all packages and reads them; installs, uses, upgrades, rolls back and removes them in clean roots (as root)
	PACKAGE_TEST=1 BUILD=$(BUILD) GO=$(GO) $(GO) test -count=1 -timeout 30m ./packaging/...

# Included from the top Makefile, which sets BUILD and GO.

.PHONY: package package-test

package: ## the deb and the rpm for this machine in build/packages (DEVELOPMENT_PACKAGE=1 without Halon's header)
	BUILD=$(BUILD) GO=$(GO) packaging/build

package-test: build ## builds both packages in a scratch folder, reads them, installs the deb and loads it
	PACKAGE_TEST=1 GO=$(GO) HSLRUN=$(abspath $(BUILD)/hslrun) $(GO) test -count=1 -timeout 30m ./packaging

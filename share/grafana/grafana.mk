.PHONY: picture

# make picture [SECONDS=180]
picture: build ## docs/dashboard.png: the dashboard's panels from a real run with an outage; needs prometheus, chromium and npm
	$(GO) run ./share/grafana/picture -o docs/dashboard.png $(if $(SECONDS),-seconds $(SECONDS))

// Package grafana holds kafka.json, a dashboard of Grafana over the metrics of the plugin, and the tests that keep its queries true: each metric is one of the plugin's, each
// expression is one of Prometheus, and a real Prometheus that scrapes a running plugin has data for each panel.
package grafana

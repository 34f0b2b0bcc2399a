// Package prometheus is a folder of alert rules for Prometheus. It holds no code but the test of the rules.
package prometheus

package queueconf

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/halon-extras/kafka/internal/nearest"
)

var metricsKeys = []string{"listen"}

// metrics reads where the plugin serves its metrics. Without it, nowhere.
func (r *reader) metrics(p place, n *Node) {
	if n == nil {
		return
	}
	if n.Scalar || n.List != nil {
		r.problem(p, "metrics: it must be an object with listen")
		return
	}
	for _, f := range n.Object {
		switch {
		case !slices.Contains(metricsKeys, f.Key):
			r.problem(p.at(f.Key), "metrics: %s: there is no such key%s", f.Key, nearest.Meant(f.Key, metricsKeys))
			continue
		case f.Value == nil || !f.Value.Scalar:
			r.problem(p.at(f.Key), "metrics: listen: it must be one value, an address and a port")
			continue
		}
		address, err := listenAddress(f.Value.Text)
		if err != nil {
			r.problem(p.at(f.Key), "metrics: listen: %v", err)
			continue
		}
		r.config.Listen = address
		if host, _, _ := net.SplitHostPort(address); !loopback(host) {
			r.warn(p.at(f.Key), "metrics: listen: everybody who reaches %s can read the names of queues, topics and brokers: 127.0.0.1 is enough for a Prometheus on this host", address)
		}
	}
	if n.Get("listen") == nil {
		r.problem(p, "metrics: listen: it is missing, such as 127.0.0.1:9184")
	}
}

// listenAddress completes an address: a port alone is one of this host only.
func listenAddress(text string) (string, error) {
	if strings.Trim(text, "0123456789") == "" {
		text = ":" + text
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", fmt.Errorf("%q must be an address and a port, such as 127.0.0.1:9184", text)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("the port of %q must be a number from 1 to 65535", text)
	}
	switch {
	case host == "":
		host = "127.0.0.1"
	case host != "localhost" && net.ParseIP(host) == nil:
		return "", fmt.Errorf("%q must have an IP address of this host, or localhost", text)
	}
	return net.JoinHostPort(host, port), nil
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

package top

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// Listener asks the listener that `metrics: {listen: ADDRESS}` of the configuration opens.
type Listener struct {
	address string
	client  http.Client
}

// NewListener returns the source for an address, which may be a port alone, as in the configuration.
func NewListener(address string, most time.Duration) (*Listener, error) {
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return nil, fmt.Errorf("%q is no address such as 127.0.0.1:9184", address)
	}
	host = cmp.Or(host, "127.0.0.1")
	// Without a proxy: it is this host that is asked.
	return &Listener{net.JoinHostPort(host, port), http.Client{Timeout: most, Transport: &http.Transport{}}}, nil
}

// Name implements [Source].
func (l *Listener) Name() string { return "http://" + l.address + "/metrics" }

// Read implements [Source].
func (l *Listener) Read(ctx context.Context, detail string) (*Sample, error) {
	s := &Sample{Time: time.Now(), Detail: detail, Sparse: true}
	text, err := l.get(ctx, "/metrics", http.StatusOK)
	if err != nil {
		return nil, err
	}
	lines, err := parseMetrics(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.Name(), err)
	}
	if err := fillFromMetrics(lines, s); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Name(), err)
	}
	// A queue that has failed makes it 503.
	if text, err = l.get(ctx, "/healthz", http.StatusOK, http.StatusServiceUnavailable); err == nil {
		fillReasons(text, s)
	}
	return s, nil
}

func (l *Listener) get(ctx context.Context, path string, good ...int) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.address+path, nil)
	if err != nil {
		return "", err
	}
	response, err := l.client.Do(request)
	if err != nil {
		var timeout interface{ Timeout() bool }
		if errors.As(err, &timeout) && timeout.Timeout() {
			return "", fmt.Errorf("http://%s%s has not answered within %v", l.address, path, l.client.Timeout)
		}
		for inner := err; inner != nil; inner = errors.Unwrap(inner) {
			err = inner
		}
		return "", fmt.Errorf("http://%s%s cannot be reached: %w: the mail server does not run, or metrics: listen: is another address", l.address, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return "", fmt.Errorf("http://%s%s: the answer ended early: %w", l.address, path, err)
	}
	if slices.Contains(good, response.StatusCode) {
		return string(text), nil
	}
	return "", fmt.Errorf("http://%s%s answers %s: %s", l.address, path, report.Printable(response.Status), firstLine(text))
}

// fillReasons takes the sentence of each queue that is not ok from /healthz.
func fillReasons(text string, s *Sample) {
	for i := range s.Queues {
		q := &s.Queues[i]
		for line := range strings.Lines(text) {
			if reason, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), q.ID+": "+q.State+": "); ok {
				q.Reason = reason
			}
		}
	}
}

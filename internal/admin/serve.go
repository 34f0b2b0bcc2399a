package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
)

const (
	again       = 10 * time.Second // between attempts to listen
	answerTime  = 10 * time.Second
	mostAsking  = 16 // requests at once; more are answered 503
	largestHead = 16 << 10
)

// A Listener serves /metrics and /healthz.
//
// It never keeps the plugin from starting: when the address is taken, as by a second process with the same configuration, it says so
// once and tries again every ten seconds.
type Listener struct {
	server http.Server
	end    context.CancelFunc
	ended  sync.WaitGroup
}

// Listen starts serving at address, an IP address or localhost with a port. The caller closes it.
func Listen(d Deps, address string, log *slog.Logger) *Listener {
	ctx, end := context.WithCancel(context.Background())
	l := &Listener{end: end}
	l.server = http.Server{
		Handler: handler(d), ReadHeaderTimeout: answerTime, ReadTimeout: answerTime, WriteTimeout: answerTime, IdleTimeout: time.Minute,
		MaxHeaderBytes: largestHead, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	l.ended.Go(func() { logsink.Report(log, "the metrics", func() { l.serve(ctx, address, log) }) })
	return l
}

func (l *Listener) serve(ctx context.Context, address string, log *slog.Logger) {
	failed := false
	for {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", address)
		if err == nil {
			log.Info(fmt.Sprintf("metrics are served at http://%s/metrics", address))
			err = l.server.Serve(listener)
		}
		if errors.Is(err, http.ErrServerClosed) || ctx.Err() != nil {
			return
		}
		if !failed {
			log.Warn(fmt.Sprintf("metrics cannot be served at %s, it is tried again every %v: %v", address, again, err))
		}
		failed = true
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// Close stops serving and waits for the end of its goroutines. It cuts off requests that are being answered.
func (l *Listener) Close() {
	l.end()
	_ = l.server.Close() // of connections, which it ends either way
	l.ended.Wait()
}

func handler(d Deps) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		format, kind := report.PrometheusText, report.PrometheusType
		if strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text") {
			format, kind = report.OpenMetricsText, report.OpenMetricsType
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(report.Exposition(Families(d), format)) // who asked may have gone
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		text, ok := health(d)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(text))
	})
	room := make(chan struct{}, mostAsking)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
			mux.ServeHTTP(w, r)
		default:
			http.Error(w, "too many requests at once", http.StatusServiceUnavailable)
		}
	})
}

// health says the state of each queue. A queue that has failed makes the whole answer a failure: what a script gives it is not taken.
func health(d Deps) (text string, ok bool) {
	var b strings.Builder
	ok = true
	for _, q := range d.Queues() {
		h := q.Health()
		fmt.Fprintf(&b, "%s: %s", report.Printable(q.ID()), h.State)
		if reason := h.Reason(); reason != "" {
			b.WriteString(": " + report.Printable(reason))
		}
		b.WriteByte('\n')
		ok = ok && h.State != report.Broken
	}
	if b.Len() == 0 {
		b.WriteString(noQueues)
	}
	return b.String(), ok
}

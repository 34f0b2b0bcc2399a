package producer

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// BenchmarkReplay sends what an earlier process has left on the disk to a broker at $BROKER, and does so without and with plans. It is for
// profiles, as BenchmarkOffer is.
func BenchmarkReplay(b *testing.B) {
	broker := os.Getenv("BROKER")
	if broker == "" {
		b.Skip("BROKER=HOST:PORT is not set; run bench/blackhole")
	}
	const records = 500_000
	r := value("")
	r.Topic, r.Key, r.Value, r.Timestamp = "bench", make([]byte, 12), make([]byte, 1024), milliseconds()
	bytes := stored.Append(nil, r)
	for _, idempotence := range []string{"false", "true"} {
		b.Run("idempotence="+idempotence, func(b *testing.B) {
			set := benchSettings(b, "bootstrap.servers", broker, "enable.idempotence", idempotence)
			delivered := 0
			for b.Loop() {
				b.StopTimer()
				cfg := queueconf.Spool{Path: b.TempDir(), MaxBytes: 10 << 30, SegmentBytes: 64 << 20}
				s, err := spool.Open(spool.Options{Dir: cfg.Path, MaxWaiting: 1 << 30, SegmentBytes: cfg.SegmentBytes})
				if err != nil {
					b.Fatal(err)
				}
				for range records {
					if _, err := s.AppendLater(bytes, nil); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Close(context.Background()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				p, err := New("bench", set, Deps{Log: slog.New(slog.DiscardHandler), Spool: &cfg})
				if err != nil {
					b.Fatal(err)
				}
				for p.Snapshot().Delivered < records {
					time.Sleep(time.Millisecond)
				}
				b.StopTimer()
				if lost := p.Stop(b.Context()); lost != 0 {
					b.Error(fmt.Errorf("%d lost", lost))
				}
				delivered += records
				b.StartTimer()
			}
			b.ReportMetric(float64(delivered)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkDurable is what scripts see that wait for the disk: 64 and 512 of them at once, each with one call after
// another.
func BenchmarkDurable(b *testing.B) {
	broker := os.Getenv("BROKER")
	if broker == "" {
		b.Skip("BROKER=HOST:PORT is not set; run bench/blackhole")
	}
	for _, scripts := range []int{1, 64, 512} {
		for _, idempotence := range []string{"false", "true"} {
			b.Run(fmt.Sprintf("scripts=%d/idempotence=%s", scripts, idempotence), func(b *testing.B) {
				p, err := New("bench", benchSettings(b, "bootstrap.servers", broker, "enable.idempotence", idempotence), Deps{
					Log:   slog.New(slog.DiscardHandler),
					Spool: &queueconf.Spool{Path: b.TempDir(), MaxBytes: 10 << 30, SegmentBytes: 64 << 20},
				})
				if err != nil {
					b.Fatal(err)
				}
				var left atomic.Int64
				left.Store(int64(b.N))
				var all sync.WaitGroup
				b.ResetTimer()
				for range scripts {
					all.Go(func() {
						stored := make(chan resperr.Code)
						for left.Add(-1) >= 0 {
							r := value("")
							r.Topic, r.Value = "bench", make([]byte, 1024)
							if parked, code := p.Store(r, false, func(code resperr.Code) { stored <- code }); !parked || code != resperr.NoError {
								b.Error(parked, code)
								return
							}
							<-stored
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
				b.ReportMetric(float64(p.Spool().Syncs), "syncs")
				p.Stop(b.Context())
			})
		}
	}
}

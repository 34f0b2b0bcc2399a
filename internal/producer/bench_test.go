package producer

import (
	"log/slog"
	"os"
	"runtime"
	"testing"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// BenchmarkOffer is the whole way of a record, from the call to the delivery report, against a
// broker at $BROKER: bench/blackhole is one that costs little. It is for profiles; the figures that
// are quoted come from make bench.
func BenchmarkOffer(b *testing.B) {
	broker := os.Getenv("BROKER")
	if broker == "" {
		b.Skip("BROKER=HOST:PORT is not set; run bench/blackhole")
	}
	for name, headers := range map[string]int{"plain": 0, "headers": 2} {
		b.Run(name, func(b *testing.B) {
			cfg := benchSettings(b, "bootstrap.servers", broker, "queue.buffering.max.messages", "100000")
			p, err := New("bench", cfg, Deps{Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			r := &record.Record{Topic: "bench", Key: make([]byte, 12), Value: make([]byte, 200), Partition: -1}
			for range headers {
				r.Headers = append(r.Headers, record.Header{Key: "header", Value: make([]byte, 20)})
			}
			b.ReportAllocs()
			for b.Loop() {
				for {
					call := *r
					code := p.Offer(&call)
					if code == resperr.NoError {
						break
					}
					if code != resperr.QueueFull {
						b.Fatal(code)
					}
					runtime.Gosched()
				}
			}
			p.Stop(b.Context())
		})
	}
}

func benchSettings(b *testing.B, pairs ...string) *conf.Settings {
	b.Helper()
	cfg := conf.New()
	for i := 0; i < len(pairs); i += 2 {
		if err := cfg.Set(pairs[i], pairs[i+1]); err != nil {
			b.Fatal(err)
		}
	}
	set, _, err := cfg.Finalize(1)
	if err != nil {
		b.Fatal(err)
	}
	return set
}

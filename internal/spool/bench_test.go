package spool_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/halon-extras/kafka/internal/spool"
)

// benchDir is on a disk: a sync on tmpfs costs nothing and proves nothing.
func benchDir(b *testing.B) string {
	parent := os.Getenv("SPOOL_BENCH_DIR")
	if parent == "" {
		parent = "/var/tmp"
	}
	dir, err := os.MkdirTemp(parent, "spool-bench-")
	if err != nil {
		b.Skip(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// BenchmarkAppend keeps N records on their way, as N parked scripts do: each done function appends the next one.
func BenchmarkAppend(b *testing.B) {
	for _, waiters := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprintf("waiters=%d", waiters), func(b *testing.B) {
			s := open(b, spool.Options{Dir: benchDir(b)})
			payload := make([]byte, 1024)
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			var next func(error)
			next = func(err error) {
				if err != nil {
					b.Error(err)
				}
				if left.Add(-1) < 0 {
					wg.Done()
					return
				}
				if _, err := s.Append(payload, next); err != nil {
					b.Error(err)
					wg.Done()
				}
			}
			b.ResetTimer()
			for range waiters {
				wg.Add(1)
				next(nil)
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			b.SetBytes(int64(len(payload)))
			s.DropOldest(1 << 40)
			closeSpool(b, s)
		})
	}
}

// BenchmarkInline is what one thread does without a spool: write, fdatasync.
func BenchmarkInline(b *testing.B) {
	fsys := spool.OS{}
	f, err := fsys.Create(benchDir(b) + "/log")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	payload := make([]byte, 1056)
	var off int64
	for b.Loop() {
		if _, err := f.WriteAt(payload, off); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		off += int64(len(payload))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkReplay reads what another process left, and acknowledges it.
func BenchmarkReplay(b *testing.B) {
	const records = 400_000
	dir := benchDir(b)
	s := open(b, spool.Options{Dir: dir})
	payload := make([]byte, 1024)
	for range records {
		for {
			_, err := s.AppendLater(payload, nil)
			if err == nil {
				break
			}
			if err := s.Sync(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	closeSpool(b, s)
	b.ResetTimer()
	var n int
	for b.Loop() {
		b.StopTimer()
		os.Remove(dir + "/position")
		b.StartTimer()
		s := open(b, spool.Options{Dir: dir})
		c := s.NewCursor()
		for got := 0; got < records; {
			batch, err := c.Next(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			got += len(batch.Frames)
			n += len(batch.Frames)
			batch.Release()
		}
		c.Close()
		closeSpool(b, s)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

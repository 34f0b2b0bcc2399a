package client

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/halon-extras/kafka/internal/authority"
)

// descriptors counts the open files of the process.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(all)
}

// Opened and closed two hundred times, over real sockets and in any state, a client leaves nothing.
func TestNothingIsLeft(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(2, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	set := settings(t, "bootstrap.servers="+fake.ListenAddrs()[0]+","+fake.ListenAddrs()[1])
	round := func(i int) {
		events := make(chan Event, 1000)
		c := New(set, Deps{Log: &bench{t: t}, Events: func(e Event) { events <- e }})
		defer c.Close()
		c.AskMetadata([]string{"mail"}, false)
		if i%4 == 0 {
			return // while it connects
		}
		var m *Metadata
		for m == nil {
			m = (<-events).Metadata
		}
		p := m.Topics[0].Partitions[0]
		c.Connect(p.Leader)
		for e := range events {
			if e.Kind == Up && e.Broker == p.Leader {
				break
			}
		}
		done := make(chan error, 1)
		r := mail(-1)
		r.Batches[0].TopicID, r.Done = m.Topics[0].ID, func(_ *Produce, err error) { done <- err }
		if c.Send(p.Leader, r) && i%4 == 1 {
			return // while a request is open
		}
		<-done
	}
	for i := range 8 { // what is made once is made
		round(i)
	}
	ignore := goleak.IgnoreCurrent()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	files := descriptors(t)
	for i := range 200 {
		round(i)
	}
	goleak.VerifyNone(t, ignore, goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).read"),
		goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).write"))
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(time.Minute); descriptors(t) > files; <-tick.C { // kfake closes its ends in its own time
		if time.Now().After(limit) {
			t.Fatalf("%d files are open, %d were", descriptors(t), files)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+8<<20 {
		t.Errorf("%d bytes of heap, %d were", after.HeapAlloc, before.HeapAlloc)
	}
}

// put writes a certificate and its key into a folder.
func put(t *testing.T, folder string, c tls.Certificate) {
	t.Helper()
	for name, text := range map[string][]byte{"cert.pem": authority.Chain(c.Leaf), "key.pem": authority.Key(t, c)} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A certificate that is replaced on disk is used by the next connection, which is made between two
// requests: none of them fails, and the broker was never down.
func TestCertificatesAreRenewed(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		serials := []int64{}
		ca := authority.New(t, "test")
		server, first, second := ca.Issue("broker", "one"), ca.Issue("client"), ca.Issue("client")
		put(t, dir, first)
		roots := filepath.Join(dir, "roots.pem")
		if err := os.WriteFile(roots, authority.Chain(ca.Cert), 0o600); err != nil {
			t.Fatal(err)
		}
		l := newLiar(t)
		var open atomic.Int64
		dial := func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			l.open.Add(1)
			go func() {
				open.Add(1)
				secure := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert})
				if secure.Handshake() == nil {
					mu.Lock()
					serials = append(serials, secure.ConnectionState().PeerCertificates[0].SerialNumber.Int64())
					mu.Unlock()
				}
				l.serve(secure)
				open.Add(-1)
			}()
			return near, nil
		}
		b := newBench(t, dial, "bootstrap.servers=one:9092", "security.protocol=ssl", "ssl.ca.location="+roots,
			"ssl.certificate.location="+filepath.Join(dir, "cert.pem"), "ssl.key.location="+filepath.Join(dir, "key.pem"))
		defer time.Sleep(2 * time.Second)
		defer b.c.Close()
		b.ask("mail")
		b.up(1)
		if _, err := b.send(1, mail(-1)); err != nil {
			t.Fatal(err)
		}
		put(t, dir, second)
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(filepath.Join(dir, "cert.pem"), later, later); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			time.Sleep(time.Second)
			r := mail(-1)
			done := make(chan error, 1)
			r.Done = func(_ *Produce, err error) { done <- err }
			for !b.c.Send(1, r) {
				b.next(Up)
			}
			if err := <-done; err != nil {
				t.Errorf("a request fails: %v", err)
			}
		}
		for len(b.events) > 0 {
			if e := <-b.events; e.Kind == Down {
				t.Errorf("the broker was down: %+v", e)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if len(serials) != 2 || serials[0] != first.Leaf.SerialNumber.Int64() || serials[1] != second.Leaf.SerialNumber.Int64() || open.Load() != 1 || b.told() != "" {
			t.Errorf("connections with %v, %d open, the log: %s", serials, open.Load(), b.told())
		}
	})
}

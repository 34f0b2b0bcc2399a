package conf

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestBrokers(t *testing.T) {
	for list, want := range map[string][]string{
		"":                                  nil,
		" , ,":                              nil,
		"h":                                 {"h:9092"},
		"h1:1,h2":                           {"h1:1", "h2:9092"},
		"h1:1 ,  h2:2":                      {"h1:1", "h2:2"},
		"h:1,h:1":                           {"h:1"},
		":1":                                {"localhost:1"},
		"h:abc":                             {"h:0"},
		"h:65537":                           {"h:1"},
		"h:010":                             {"h:10"},
		"::1":                               {"[::1]:9092"},
		"[::1]":                             {"[::1]:9092"},
		"[::1]:1":                           {"[::1]:1"},
		"PLAINTEXT://h:1/path":              {"h:1"},
		"plaintext://":                      {"localhost:9092"},
		"h1,ssl://h2,h3":                    {"h1:9092"},
		"h1,foo://h2":                       {"h1:9092"},
		"://h1,h2":                          nil,
		"a]b:c:1":                           {"[ab:c:1]:9092"},
		"plaintext://h1,plaintext://h2:2/x": {"h1:9092", "h2:2"},
	} {
		if got := settingsFor(t, "bootstrap.servers", list).Brokers; !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

var errDown = errors.New("down")

// TestReconnectPauses dials a broker that is down: librdkafka waits longer each time, between three
// quarters and one and a half of a pause that doubles up to its limit.
func TestReconnectPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "bootstrap.servers", "h:1", "reconnect.backoff.ms", "100", "reconnect.backoff.max.ms", "1000")
		up := false
		d := s.newDialer(Deps{Dialer: func(context.Context, string, string) (net.Conn, error) {
			if !up {
				return nil, errDown
			}
			client, server := net.Pipe()
			server.Close()
			return client, nil
		}})
		pauses := func(n int) (all []time.Duration) {
			last := time.Now()
			for range n {
				if conn, err := d.connect(t.Context(), "tcp", "h:1"); err == nil {
					conn.Close()
				}
				all = append(all, time.Since(last))
				last = time.Now()
			}
			return all
		}
		for i, got := range pauses(7) {
			usual := time.Duration([]int64{0, 100, 200, 400, 800, 1000, 1000}[i]) * time.Millisecond
			if got < usual*3/4 || got > min(usual*3/2, time.Second) {
				t.Errorf("pause %d is %v, want about %v", i, got, usual)
			}
		}
		up = true
		pauses(1)
		d.OnBrokerE2E(kgo.BrokerMetadata{Host: "h", Port: 1}, 0, kgo.BrokerE2E{})
		up = false
		if got := pauses(2); got[0] != 0 || got[1] > 150*time.Millisecond {
			t.Errorf("after an answer the pauses are %v, want to start again", got)
		}
	})
}

func TestABrokerThatHangsUpIsLeftAloneForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "bootstrap.servers", "h:1", "reconnect.backoff.ms", "100")
		d := s.newDialer(Deps{Dialer: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			server.Close()
			return client, nil
		}})
		meta := kgo.BrokerMetadata{Host: "h", Port: 1}
		d.OnBrokerE2E(meta, 0, kgo.BrokerE2E{})
		d.OnBrokerDisconnect(meta, nil)
		d.OnBrokerDisconnect(meta, nil) // of its other connection
		start := time.Now()
		conn, err := d.connect(t.Context(), "tcp", "h:1")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if took := time.Since(start); took < 75*time.Millisecond || took > 150*time.Millisecond {
			t.Errorf("it was connected to again after %v", took)
		}
	})
}

func TestNoPauseIsNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "bootstrap.servers", "h:1", "reconnect.backoff.ms", "0")
		d := s.newDialer(Deps{Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, errDown }})
		start := time.Now()
		for range 5 {
			if _, err := d.connect(t.Context(), "tcp", "h:1"); !errors.Is(err, errDown) {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("five tries took %v", took)
		}
	})
}

func TestAStoppedClientDoesNotWaitForThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "bootstrap.servers", "h:1", "reconnect.backoff.ms", "10000")
		d := s.newDialer(Deps{Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, errDown }})
		if _, err := d.connect(t.Context(), "tcp", "h:1"); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := d.connect(ctx, "tcp", "h:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestSilentBroker connects to something that takes the first question and never answers.
func TestSilentBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "bootstrap.servers", "h:1", "api.version.request.timeout.ms", "3000")
		client, server := net.Pipe()
		defer server.Close()
		d := s.newDialer(Deps{Dialer: func(context.Context, string, string) (net.Conn, error) { return client, nil }})
		conn, err := d.connect(t.Context(), "tcp", "h:1")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		question := make([]byte, 4)
		go func() {
			if n, err := server.Read(question); n == 0 {
				t.Error(err)
			}
		}()
		start := time.Now()
		if _, err := conn.Write([]byte("ask?")); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(question); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("error %v after %v, want a deadline after 3s", err, time.Since(start))
		}
	})
}

// TestAnsweringBroker is held only to the client's own deadline after its first answer.
func TestAnsweringBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "bootstrap.servers", "h:1", "api.version.request.timeout.ms", "3000")
		client, server := net.Pipe()
		defer server.Close()
		d := s.newDialer(Deps{Dialer: func(context.Context, string, string) (net.Conn, error) { return client, nil }})
		conn, err := d.connect(t.Context(), "tcp", "h:1")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		buf, peer := make([]byte, 4), make([]byte, 4)
		go func() {
			for _, wait := range []time.Duration{time.Second, 10 * time.Second} {
				if _, err := server.Read(peer); err != nil {
					t.Error(err)
				}
				time.Sleep(wait) // in the bubble's time
				if _, err := server.Write(peer); err != nil {
					t.Error(err)
				}
			}
		}()
		for range 2 {
			if _, err := conn.Write([]byte("ask?")); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(buf); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWithoutBrokersNothingIsDialled(t *testing.T) {
	s := settingsFor(t)
	d := s.newDialer(Deps{Dialer: func(_ context.Context, _, address string) (net.Conn, error) {
		t.Errorf("%s was dialled", address)
		return nil, errDown
	}})
	for _, seed := range s.seeds() {
		if _, err := d.connect(t.Context(), "tcp", seed); !errors.Is(err, errNoBrokers) {
			t.Errorf("error %v, want %v", err, errNoBrokers)
		}
	}
}

// TestAddressFamily connects to names and addresses of a loopback listener.
func TestAddressFamily(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, family string
		works        bool
	}{
		{"127.0.0.1", "any", true},
		{"127.0.0.1", "v4", true},
		{"127.0.0.1", "v6", false},
		{"localhost", "v4", true},
	} {
		address := net.JoinHostPort(c.host, port)
		s := settingsFor(t, "bootstrap.servers", address, "broker.address.family", c.family, "socket.keepalive.enable", "true",
			"socket.nagle.disable", "false", "socket.send.buffer.bytes", "65536", "socket.receive.buffer.bytes", "65536")
		conn, err := s.newDialer(Deps{}).connect(t.Context(), "tcp", address)
		if err == nil {
			conn.Close()
		}
		if (err == nil) != c.works {
			t.Errorf("%s with %s: %v", c.host, c.family, err)
		}
	}
}

func TestAConnectionKnowsWhoEndedIt(t *testing.T) {
	for _, test := range []struct {
		sentence string
		up       bool
		end      func(here, there net.Conn)
		want     error
	}{
		{"the broker closes", true, func(_, there net.Conn) { there.Close() }, io.EOF},
		{"this side closes", true, func(here, _ net.Conn) { here.Close() }, nil},
		{"the broker closes before it has let the client in", false, func(_, there net.Conn) { there.Close() }, nil},
	} {
		here, there := net.Pipe()
		c := &brokerConn{Conn: here}
		if test.up {
			c.isUp()
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = c.Read(make([]byte, 1))
		}()
		test.end(c, there)
		<-read
		// A pipe calls its own end by another name than a socket.
		if got := c.Lost(); !errors.Is(got, test.want) && (test.want != nil || !errors.Is(got, io.ErrClosedPipe)) {
			t.Errorf("%s: lost by %v, want %v", test.sentence, got, test.want)
		}
		here.Close()
		there.Close()
	}
}

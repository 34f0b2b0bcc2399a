package conf

import (
	"net"
	"slices"
	"testing"
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
		conn, _, err := s.Dialer(Deps{}).Connect(t.Context(), address)
		if err == nil {
			conn.Close()
		}
		if (err == nil) != c.works {
			t.Errorf("%s with %s: %v", c.host, c.family, err)
		}
	}
}

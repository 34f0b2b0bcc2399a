package conf

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"testing"
)

// TestNamesOfServers decides as X509_check_host and X509_check_ip of OpenSSL; parity asks librdkafka for more of them.
func TestNamesOfServers(t *testing.T) {
	common := func(names ...string) []pkix.AttributeTypeAndValue {
		var all []pkix.AttributeTypeAndValue
		for _, name := range names {
			all = append(all, pkix.AttributeTypeAndValue{Type: commonName, Value: name})
		}
		return all
	}
	ips := func(text string) []net.IP { return []net.IP{net.ParseIP(text)} }
	for _, c := range []struct {
		name  string
		cert  x509.Certificate
		good  []string
		wrong []string
	}{
		{"a DNS name", x509.Certificate{DNSNames: []string{"a.example.org"}}, []string{"a.example.org", "A.Example.ORG"}, []string{"example.org", "b.a.example.org", ""}},
		{
			"a DNS name makes the common one count for nothing",
			x509.Certificate{DNSNames: []string{"a.example.org"}, Subject: pkix.Name{Names: common("b.example.org")}},
			[]string{"a.example.org"},
			[]string{"b.example.org"},
		},
		{"a common name alone", x509.Certificate{Subject: pkix.Name{Names: common("broker")}}, []string{"broker", "BROKER"}, []string{"other", "127.0.0.1"}},
		{"each common name", x509.Certificate{Subject: pkix.Name{Names: common("one", "two")}}, []string{"one", "two"}, []string{"three"}},
		{
			"a common name beside an email and an address",
			x509.Certificate{EmailAddresses: []string{"a@example.org"}, IPAddresses: ips("192.0.2.1"), Subject: pkix.Name{Names: common("broker")}},
			[]string{"broker", "192.0.2.1"},
			[]string{"a@example.org", "192.0.2.2"},
		},
		{"an address is no common name", x509.Certificate{Subject: pkix.Name{Names: common("192.0.2.1")}}, nil, []string{"192.0.2.1"}},
		{"an address is no DNS name", x509.Certificate{DNSNames: []string{"192.0.2.1"}}, nil, []string{"192.0.2.1"}},
		{"an address of version 6", x509.Certificate{IPAddresses: ips("2001:db8::1")}, []string{"2001:db8::1", "2001:DB8:0:0::1"}, []string{"2001:db8::2"}},
		{"a star", x509.Certificate{DNSNames: []string{"*.example.org"}}, []string{"a.example.org", "xn--a.example.org"}, []string{"example.org", ".example.org", "a.b.example.org", "a_b.example.org"}},
		{"a star at the end of a label", x509.Certificate{DNSNames: []string{"kafka*.example.org"}}, []string{"kafka1.example.org", "kafka.example.org"}, []string{"xn--kafka.example.org", "other.example.org"}},
		{"a star at the start of a label", x509.Certificate{DNSNames: []string{"*1.example.org"}}, []string{"a1.example.org"}, []string{"a2.example.org", "xn--1.example.org"}},
		{"stars that are none", x509.Certificate{DNSNames: []string{"a*b.example.org", "*.org", "a.*.example.org", "*.*.example.org", "xn--*.example.org", "*.-a.org"}}, []string{"*.org"}, []string{"axb.example.org", "example.org", "a.b.example.org", "xn--a.example.org"}},
		{"nothing", x509.Certificate{}, nil, []string{"broker", "127.0.0.1", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, host := range c.good {
				if _, ok := isFor(&c.cert, host); !ok {
					t.Errorf("it is not for %q", host)
				}
			}
			for _, host := range c.wrong {
				if _, ok := isFor(&c.cert, host); ok {
					t.Errorf("it is for %q", host)
				}
			}
		})
	}
}

func FuzzMatchName(f *testing.F) {
	f.Add("*.example.org", "a.example.org")
	f.Add("kafka*.example.org", "kafka1.example.org")
	f.Add("*", ".")
	f.Fuzz(func(t *testing.T, pattern, host string) {
		if matchName(pattern, host) && validStar(pattern) < 0 && !equalFold(pattern, host) {
			t.Fatalf("%q is taken for %q", host, pattern)
		}
	})
}

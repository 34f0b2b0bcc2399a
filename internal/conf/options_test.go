package conf

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestSettingsOfTheDefaults(t *testing.T) {
	s := settingsFor(t, "bootstrap.servers", "h")
	for what, ok := range map[string]bool{
		"name":              s.Name == "rdkafka#producer-1",
		"limits":            s.QueueMaxMessages == 100000 && s.QueueMaxBytes == 1<<30,
		"linger":            s.Linger == 5*time.Millisecond && s.StickyLinger == 10*time.Millisecond,
		"timeouts":          s.MessageTimeout == 5*time.Minute && s.TopicPropagation == 30*time.Second,
		"acks":              s.Acks == -1 && !s.Idempotence && !s.Transactional,
		"retries":           s.Retries == math.MaxInt32 && s.RetryBackoff == 100*time.Millisecond && s.RetryBackoffMax == time.Second,
		"codec":             s.Codec == "none" && s.PartitionerName == "consistent_random",
		"log":               s.LogLevel == 6 && !s.Debug && !s.Silent,
		"auto create":       s.AllowAutoCreate,
		"security":          s.SecurityProtocol == "plaintext" && s.SASLMechanism == "",
		"message size":      s.MessageMaxBytes == 1000000,
		"no conflict":       !s.TopicLingerConflict,
		"nothing is hidden": !s.Blacklisted("t"),
	} {
		if !ok {
			t.Errorf("%s: %+v", what, s)
		}
	}
}

func TestLingerOfOddNumbers(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"nan": 0, "0.5": 500 * time.Microsecond, "0.0001": 0, "-0": 0, "900000": 15 * time.Minute,
	} {
		if got := settingsFor(t, "linger.ms", text).Linger; got != want {
			t.Errorf("linger.ms=%s: %v, want %v", text, got, want)
		}
	}
}

func TestLingerConflictIsFoundAtTheFirstMessage(t *testing.T) {
	for _, c := range []struct {
		properties []string
		want       bool
	}{
		{[]string{"linger.ms", "400000"}, true},
		{[]string{"linger.ms", "299999"}, false},
		{[]string{"linger.ms", "70000", "transactional.id", "t"}, true},
		{[]string{"linger.ms", "400000", "message.timeout.ms", "0"}, false},
	} {
		if got := settingsFor(t, c.properties...).TopicLingerConflict; got != c.want {
			t.Errorf("%q: %v, want %v", c.properties, got, c.want)
		}
	}
}

func TestCodecs(t *testing.T) {
	for _, c := range []struct {
		properties []string
		codec      string
		level      int
	}{
		{nil, "none", -1},
		{[]string{"compression.codec", "gzip"}, "gzip", -1},
		{[]string{"compression.codec", "gzip", "compression.level", "0"}, "gzip", 0},
		{[]string{"compression.codec", "gzip", "compression.level", "12"}, "gzip", 9},
		{[]string{"compression.codec", "snappy", "compression.level", "12"}, "snappy", -1},
		{[]string{"compression.codec", "lz4", "compression.level", "3"}, "lz4", 3},
		{[]string{"compression.codec", "zstd"}, "zstd", -1},
		{[]string{"compression.codec", "zstd", "topic.compression.codec", "none"}, "none", -1},
		{[]string{"compression.codec", "lz4", "topic.compression.codec", "inherit"}, "lz4", -1},
		{[]string{"topic.compression.type", "snappy"}, "snappy", -1},
	} {
		if s := settingsFor(t, c.properties...); s.Codec != c.codec || s.Level != c.level {
			t.Errorf("%q: %s at %d, want %s at %d", c.properties, s.Codec, s.Level, c.codec, c.level)
		}
	}
}

func TestRetryPause(t *testing.T) {
	s := settingsFor(t, "retry.backoff.ms", "100", "retry.backoff.max.ms", "1000")
	for try, usual := range map[int]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 1000: time.Second,
	} {
		for range 50 {
			if got := s.RetryPause(try); got < usual*8/10 || got > min(usual*12/10, time.Second) {
				t.Errorf("try %d waits %v, want about %v", try, got, usual)
			}
		}
	}
	if got := settingsFor(t, "retry.backoff.ms", "300000", "retry.backoff.max.ms", "1").RetryPause(30); got > time.Millisecond {
		t.Errorf("a pause above its limit: %v", got)
	}
}

// TestSecretsStayOut refuses configurations that hold a secret, in every way there is.
func TestSecretsStayOut(t *testing.T) {
	const secret = "hunter2-the-secret"
	for _, extra := range [][]string{
		{"security.protocol", "sasl_ssl", "sasl.mechanism", "PLAIN"},
		{"security.protocol", "sasl_ssl", "sasl.mechanism", "GSSAPI"},
		{"security.protocol", "ssl"},
		{"security.protocol", "sasl_plaintext", "sasl.mechanism", "OAUTHBEARER", "sasl.oauthbearer.method", "oidc"},
		{"sasl.mechanism", "PLAIN"},
		{"acks", "1", "enable.idempotence", "true"},
	} {
		c := New()
		var shown strings.Builder
		for _, p := range Properties() {
			if p.Secret {
				if err := c.Set(p.Name, secret); err != nil {
					fmt.Fprintln(&shown, err)
				}
			}
		}
		for i := 0; i < len(extra); i += 2 {
			if err := c.Set(extra[i], extra[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		_, warnings, err := c.Finalize(1)
		fmt.Fprintln(&shown, err, warnings)
		if strings.Contains(shown.String(), secret) {
			t.Errorf("%q shows the secret: %s", extra, shown.String())
		}
	}
}

func TestWhatIsOnItsWay(t *testing.T) {
	for _, c := range []struct {
		sentence          string
		properties        []string
		inOrder           bool
		batches, requests int
	}{
		{"left alone, the line is kept full", nil, false, 5, 5},
		{"where the order counts, a partition has one at a time", nil, true, 1, 5},
		{"what was set is meant", []string{"max.in.flight", "9"}, false, 9, 9},
		{"also where the order counts", []string{"max.in.flight", "9"}, true, 1, 9},
		{"one keeps the order", []string{"max.in.flight", "1"}, false, 1, 1},
		{"sequences keep the order of as many as brokers remember", []string{"enable.idempotence", "true"}, true, 5, 5},
		{"with sequences fewer may be asked for", []string{"enable.idempotence", "true", "max.in.flight", "2"}, false, 2, 2},
	} {
		if batches, requests := settingsFor(t, c.properties...).InFlight(c.inOrder); batches != c.batches || requests != c.requests {
			t.Errorf("%s: %d batches and %d requests, want %d and %d", c.sentence, batches, requests, c.batches, c.requests)
		}
	}
}

package conf

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

// clientFor makes the kgo client of a configuration, without brokers.
func clientFor(t *testing.T, s *Settings) *kgo.Client {
	t.Helper()
	opts, err := s.Options(Deps{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// TestEveryExtremeReachesAClient gives each property the ends of its range and each of its words,
// alone and with idempotence: what librdkafka accepts, kgo must.
func TestEveryExtremeReachesAClient(t *testing.T) {
	for _, p := range Properties() {
		var texts []string
		switch p.Kind {
		case Int, Double:
			texts = append(texts, fmt.Sprint(p.Min), fmt.Sprint(p.Max))
		case Bool:
			texts = append(texts, "true", "false")
		case String, KafkaString:
			texts = append(texts, " ", strings.Repeat("x", 20000), "consistent", "0.9.0.1", "0.8.0")
		}
		for _, w := range p.Words {
			texts = append(texts, w.Name)
		}
		for _, text := range texts {
			for _, idempotence := range []string{"true", "false"} {
				c := New()
				if c.Set(p.reached(), text) != nil {
					continue
				}
				if p.Name != "enable.idempotence" {
					if err := c.Set("enable.idempotence", idempotence); err != nil {
						t.Fatal(err)
					}
				}
				s, _, err := c.Finalize(1)
				if err != nil {
					continue
				}
				opts, err := s.Options(Deps{})
				if err != nil {
					t.Fatal(err)
				}
				client, err := kgo.NewClient(opts...)
				if err != nil {
					t.Errorf("%s=%s: %v", p.reached(), text[:min(len(text), 30)], err)
					continue
				}
				client.Close()
			}
		}
	}
}

func TestOptionsOfTheDefaults(t *testing.T) {
	client := clientFor(t, settingsFor(t))
	for _, c := range []struct {
		option any
		want   any
	}{
		{kgo.ClientID, "rdkafka"},
		{kgo.DisableIdempotentWrite, true},
		{kgo.MaxProduceRequestsInflightPerBroker, 5},
		{kgo.ProducerLinger, time.Duration(0)},
		{kgo.ProducerBatchMaxBytes, int32(1000512)},
		{kgo.BrokerMaxWriteBytes, int32(100 << 20)},
		{kgo.BrokerMaxReadBytes, int32(100000000)},
		{kgo.MaxBufferedRecords, int64(math.MaxInt32)},
		{kgo.MaxBufferedBytes, int64(0)},
		{kgo.ProduceRequestTimeout, 30 * time.Second},
		{kgo.RequestTimeoutOverhead, time.Minute},
		{kgo.ConnIdleTimeout, 15 * time.Minute},
		{kgo.MetadataMinAge, 100 * time.Millisecond},
		{kgo.MetadataMaxAge, 5 * time.Minute},
		{kgo.AllowAutoTopicCreation, true},
		{kgo.UnknownTopicRetries, int64(-1)},
		{kgo.RecordRetries, int64(math.MaxInt64)},
	} {
		if got := client.OptValue(c.option); got != c.want {
			t.Errorf("%v %T, want %v %T (%v)", got, got, c.want, c.want, c)
		}
	}
}

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
		want       kgo.CompressionCodec
	}{
		{nil, kgo.NoCompression()},
		{[]string{"compression.codec", "gzip"}, kgo.GzipCompression()},
		{[]string{"compression.codec", "gzip", "compression.level", "0"}, kgo.NoCompression()},
		{[]string{"compression.codec", "gzip", "compression.level", "12"}, kgo.GzipCompression().WithLevel(9)},
		{[]string{"compression.codec", "snappy", "compression.level", "12"}, kgo.SnappyCompression()},
		{[]string{"compression.codec", "lz4"}, kgo.Lz4Compression()},
		{[]string{"compression.codec", "lz4", "compression.level", "2"}, kgo.Lz4Compression()},
		{[]string{"compression.codec", "lz4", "compression.level", "3"}, kgo.Lz4Compression().WithLevel(1 << 11)},
		{[]string{"compression.codec", "lz4", "compression.level", "12"}, kgo.Lz4Compression().WithLevel(1 << 17)},
		{[]string{"compression.codec", "zstd"}, kgo.ZstdCompression().WithLevel(int(zstd.SpeedFastest))},
		{[]string{"compression.codec", "zstd", "compression.level", "3"}, kgo.ZstdCompression().WithLevel(int(zstd.SpeedDefault))},
		{[]string{"compression.codec", "zstd", "compression.level", "1"}, kgo.ZstdCompression().WithLevel(int(zstd.SpeedFastest))},
		{[]string{"compression.codec", "zstd", "compression.level", "12"}, kgo.ZstdCompression().WithLevel(int(zstd.SpeedBestCompression))},
		{[]string{"compression.codec", "zstd", "topic.compression.codec", "none"}, kgo.NoCompression()},
		{[]string{"compression.codec", "lz4", "topic.compression.codec", "inherit"}, kgo.Lz4Compression()},
		{[]string{"topic.compression.type", "snappy"}, kgo.SnappyCompression()},
	} {
		if got := settingsFor(t, c.properties...).codec(); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.properties, got, c.want)
		}
	}
}

func TestRetryPause(t *testing.T) {
	s := settingsFor(t, "retry.backoff.ms", "100", "retry.backoff.max.ms", "1000")
	for try, usual := range map[int]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 1000: time.Second,
	} {
		for range 50 {
			if got := s.retryPause(try); got < usual*8/10 || got > min(usual*12/10, time.Second) {
				t.Errorf("try %d waits %v, want about %v", try, got, usual)
			}
		}
	}
	if got := settingsFor(t, "retry.backoff.ms", "300000", "retry.backoff.max.ms", "1").retryPause(30); got > time.Millisecond {
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

func TestRequestsOnTheirWayToABroker(t *testing.T) {
	for _, c := range []struct {
		sentence string
		set      *Settings
		inOrder  bool
		want     int
	}{
		{"left alone, the line is kept full", settingsFor(t), false, 5},
		{"left alone where the order counts, one at a time", settingsFor(t), true, 1},
		{"what was set is meant", settingsFor(t, "max.in.flight", "9"), true, 9},
		{"one keeps the order", settingsFor(t, "max.in.flight", "1"), false, 1},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			opts, err := c.set.Options(Deps{InOrder: c.inOrder})
			if err != nil {
				t.Fatal(err)
			}
			client, err := kgo.NewClient(opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if got := client.OptValue(kgo.MaxProduceRequestsInflightPerBroker); got != c.want {
				t.Errorf("%v requests, want %d", got, c.want)
			}
		})
	}
}

package conf

import (
	"context"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Deps is what a kgo client gets from its surroundings.
type Deps struct {
	Logger kgo.Logger // nil logs nothing
	Hooks  []kgo.Hook

	// Dialer connects in place of the network's own; nil is TCP with the socket properties. TLS is
	// put on top of either.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)

	// Secret gives the present value of a property that is kept outside of the configuration, such as
	// sasl.password, and false for the others. It is asked at each login, from many goroutines, and
	// must not block for long; nil asks the sources of [Conf.SetSecret].
	Secret func(property string) (text string, ok bool)

	// InOrder keeps the order of each partition through retries also where neither idempotence nor
	// max.in.flight was asked for.
	InOrder bool

	// SoftwareName and SoftwareVersion are reported to brokers unless the configuration names others.
	SoftwareName, SoftwareVersion string
}

// Limits that kgo.NewClient enforces, where librdkafka's ranges go beyond them. See the manual for
// what each one means to a property.
const (
	maxClientID     = 256
	minBatch        = 512
	maxBroker       = 1 << 30 // bytes written to or read from a broker at once
	minTimeout      = 100 * time.Millisecond
	maxTimeout      = 15 * time.Minute
	minMetadataAge  = 10 * time.Millisecond
	maxMetadataAge  = time.Hour
	usualWriteLimit = 100 << 20 // kgo's own default
)

// batchHeadroom is added to message.max.bytes for what kgo counts and librdkafka does not: the
// frame of a batch and of its record, about 100 bytes. Without it kgo refuses, later and by a text,
// a message that was accepted at the call.
const batchHeadroom = 512

// Options returns the options for a kgo client. kgo.NewClient accepts them whatever the settings
// are. The record partitioner is not among them: see [Settings.Partitioner].
//
// The queue limits its messages, waits for more of them, and expires them itself, because kgo would
// report the first too late, and the last for a whole partition together. So kgo's own limits are
// far above and its own wait is none.
func (s *Settings) Options(deps Deps) ([]kgo.Opt, error) {
	if deps.Secret == nil {
		deps.Secret = s.conf.secrets.get
	}
	dial := s.newDialer(deps)
	opts := []kgo.Opt{
		kgo.ClientID(s.ClientID[:min(len(s.ClientID), maxClientID)]),
		kgo.SoftwareNameAndVersion(s.software(deps)),
		kgo.SeedBrokers(s.seeds()...),
		kgo.Dialer(dial.connect),
		kgo.WithHooks(append([]kgo.Hook{dial}, deps.Hooks...)...),

		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.ProducerLinger(0),
		kgo.UnknownTopicRetries(-1),
		kgo.ProducerBatchMaxBytes(s.batchBytes()),
		kgo.BrokerMaxWriteBytes(max(usualWriteLimit, min(maxBroker, s.batchBytes()+1<<20))),
		kgo.BrokerMaxReadBytes(s.readBytes()),
		kgo.FetchMaxBytes(s.readBytes()),
		kgo.ProducerBatchCompression(s.codec(), kgo.NoCompression()),
		kgo.WithCompressor(s.compressor()),

		kgo.ProduceRequestTimeout(max(s.RequestTimeout, minTimeout)),
		kgo.RequestTimeoutOverhead(min(max(s.SocketTimeout, minTimeout), maxTimeout)),
		kgo.ConnIdleTimeout(s.idleTimeout()),
		kgo.MetadataMinAge(s.metadataMinAge()),
		kgo.MetadataMaxAge(min(max(s.MetadataRefresh, s.metadataMinAge()), maxMetadataAge)),
		kgo.RetryBackoffFn(s.retryPause),
	}
	if deps.Logger != nil {
		opts = append(opts, kgo.WithLogger(deps.Logger))
	}
	if s.Retries < math.MaxInt32 {
		opts = append(opts, kgo.RecordRetries(s.Retries))
	}
	if s.AllowAutoCreate {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	if !s.MetricsPush {
		opts = append(opts, kgo.DisableClientMetrics())
	}
	if s.maxVersions != "" {
		opts = append(opts, kgo.MaxVersions(kversion.FromString("v"+s.maxVersions)))
	}
	opts = append(opts, s.guarantees(deps)...)
	return append(opts, s.login(deps)...), nil
}

// guarantees returns the options about what is written how often and in which order.
func (s *Settings) guarantees(deps Deps) []kgo.Opt {
	if s.Idempotence {
		if s.Gapless {
			return []kgo.Opt{kgo.StopProducerOnDataLossDetected()}
		}
		return nil
	}
	acks := kgo.AllISRAcks()
	switch s.Acks {
	case 0:
		acks = kgo.NoAck()
	case 1:
		acks = kgo.LeaderAck()
	}
	// Compat: max.in.flight. librdkafka lets a million requests wait on a connection, and a retry of one then
	// overtakes the others. A few fill any line, because a request takes all that is waiting; with one a
	// partition would stand still for each round trip. Who sets max.in.flight gets it.
	inFlight := min(s.MaxInFlight, pipeline)
	switch {
	case s.inFlightChosen:
		inFlight = s.MaxInFlight
	case deps.InOrder:
		inFlight = 1
	}
	return []kgo.Opt{
		kgo.DisableIdempotentWrite(),
		kgo.RequiredAcks(acks),
		kgo.MaxProduceRequestsInflightPerBroker(inFlight),
	}
}

// pipeline is how many produce requests are on their way to a broker. More would only be more memory,
// and more records to send again when the connection breaks.
const pipeline = 5

// software returns the name and version to report. kgo insists on neither being empty.
func (s *Settings) software(deps Deps) (name, version string) {
	first := func(texts ...string) string {
		for _, text := range texts {
			if text = softwareName(text); text != "" {
				return text[:min(len(text), maxClientID)]
			}
		}
		return ""
	}
	return first(s.softwareName, deps.SoftwareName, "halon-extras-kafka"), first(s.softwareVersion, deps.SoftwareVersion, "0")
}

// seeds returns the brokers for kgo, which refuses an empty list where librdkafka only warns. The
// dialer knows the stand-in and never connects to it.
func (s *Settings) seeds() []string {
	if len(s.Brokers) == 0 {
		return []string{noBrokers}
	}
	return s.Brokers
}

func (s *Settings) batchBytes() int32 {
	return int32(min(max(s.MessageMaxBytes+batchHeadroom, minBatch), maxBroker))
}

func (s *Settings) readBytes() int32 { return int32(min(max(s.receiveMax, 1<<10), maxBroker)) }

func (s *Settings) idleTimeout() time.Duration {
	if s.network.idle == 0 {
		return maxTimeout
	}
	return min(max(s.network.idle, minTimeout), maxTimeout)
}

func (s *Settings) metadataMinAge() time.Duration { return max(s.MetadataFast, minMetadataAge) }

// retryPause is librdkafka's: it doubles with each try, moves by a fifth either way, and is never
// above its limit.
func (s *Settings) retryPause(try int) time.Duration {
	pause := s.RetryBackoffMax
	if shift := max(try-1, 0); shift < 32 && s.RetryBackoff<<shift < pause {
		pause = s.RetryBackoff << shift
	}
	return min(time.Duration(float64(pause)*(0.8+0.4*rand.Float64())), s.RetryBackoffMax)
}

// codec translates codec and level. librdkafka's levels are those of the C libraries; the Go ones
// have fewer steps, so the nearest that does at least as much is taken.
func (s *Settings) codec() kgo.CompressionCodec {
	switch s.Codec {
	case "gzip":
		switch {
		case s.Level < 0:
			return kgo.GzipCompression()
		case s.Level == 0:
			// Level 0 only stores, which is larger than the batch, and such a batch is sent plain.
			return kgo.NoCompression()
		}
		return kgo.GzipCompression().WithLevel(s.Level)
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		// liblz4 is fast below level 3; above 9 it only searches longer, which Go's does not.
		if s.Level < 3 {
			return kgo.Lz4Compression()
		}
		return kgo.Lz4Compression().WithLevel(int(lz4.Level1) << (min(s.Level, 9) - 1))
	case "zstd":
		return kgo.ZstdCompression().WithLevel(int(s.zstdLevel()))
	default:
		return kgo.NoCompression()
	}
}

// compressor returns our own where it is faster than the client's, and nil for the client's.
func (s *Settings) compressor() kgo.Compressor {
	switch {
	case s.Codec == "lz4" && s.Level < 3:
		return fastLz4()
	case s.Codec == "zstd":
		return pipedZstd(s.zstdLevel())
	}
	return nil
}

func (s *Settings) zstdLevel() zstd.EncoderLevel {
	switch {
	case s.Level < 0:
		// Compat: compression.level. It is left to the library, and Go's fastest makes lines of a mail log as small as its next one, in two thirds of the time.
		return zstd.SpeedFastest
	case s.Level == 0:
		return zstd.SpeedDefault // libzstd's default, which its level 0 means
	}
	return zstd.EncoderLevelFromZstd(s.Level)
}

// isSeed reports whether address was configured and not learnt from the cluster.
func (s *Settings) isSeed(address string) bool {
	for _, b := range s.Brokers {
		if strings.EqualFold(b, address) {
			return true
		}
	}
	return false
}

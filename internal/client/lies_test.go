package client

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// only lets a lie be told in answers to one kind of request.
func only(key int16, lie func(c *talk)) func(*liar, *talk) bool {
	return func(_ *liar, c *talk) bool {
		if c.key == key {
			lie(c)
		}
		return c.key == key
	}
}

// versions answers with these ranges.
func versions(keys ...[3]int16) func(*liar, *talk) bool {
	return only(versionsKey, func(c *talk) {
		r := c.req.ResponseKind().(*kmsg.ApiVersionsResponse)
		for _, k := range keys {
			v := kmsg.NewApiVersionsResponseApiKey()
			v.ApiKey, v.MinVersion, v.MaxVersion = k[0], k[1], k[2]
			r.ApiKeys = append(r.ApiKeys, v)
		}
		c.answer(r.AppendTo(nil))
	})
}

// twisted answers honestly but for what twist does.
func twisted[R kmsg.Response](twist func(r R)) func(*liar, *talk) bool {
	return func(l *liar, c *talk) bool {
		if _, ok := c.req.ResponseKind().(R); !ok {
			return false
		}
		r := l.honest(c).(R)
		twist(r)
		c.answer(r.AppendTo(nil))
		return true
	}
}

// A broker that lies for eight seconds is described in one sentence, is not asked in a tight loop,
// and is used again soon after it is honest.
func TestLiesEnd(t *testing.T) {
	hello := func(text string) func(*liar, *talk) bool {
		return func(_ *liar, c *talk) bool { c.bytes([]byte(text)); return true }
	}
	all := []struct {
		name string
		lie  func(l *liar, c *talk) bool
		says string
	}{
		{"it speaks HTTP", hello("HTTP/1.1 400 Bad Request\r\n\r\n"), "the port speaks HTTP"},
		{"it speaks TLS", hello("\x15\x03\x03\x00\x02\x02\x46"), "the port speaks TLS: set security.protocol"},
		{"it speaks SSH", hello("SSH-2.0-OpenSSH_9.6\r\n"), "the port speaks SSH"},
		{"a length beyond the limit", hello("\x7f\xff\xff\xff"), "receive.message.max.bytes is too small"},
		{"a negative length", hello("\xff\xff\xff\xff"), "receive.message.max.bytes is too small"},
		{"an empty answer", hello("\x00\x00\x00\x00"), "too short"},
		{"another number", func(_ *liar, c *talk) bool { c.id += 1000; return false }, "no open request has"},
		{"answers twice", only(metadataKey, func(c *talk) {
			r := newLiar(nil).honest(c).AppendTo(nil)
			c.answer(r)
			c.answer(r)
		}), ""},
		{"it closes at once", func(_ *liar, c *talk) bool { c.Close(); return true }, "failed one:9092 versions"},
		{"it is silent", func(*liar, *talk) bool { return true }, "no answer to ApiVersions"},
		{"versions: none", versions(), "ApiVersions is empty"},
		{"versions: only of others", versions([3]int16{1, 0, 9}), "does not take Produce"},
		{"versions: only high ones", versions([3]int16{0, 90, 99}, [3]int16{3, 90, 99}), "Produce in the versions 90 to 99"},
		{"versions: upside down", versions([3]int16{0, 9, 3}, [3]int16{3, 0, 9}), "Produce in the versions 9 to 3"},
		{"versions: negative", versions([3]int16{0, -3, 9}, [3]int16{3, 0, 9}), "Produce in the versions -3 to 9"},
		{"versions: before 0.11", versions([3]int16{0, 0, 2}, [3]int16{3, 0, 2}), "brokers before Apache Kafka 0.11 are not supported"},
		{"versions: code 35 for ever", only(versionsKey, func(c *talk) {
			c.answer(append(kbin.AppendInt16(nil, 35), 0, 0, 0, 0))
		}), "UNSUPPORTED_VERSION"},
		{"versions: cut short", only(versionsKey, func(c *talk) { c.answer([]byte{0, 0, 60, 0}) }), "ApiVersions is cut short"},
		{"metadata: no broker", twisted(func(r *kmsg.MetadataResponse) { r.Brokers = nil }), "names no broker"},
		{"metadata: no host", twisted(func(r *kmsg.MetadataResponse) { r.Brokers = broker1("", 9092) }), `a broker 1 at host "", port 9092`},
		{"metadata: a host that rings", twisted(func(r *kmsg.MetadataResponse) { r.Brokers = broker1("one\a", 9092) }), `host "one\a"`},
		{"metadata: port 0", twisted(func(r *kmsg.MetadataResponse) { r.Brokers = broker1("one", 0) }), "port 0"},
		{"metadata: port 70000", twisted(func(r *kmsg.MetadataResponse) { r.Brokers = broker1("one", 70000) }), "port 70000"},
		{"metadata: a broker twice", twisted(func(r *kmsg.MetadataResponse) { r.Brokers = append(broker1("one", 1), broker1("two", 2)...) }), "the broker 1 twice"},
		{"metadata: an unknown leader", twisted(func(r *kmsg.MetadataResponse) { r.Topics[0].Partitions[0].Leader = 9 }), "broker 9 leads partition 0"},
		{"metadata: no topic", twisted(func(r *kmsg.MetadataResponse) { r.Topics = nil }), `lacks the topic "mail"`},
		{"metadata: another topic", twisted(func(r *kmsg.MetadataResponse) { r.Topics[0].Topic = kmsg.StringPtr("male") }), `lacks the topic "mail"`},
		{"metadata: a hole in the partitions", twisted(func(r *kmsg.MetadataResponse) { r.Topics[0].Partitions[0].Partition = 2 }), "numbers a partition 2"},
		{"metadata: a partition twice", twisted(func(r *kmsg.MetadataResponse) { r.Topics[0].Partitions[0].Partition = 1 }), "numbers a partition 1"},
		{"metadata: a negative partition", twisted(func(r *kmsg.MetadataResponse) { r.Topics[0].Partitions[0].Partition = -1 }), "numbers a partition -1"},
		{"metadata: no partition", twisted(func(r *kmsg.MetadataResponse) { r.Topics[0].Partitions = nil }), ""},
		{"metadata: cut short", only(metadataKey, func(c *talk) { c.answer([]byte{0, 0, 0, 0, 90}) }), "Metadata is cut short"},
		{"metadata: zeros", only(metadataKey, func(c *talk) { c.answer(make([]byte, 1000)) }), "names no broker"},
		{"metadata: ones", only(metadataKey, func(c *talk) { c.answer([]byte(strings.Repeat("\xff", 1000))) }), "Metadata is cut short"},
		{"metadata: silence", only(metadataKey, func(*talk) {}), ""},
		{"produce: another partition", twisted(func(r *kmsg.ProduceResponse) { r.Topics[0].Partitions[0].Partition = 7 }), `partition 7 of topic`},
		{"produce: another topic", twisted(func(r *kmsg.ProduceResponse) { r.Topics[0].TopicID = [16]byte{9} }), "which was not asked for"},
		{"produce: nothing", twisted(func(r *kmsg.ProduceResponse) { r.Topics = nil }), "lacks 1 of 1 partitions"},
		{"produce: twice", twisted(func(r *kmsg.ProduceResponse) { r.Topics = append(r.Topics, r.Topics[0]) }), "is there twice"},
		{"produce: cut short", only(produceKey, func(c *talk) { c.answer([]byte{2, 9, 9}) }), "Produce is cut short"},
		{"produce: it closes", only(produceKey, func(c *talk) { c.Close() }), "lost one:9092: EOF"},
		{"produce: it closes inside an answer", only(produceKey, func(c *talk) { c.bytes([]byte{0, 0, 0, 90, 1}); c.Close() }), "inside an answer"},
		{"produce: one byte a second", only(produceKey, func(c *talk) {
			c.bytes([]byte{0, 0, 0, 90})
			for c.bytes([]byte{0}) {
				time.Sleep(time.Second)
			}
		}), "no answer to Produce for 5s"},
		{"throttle: INT_MAX", twisted(func(r *kmsg.ProduceResponse) { r.ThrottleMillis = 1<<31 - 1; r.Topics[0].Partitions[0].ErrorCode = 7 }), "throttled one:9092: 596h31m23.647s"},
	}
	for _, test := range all {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLiar(t)
				b := newBench(t, l.dial, "bootstrap.servers=one:9092", "reconnect.backoff.max.ms=4000", "socket.timeout.ms=5000", "api.version.request.timeout.ms=3000")
				defer time.Sleep(2 * time.Second) // a lie that is being told finds nobody then, and ends
				defer b.c.Close()
				start := time.Now()
				honest := start.Add(8 * time.Second)
				l.lies(func(c *talk) bool { return time.Now().Before(honest) && test.lie(l, c) })
				time.Sleep(time.Millisecond)
				b.deliver()
				if test.says == "" || strings.HasPrefix(test.says, "throttled") {
					time.Sleep(time.Until(honest))
				}
				again := b.deliver()
				if !strings.Contains(b.told(), test.says) {
					t.Errorf("the log lacks %q:\n%s", test.says, b.told())
				}
				limit := honest.Add(4*time.Second + 6*time.Second)
				if again.After(limit) {
					t.Errorf("used again after %v, the log:\n%s", again.Sub(start), b.told())
				}
				most := int64(40)
				if strings.HasPrefix(test.name, "produce: it closes") {
					most = 120 // metadata was answered well: that is a connection of use
				}
				if n := l.dials.Load(); n > most {
					t.Errorf("%d connections were made in %v", n, again.Sub(start))
				}
			})
		})
	}
}

func broker1(host string, port int32) []kmsg.MetadataResponseBroker {
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = 1, host, port
	return []kmsg.MetadataResponseBroker{b}
}

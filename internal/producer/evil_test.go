package producer

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
)

// evil is what a broker, a script or a file could say to write a line of its own, or to move the cursor.
const evil = "no\r\n<2>kafka: all is lost\x00\x1b[2J\u2028\u202e\xff"

// Each thing that the queue logs about what others name or say is one line of printable characters, which has the queue, and the topic, the
// partition, the broker and the code where it is about them, as attributes.
func TestNothingThatOthersSayReachesTheLogAsItIs(t *testing.T) {
	address := evil + ":9092"
	for _, test := range []struct {
		sentence string
		does     func(p *Producer, t *topic, part *partition)
		says     string   // words of the line
		about    []string // the attributes but the queue
	}{
		{"a name that cannot be resolved", func(p *Producer, _ *topic, _ *partition) {
			p.clientLog.Failed(address, client.Connecting, &net.DNSError{Err: evil, Name: evil, IsNotFound: true})
		}, "cannot connect", []string{"broker"}},
		{"a refused login", func(p *Producer, _ *topic, _ *partition) {
			p.clientLog.Failed(address, client.Login, fmt.Errorf("%w: %s", kerr.SaslAuthenticationFailed, evil))
		}, "the broker says: no\\x0d", []string{"broker"}},
		{"an error that nobody has foreseen", func(p *Producer, _ *topic, _ *partition) {
			p.clientLog.Failed(address, client.Versions, errors.New(evil))
		}, "fails on this side: no", []string{"broker"}},
		{"a lost connection", func(p *Producer, _ *topic, _ *partition) {
			p.clientLog.Lost(address, errors.New(evil))
		}, "the connection is lost: ", []string{"broker"}},
		{"an answer that makes no sense", func(p *Producer, _ *topic, _ *partition) {
			p.clientLog.Nonsense(address, errors.New(evil))
		}, "PROTOERR", []string{"broker"}},
		{"a pause that is asked for", func(p *Producer, _ *topic, _ *partition) {
			p.clientLog.Throttled(address, time.Hour)
		}, "asks for a pause", []string{"broker"}},
		{"a message that is given up", func(p *Producer, t *topic, _ *partition) {
			p.logFailure(resperr.MsgSizeTooLarge, t.name)
		}, "message delivery failed: ", []string{"topic", "errno 10"}},
		{"a topic that the cluster does not take", func(p *Producer, t *topic, _ *partition) {
			t.send.active = true
			p.learnCode(t, resperr.TopicException, p.now())
		}, "does not take messages of a topic", []string{"topic", "errno -188"}},
		{"settings that exclude each other", func(p *Producer, t *topic, _ *partition) {
			p.topicConflict(t.name)
		}, "TOPICCONF", []string{"topic"}},
		{"an id that is refused", func(p *Producer, _ *topic, _ *partition) {
			p.identified(&client.Event{Code: int16(resperr.ClusterAuthorizationFailed)}, p.now())
		}, "no producer id", []string{"errno 31"}},
		{"messages that may be delivered twice", func(p *Producer, t *topic, part *partition) {
			p.doubtful(t, part.id, 1, evil)
		}, "may be delivered twice", []string{"topic", "partition 3"}},
		{"topics that make no progress", func(p *Producer, t *topic, _ *partition) {
			p.noteProblem(report.Stalled, &report.Problem{Text: "topic " + several([]string{t.name})}, time.Now(), 0)
		}, "topic no\\x0d", nil},
		{"a frame that is no message", func(p *Producer, _ *topic, _ *partition) {
			defer func() { _ = recover() }() // there is no spool
			p.undecodable(&spool.Frame{Seq: 7}, errors.New(evil))
		}, "cannot be read", []string{"sequence 7"}},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(1, "mail"))
				log := &syslog{}
				p := c.logging(log, "security.protocol=sasl_plaintext", "sasl.mechanism=PLAIN", "sasl.username=u", "sasl.password=p")
				c.offer(p, 0)
				synctest.Wait()
				test.does(p, p.topicOfLocked(evil), &partition{id: 3})
				time.Sleep(2 * lossHeld)
				var found bool
				for _, line := range log.take() {
					if report.Printable(line) != line || !strings.Contains(line, " kafka: ") {
						t.Errorf("logged %q", line)
					}
					if !strings.Contains(line, test.says) {
						continue
					}
					found = true
					_, attributes, _ := strings.Cut(line, "(queue kafka1")
					for _, about := range test.about {
						if !strings.Contains(attributes, ", "+about+" ") && !strings.Contains(attributes+",", ", "+about+",") && !strings.Contains(attributes, ", "+about+")") {
							t.Errorf("%q has no attribute %s", line, about)
						}
					}
				}
				if !found {
					t.Errorf("nothing is said of it, want %q", test.says)
				}
				stop(t, p, time.Second)
			})
		})
	}
}

package e2e

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The two brokers by the names that E2E_BROKER and the conditions of the scripts use.
const (
	embedded = "embedded"
	apache   = "kafka"
)

// broker is what the command `kafka` needs from either of them. A broker serves one script at a time.
type broker interface {
	// address stays the same for as long as the script has the broker, also while it is stopped.
	address() string
	start(context.Context) error
	stop() error
	hang() error
	resume() error
	cut()
	// release ends the script's use of the broker, in whatever state the script left it.
	release() error
}

// obtain returns a running broker without topics. With autoCreate it creates those that a producer asks for.
//
// sasl, which the embedded one has only, is user:password of a login with PLAIN; its topics are then made as they are used.
func obtain(ctx context.Context, autoCreate bool, sasl string) (broker, error) {
	if under.broker == apache && sasl != "" {
		return nil, errors.New("kafka start: login= is for the embedded broker")
	}
	if under.broker == apache {
		return under.pool.lease(ctx, autoCreate)
	}
	return startEmbedded(autoCreate, sasl)
}

// patience bounds every wait of a script. It is long because two cores may start two Java processes meanwhile.
const patience = 60 * time.Second

// dial returns a client for the harness's own questions. A broker that hangs would hold the first question of a
// connection for ten seconds whatever its context says, hence the short overhead.
func dial(address string, options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(address),
		kgo.RequestTimeoutOverhead(2 * time.Second),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}, options...)...)
}

// withAdmin lends an admin client on address to do.
func withAdmin(address string, do func(*kadm.Client) error) error {
	client, err := dial(address)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(kadm.NewClient(client))
}

// createTopics returns when the broker itself knows the topics and leads them. The controller has them earlier: a broker
// that hangs right after would come back without them, and tell a clean-up that there is nothing to remove.
func createTopics(ctx context.Context, address string, partitions int32, topics ...string) error {
	return withAdmin(address, func(admin *kadm.Client) error {
		created, err := admin.CreateTopics(ctx, partitions, 1, nil, topics...)
		if err != nil {
			return err
		}
		if err := created.Error(); err != nil {
			return err
		}
		return poll(func() (bool, error) {
			known, err := admin.ListTopics(ctx, topics...)
			if err != nil {
				return false, err
			}
			for _, topic := range topics {
				if !led(known[topic], partitions) {
					return false, nil
				}
			}
			return true, nil
		})
	})
}

func led(topic kadm.TopicDetail, partitions int32) bool {
	leaders := int32(0)
	for _, p := range topic.Partitions {
		if p.Err == nil && p.Leader >= 0 {
			leaders++
		}
	}
	return topic.Err == nil && leaders == partitions
}

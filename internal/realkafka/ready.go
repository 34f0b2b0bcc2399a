package realkafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// errExited ends the wait at once when the process is gone: nobody will answer any more.
var errExited = errors.New("the broker's process ended")

// waitReady polls until the broker at address is in its own metadata with a controller. An open port is not
// enough: a broker accepts connections before its controller has let it in, and refuses topics until then.
func waitReady(ctx context.Context, address string, exited <-chan struct{}) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(address),
		kgo.RequestRetries(0),
		kgo.DialTimeout(time.Second),
		kgo.RequestTimeoutOverhead(time.Second), // a connection's first question does not heed the context
		kgo.RetryTimeout(time.Second),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)

	const between = 25 * time.Millisecond
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	for {
		last := answers(ctx, admin)
		if last == nil {
			return nil
		}
		select {
		case <-exited:
			return errExited
		case <-ctx.Done():
			return fmt.Errorf("no answer from %s: %w (last: %w)", address, ctx.Err(), last)
		case <-ticker.C:
		}
	}
}

func answers(ctx context.Context, admin *kadm.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	metadata, err := admin.BrokerMetadata(ctx)
	if err != nil {
		return err
	}
	if len(metadata.Brokers) == 0 || metadata.Controller < 0 {
		return fmt.Errorf("the controller has not let the broker in yet: %d brokers, controller %d",
			len(metadata.Brokers), metadata.Controller)
	}
	return nil
}

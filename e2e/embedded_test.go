package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/halon-extras/kafka/internal/realkafka"
	"github.com/twmb/franz-go/pkg/kfake"
)

// embeddedBroker is a kfake cluster of one broker behind a front. It keeps its data in a folder, so that a stop
// and a start are those of a broker and not of a new one.
type embeddedBroker struct {
	port       int
	folder     string
	autoCreate bool
	sasl       string
	front      *front
	cluster    *kfake.Cluster // nil while stopped
}

func startEmbedded(autoCreate bool, sasl string) (broker, error) {
	// Not port 0: the kernel could give that port to somebody else while the broker is stopped.
	port, err := realkafka.FreePort()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "kfake-")
	if err != nil {
		return nil, err
	}
	b := &embeddedBroker{port: port, folder: folder, autoCreate: autoCreate, sasl: sasl}
	if err := b.start(context.Background()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return b, nil
}

func (b *embeddedBroker) address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port))
}

func (b *embeddedBroker) start(context.Context) error {
	if b.cluster != nil {
		return fmt.Errorf("the broker at %s runs already", b.address())
	}
	options := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.Ports(b.port),
		kfake.DataDir(b.folder),
		kfake.DefaultNumPartitions(1),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			b.front = newFront(l)
			return b.front, nil
		}),
	}
	if b.autoCreate {
		options = append(options, kfake.AllowAutoTopicCreation())
	}
	if user, password, ok := strings.Cut(b.sasl, ":"); ok {
		options = append(options, kfake.EnableSASL(), kfake.Superuser("PLAIN", user, password))
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return err
	}
	b.cluster = cluster
	return nil
}

func (b *embeddedBroker) stop() error {
	if b.cluster == nil {
		return fmt.Errorf("the broker at %s does not run", b.address())
	}
	b.cluster.Close()
	b.front.resume() // whoever waits there sees a broken connection
	b.front.cut()
	b.cluster = nil
	return nil
}

func (b *embeddedBroker) hang() error {
	b.front.hang()
	return nil
}

func (b *embeddedBroker) resume() error {
	b.front.resume()
	return nil
}

func (b *embeddedBroker) cut() { b.front.cut() }

func (b *embeddedBroker) release() error {
	var err error
	if b.cluster != nil {
		err = b.stop()
	}
	return errors.Join(err, os.RemoveAll(b.folder))
}

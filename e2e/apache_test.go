package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/halon-extras/kafka/internal/realkafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// apachePool lends real brokers to scripts, one script at a time each. A broker costs three seconds of both
// cores, so it is kept for the next script; there are at most as many as scripts that run side by side.
type apachePool struct {
	mu   sync.Mutex
	idle []*apacheBroker // guarded by mu; those of both kinds of autoCreate
	all  []*apacheBroker // guarded by mu
}

// require starts the first broker, or skips or fails the test with what the machine lacks.
func (p *apachePool) require(t *testing.T) {
	t.Helper()
	b, err := p.lease(t.Context(), false)
	realkafka.Require(t, err)
	if err := b.release(); err != nil {
		t.Fatal(err)
	}
}

func (p *apachePool) lease(ctx context.Context, autoCreate bool) (broker, error) {
	if b := p.takeIdle(autoCreate); b != nil {
		return b, nil
	}
	b, err := startApache(ctx, p, autoCreate)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, b)
	return b, nil
}

func (p *apachePool) takeIdle(autoCreate bool) *apacheBroker {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range p.idle {
		if b.autoCreate == autoCreate {
			p.idle = slices.Delete(p.idle, i, i+1)
			return b
		}
	}
	return nil
}

func (p *apachePool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.all {
		_ = b.front.Close()
		b.front.cut()
		if err := b.kafka.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// apacheBroker is a real broker behind a forwarder, whose address it advertises: only there can connections
// be cut from outside the broker.
//
// It does not create topics by itself unless a script asks for that: a question that a hung broker answers after its
// script has ended would otherwise create the topic again that the clean-up has just removed.
type apacheBroker struct {
	pool       *apachePool
	port       int
	autoCreate bool
	kafka      *realkafka.Broker
	front      *front
	down       bool
}

func startApache(ctx context.Context, pool *apachePool, autoCreate bool) (*apacheBroker, error) {
	port, err := realkafka.FreePort()
	if err != nil {
		return nil, err
	}
	b := &apacheBroker{pool: pool, port: port, autoCreate: autoCreate}
	b.kafka, err = realkafka.Start(ctx, realkafka.Options{
		AutoCreateTopics: autoCreate,
		Advertised:       map[string]string{realkafka.Plaintext: b.address()},
	})
	if err != nil {
		return nil, err
	}
	if err := b.listen(); err != nil {
		return nil, errors.Join(err, b.kafka.Close())
	}
	return b, nil
}

func (b *apacheBroker) listen() error {
	l, err := net.Listen("tcp", b.address())
	if err != nil {
		return err
	}
	b.front = newFront(l)
	go b.front.forward(b.kafka.Addr())
	return nil
}

func (b *apacheBroker) address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port))
}

func (b *apacheBroker) start(ctx context.Context) error {
	if err := b.kafka.Start(ctx); err != nil {
		return err
	}
	b.down = false
	return b.listen()
}

// stop closes the forwarder first: a forwarder without a broker behind it takes connections, and a broker that
// is away refuses them.
func (b *apacheBroker) stop() error {
	if b.down {
		return fmt.Errorf("the broker at %s does not run", b.address())
	}
	b.down = true
	err := b.front.Close()
	b.front.cut()
	return errors.Join(err, b.kafka.Stop())
}

func (b *apacheBroker) hang() error   { return b.kafka.Pause() }
func (b *apacheBroker) resume() error { return b.kafka.Resume() }
func (b *apacheBroker) cut()          { b.front.cut() }

// release gives the broker back without topics. One that cannot be cleaned is not lent again.
func (b *apacheBroker) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b.front.cut()
	if b.down {
		if err := b.start(ctx); err != nil {
			return err
		}
	} else if err := b.resume(); err != nil {
		return err
	}
	err := withAdmin(b.address(), func(admin *kadm.Client) error {
		topics, err := admin.ListTopics(ctx)
		if err != nil || len(topics) == 0 {
			return err
		}
		deleted, err := admin.DeleteTopics(ctx, slices.Sorted(maps.Keys(topics))...)
		return errors.Join(err, deleted.Error())
	})
	if err != nil {
		return fmt.Errorf("remove the topics of the last script: %w", err)
	}
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	b.pool.idle = append(b.pool.idle, b)
	return nil
}

package operator

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/halon-extras/kafka/internal/conf"
)

const (
	parallelQueues  = 8
	parallelBrokers = 16
)

// reachAll asks the cluster of each queue that has settings.
func reachAll(ctx context.Context, queues []*queue, topics []string, timeout time.Duration) {
	parallel(len(queues), parallelQueues, func(i int) {
		if q := queues[i]; q.settings != nil {
			q.cluster = reach(ctx, q.settings, topics, timeout)
		}
	})
}

// parallel calls f with 0 to n-1, so many at a time, and returns when all have returned.
func parallel(n, at int, f func(i int)) {
	var all sync.WaitGroup
	room := make(chan struct{}, at)
	for i := range n {
		room <- struct{}{}
		all.Go(func() {
			f(i)
			<-room
		})
	}
	all.Wait()
}

// reach asks the cluster of one queue: each bootstrap server for the cluster and the topics, and then each
// broker that the cluster names, because those are what messages are sent to. Each of them may take timeout.
func reach(ctx context.Context, set *conf.Settings, topics []string, timeout time.Duration) *cluster {
	c := &cluster{Brokers: []broker{}, Topics: []topic{}, Problems: []exact{}, Warnings: []exact{}}
	if len(set.Brokers) == 0 {
		c.problem("bootstrap.servers names no broker: there is no cluster to reach")
		return c
	}
	asked := make([]*attempt, len(set.Brokers))
	parallel(len(asked), parallelBrokers, func(i int) {
		asked[i] = newAttempt(set, set.Brokers[i], timeout)
		asked[i].ask(ctx, metadataRequest(topics))
	})
	var answer *kmsg.MetadataResponse
	for _, a := range asked {
		if a.err == nil && answer == nil {
			answer = a.resp.(*kmsg.MetadataResponse)
		}
	}
	for _, a := range asked {
		switch {
		case a.err == nil:
		case answer != nil:
			c.warn("%s: %s; another of the bootstrap.servers answered", a.address, a.why)
		default:
			c.problem("%s: %s", a.address, a.why)
		}
	}
	if answer == nil {
		return c
	}
	if answer.ClusterID != nil {
		c.ID = exact(*answer.ClusterID)
	}
	c.Brokers = make([]broker, len(answer.Brokers))
	parallel(len(answer.Brokers), parallelBrokers, func(i int) {
		c.Brokers[i] = askBroker(ctx, set, answer.Brokers[i], timeout)
	})
	if len(c.Brokers) == 0 {
		c.problem("the cluster names no brokers: it has not started yet")
	}
	for _, name := range topics {
		c.Topics = append(c.Topics, lookAt(set, name, answer))
	}
	return c
}

// metadataRequest asks for the topics, and creates none.
func metadataRequest(topics []string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	req.IncludeTopicAuthorizedOperations = true
	req.Topics = []kmsg.MetadataRequestTopic{} // nil asks for all topics
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	return req
}

// askBroker reaches a broker by the address that the cluster names.
func askBroker(ctx context.Context, set *conf.Settings, named kmsg.MetadataResponseBroker, timeout time.Duration) broker {
	b := broker{ID: named.NodeID, Address: exact(net.JoinHostPort(named.Host, strconv.Itoa(int(named.Port))))}
	if named.Rack != nil {
		b.Rack = exact(*named.Rack)
	}
	a := newAttempt(set, string(b.Address), timeout)
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = softwareName, softwareVersion() // brokers refuse empty ones
	a.ask(ctx, req)
	if a.err != nil {
		b.Problem = exact(a.why + "; the cluster names this address in its advertised.listeners")
		return b
	}
	b.Version = kversion.FromApiVersionsResponse(a.resp.(*kmsg.ApiVersionsResponse)).VersionGuess()
	return b
}

// attempt is one request to one address, with the queue's own way of connecting and logging in.
type attempt struct {
	set     *conf.Settings
	address string
	timeout time.Duration

	written atomic.Int32 // the key of the last request that was sent, or nothing
	read    atomic.Int32 // the same of the last answer
	resp    kmsg.Response
	err     error
	why     string // err in a sentence
}

// longestClientID is kgo's limit; a broker only logs the name.
const longestClientID = 256

// nothing was sent or answered: there was no connection, or no end to its TLS handshake.
const nothing = -1

func newAttempt(set *conf.Settings, address string, timeout time.Duration) *attempt {
	a := &attempt{set: set, address: address, timeout: timeout}
	a.written.Store(nothing)
	a.read.Store(nothing)
	return a
}

// ask sends req once: an operator wants to see the first failure, and not the last of twenty.
func (a *attempt) ask(ctx context.Context, req kmsg.Request) {
	a.resp, a.err = a.request(ctx, req)
	if a.err != nil {
		a.why = oneLine(a.reason(ctx, a.err))
	}
}

func (a *attempt) request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	deps := conf.Deps{SoftwareName: softwareName, SoftwareVersion: softwareVersion()}
	dialer, connections := a.set.Dialer(deps), a.set.Connections()
	name, release := a.set.Software(deps)
	// A client of its own for each address, so that a failure belongs to it.
	opts := []kgo.Opt{
		kgo.SeedBrokers(a.address), kgo.WithHooks(a), kgo.DisableClientMetrics(), kgo.SoftwareNameAndVersion(name, release),
		kgo.ClientID(a.set.ClientID[:min(len(a.set.ClientID), longestClientID)]),
		kgo.RequestTimeoutOverhead(min(max(connections.FirstAnswer, 100*time.Millisecond), 15*time.Minute)), // kgo's own range
		kgo.Dialer(func(ctx context.Context, _, address string) (net.Conn, error) {
			conn, _, err := dialer.Connect(ctx, address)
			return conn, err
		}),
	}
	if mechanism := a.set.Login(deps); mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	if versions := a.set.MaxVersions(); versions != nil {
		opts = append(opts, kgo.MaxVersions(versions))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	resp, err := client.SeedBrokers()[0].Request(ctx, req)
	if err != nil {
		return nil, err
	}
	switch resp := resp.(type) {
	case *kmsg.MetadataResponse:
		return resp, kerr.ErrorForCode(resp.ErrorCode)
	case *kmsg.ApiVersionsResponse:
		return resp, kerr.ErrorForCode(resp.ErrorCode)
	}
	return resp, nil
}

// OnBrokerWrite implements [kgo.HookBrokerWrite].
func (a *attempt) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err == nil {
		a.written.Store(int32(key))
	}
}

// OnBrokerRead implements [kgo.HookBrokerRead].
func (a *attempt) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err == nil {
		a.read.Store(int32(key))
	}
}

package client

import "github.com/halon-extras/kafka/internal/conf"

// Client has the connections of one queue.
type Client struct{}

// New returns a client. It opens nothing.
func New(set *conf.Settings, deps Deps) *Client { _, _ = set, deps; return &Client{} }

// Close ends every connection and goroutine.
func (c *Client) Close() {}

// Connect wants a connection to a broker.
func (c *Client) Connect(broker int32) { _ = broker }

// Send writes r to the broker if its connection is up.
func (c *Client) Send(broker int32, r *Produce) bool { _, _ = broker, r; return false }

// Ready reports whether Send would take a request now.
func (c *Client) Ready(broker int32) bool { _ = broker; return false }

// AskMetadata asks for topics.
func (c *Client) AskMetadata(topics []string, create bool) { _, _ = topics, create }

// AskProducerID asks for a producer id.
func (c *Client) AskProducerID() {}

// Brokers returns where the connections stand.
func (c *Client) Brokers() []BrokerStatus { return nil }

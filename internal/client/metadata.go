package client

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// question is what metadata is asked for.
type question struct {
	topics []string
	create bool
}

// AskMetadata asks the cluster for its brokers and for these topics, none of which must be named
// twice; create lets the broker make those that it does not know. It does not block: the event
// [MetadataReceived] or [MetadataFailed] follows. One question is asked at a time, and one that waits for
// its turn is replaced by the next, without an event.
func (c *Client) AskMetadata(topics []string, create bool) {
	q := &question{topics: slices.Clone(topics), create: create}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking {
		c.waiting = q
		return
	}
	if c.fresh.IsZero() {
		c.fresh = time.Now()
	}
	c.asking = c.spawnLocked(func() { c.askQuestions(q) })
}

// askQuestions asks q, and what comes to wait meanwhile.
func (c *Client) askQuestions(q *question) {
	for q != nil {
		c.emit(c.answer(q))
		q = c.nextQuestion()
	}
}

func (c *Client) nextQuestion() *question {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.waiting
	c.waiting, c.asking = nil, q != nil
	return q
}

// answer asks one question.
func (c *Client) answer(q *question) Event {
	m, err := inquire(c, metadataKey, q.body, q.read)
	if err != nil {
		c.rebootstrap(err)
		return Event{Kind: MetadataFailed, Err: err}
	}
	c.learn(m.addresses)
	return Event{Kind: MetadataReceived, Metadata: &m.Metadata}
}

// body appends the request, which names topics always: none of them is not all of them.
func (q *question) body(dst []byte, version int16) []byte {
	r := kmsg.NewMetadataRequest()
	r.Version = version
	r.AllowAutoTopicCreation = q.create
	r.Topics = make([]kmsg.MetadataRequestTopic, 0, len(q.topics))
	for i := range q.topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &q.topics[i]
		r.Topics = append(r.Topics, t)
	}
	return r.AppendTo(dst)
}

// metadataAnswer is metadata with the addresses of the brokers.
type metadataAnswer struct {
	Metadata
	addresses map[int32]string
}

// read reads an answer, and says what makes no sense in it.
//
//	throttle, [ id, host, port, rack ], cluster id, controller,
//	[ code, name, id (10), internal, [ code, partition, leader, epoch (7), [ replica ], [ in sync ], [ offline ] (5) ], allowed (8) ],
//	allowed (8 to 10), code (13)
func (q *question) read(a *cursor, version int16) (m metadataAnswer, throttle int32, err error) {
	throttle = a.Int32()
	if err := m.readBrokers(a); err != nil {
		return m, 0, err
	}
	m.ClusterID = string(a.text())
	m.Controller = a.Int32()
	want := make(map[string]int, len(q.topics))
	for _, t := range q.topics {
		want[t] = len(want)
	}
	m.Topics = make([]Topic, len(q.topics))
	for range a.count(9) {
		if err := m.readTopic(a, version, want); err != nil {
			return m, 0, err
		}
	}
	if version >= 8 && version <= 10 {
		a.Int32()
	}
	var code int16
	if version >= 13 {
		code = a.Int16()
	}
	if err := a.made("Metadata"); err != nil {
		return m, 0, err
	}
	if code != 0 {
		return m, 0, kerr.ErrorForCode(code)
	}
	for name := range want {
		return m, 0, nonsensef("the answer to Metadata lacks the topic %s", quoted(name))
	}
	return m, throttle, nil
}

func (m *metadataAnswer) readBrokers(a *cursor) error {
	n := a.count(12)
	m.addresses = make(map[int32]string, min(n, 64))
	for range n {
		id, host, port := a.Int32(), string(a.text()), a.Int32()
		a.text() // the rack
		a.tags()
		if !a.Ok() {
			return a.made("Metadata")
		}
		if id < 0 || !plausible(host) || port < 1 || port > 65535 {
			return nonsensef("the answer to Metadata has a broker %d at host %s, port %d", id, quoted(host), port)
		}
		if _, twice := m.addresses[id]; twice {
			return nonsensef("the answer to Metadata has the broker %d twice", id)
		}
		m.addresses[id] = net.JoinHostPort(host, strconv.Itoa(int(port)))
		m.Brokers = append(m.Brokers, id)
	}
	if err := a.made("Metadata"); err != nil {
		return err
	}
	if n == 0 {
		return nonsensef("the answer to Metadata names no broker")
	}
	return nil
}

// plausible reports whether a host could be one: names and addresses have no blanks and nothing that
// a terminal would obey.
func plausible(host string) bool {
	odd := func(c rune) bool { return c <= ' ' || c >= 0x7f }
	return host != "" && len(host) <= 255 && !strings.ContainsFunc(host, odd)
}

// quoted returns what a broker has sent in a form that is safe to log.
func quoted(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// shown returns a sentence of a broker's: as it is, if nothing in it is odd.
func shown(s string, most int) string {
	s = s[:min(len(s), most)]
	if q := strconv.QuoteToASCII(s); q != `"`+s+`"` {
		return q
	}
	return s
}

// readTopic reads a topic. One that nobody asked for is stepped over; want loses the others.
func (m *metadataAnswer) readTopic(a *cursor, version int16, want map[string]int) error {
	code, name := a.Int16(), a.text()
	at, asked := want[string(name)]
	var t Topic
	if version >= 10 {
		t.ID = a.Uuid()
	}
	a.Bool() // internal
	n := a.count(18)
	if asked {
		t.Name, t.Code = string(name), code
		t.Partitions = make([]Partition, n)
		for i := range t.Partitions {
			t.Partitions[i].ID = -1
		}
	}
	for range n {
		p := Partition{Code: a.Int16(), ID: a.Int32(), Leader: a.Int32(), LeaderEpoch: -1}
		if version >= 7 {
			p.LeaderEpoch = a.Int32()
		}
		p.Replicas, p.InSync = a.skipNumbers(), a.skipNumbers()
		if version >= 5 {
			a.skipNumbers()
		}
		a.tags()
		if !a.Ok() || !asked {
			continue
		}
		if err := m.put(&t, p); err != nil {
			return err
		}
	}
	if version >= 8 {
		a.Int32()
	}
	a.tags()
	if err := a.made("Metadata"); err != nil || !asked {
		return err
	}
	if t.Code == 0 && n == 0 {
		t.Code = kerr.LeaderNotAvailable.Code // as brokers themselves say of a topic that is being made
	}
	delete(want, t.Name)
	m.Topics[at] = t
	return nil
}

// put puts a partition where it belongs.
func (m *metadataAnswer) put(t *Topic, p Partition) error {
	if p.ID < 0 || int(p.ID) >= len(t.Partitions) || t.Partitions[p.ID].ID >= 0 {
		return nonsensef("the answer to Metadata numbers a partition %d in topic %s, which has %d", p.ID, quoted(t.Name), len(t.Partitions))
	}
	if _, ok := m.addresses[p.Leader]; !ok {
		if p.Code == 0 && p.Leader >= 0 {
			return nonsensef("the answer to Metadata says that broker %d leads partition %d of topic %s, and names no such broker", p.Leader, p.ID, quoted(t.Name))
		}
		p.Leader = -1
	}
	t.Partitions[p.ID] = p
	return nil
}

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/halon-extras/kafka/internal/smtpdconf"
)

func config(t *testing.T, text string) *smtpdconf.Node {
	t.Helper()
	f, err := smtpdconf.Parse("smtpd.yaml", []byte("plugins:\n- id: kafka\n  config: "+text+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return f.Plugins[0].Config
}

// flat is each queue's properties as text.
func flat(n *smtpdconf.Node) (out []map[string]string) {
	queueConfigs(n, func(_, c *smtpdconf.Node) {
		queue := map[string]string{}
		for _, m := range c.Members {
			queue[m.Key.Text] = m.Value.Text
		}
		out = append(out, queue)
	})
	return out
}

func TestRedirect(t *testing.T) {
	const text = "{queues: [{id: a, config: &c {bootstrap.servers: kafka:9092, acks: 1}}, {id: b, config: *c}, " +
		"{id: c, config: {metadata.broker.list: old:1}}, {id: d, config: {}}, {id: e, config: text}, {id: f}, 5]}"
	before := config(t, text)
	got := flat(redirect(before, "127.0.0.1:1"))
	want := []map[string]string{
		{"bootstrap.servers": "127.0.0.1:1", "acks": "1"},
		{"bootstrap.servers": "127.0.0.1:1", "acks": "1"},
		{"bootstrap.servers": "127.0.0.1:1"},
		{"bootstrap.servers": "127.0.0.1:1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(flat(config(t, text)), flat(before)); diff != "" {
		t.Errorf("the configuration itself has changed:\n%s", diff)
	}
	if redirect(nil, "x:1") != nil {
		t.Error("no configuration became one")
	}
}

func TestServersOf(t *testing.T) {
	for text, want := range map[string]string{
		"{queues: [{id: a, config: {}}, {id: b, config: {metadata.broker.list: 'x:1,y:2'}}]}": "x:1,y:2",
		"{queues: [{id: a, config: {bootstrap.servers: ~}}]}":                                 "",
		"{queues: 5}": "",
		"~":           "",
	} {
		if got := serversOf(config(t, text)); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

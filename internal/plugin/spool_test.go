package plugin

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/halon-extras/kafka/internal/queueconf"
)

func withSpool(id string, spool *Node) *Node {
	return object("id", text(id), "config", object(), "spool", spool)
}

// What configurations are made of.
type (
	Node  = queueconf.Node
	Field = queueconf.Field
)

func TestASpoolThatIsInUse(t *testing.T) {
	spool := func(locked string) *Node {
		return object("queues", list(withSpool("q", object("path", text(filepath.Join(t.TempDir(), "s")), "locked", text(locked)))))
	}
	config := spool("error")
	first := New(discard(), nil)
	if err := first.Start(config, nil); err != nil {
		t.Fatal(err)
	}
	defer first.Stop()
	second := New(discard(), nil)
	if err := second.Start(config, nil); err == nil {
		second.Stop()
		t.Error("two starts on one folder")
	}
	member := config.Get("queues").List[0].Get("spool")
	member.Object[1].Value = text("memory")
	if err := second.Start(config, nil); err != nil {
		t.Fatal(err)
	}
	if second.Find([]byte("q")).Spooled() || !first.Find([]byte("q")).Spooled() {
		t.Error("the second one should work in memory, the first one on the disk")
	}
	second.Stop()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

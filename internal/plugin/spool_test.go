package plugin

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/halon-extras/kafka/internal/producer"
)

func withSpool(id string, spool *Node) *Node {
	return object("id", text(id), "config", object(), "spool", spool)
}

func TestASpoolIsReadOrRefusedWithItsProperty(t *testing.T) {
	const gib = 1 << 30
	plain := producer.SpoolConfig{Path: "/s", MaxBytes: 10 * gib, SegmentBytes: 64 << 20, DeadLetter: true}
	with := func(change func(*producer.SpoolConfig)) *producer.SpoolConfig {
		c := plain
		change(&c)
		return &c
	}
	path := []any{"path", text("/s")}
	for _, test := range []struct {
		sentence string
		spool    *Node
		want     *producer.SpoolConfig
		err      string
	}{
		{"no spool", nil, nil, ""},
		{"a path is enough", object(path...), &plain, ""},
		{"a path is tidied", object("path", text("/a/../s/")), &plain, ""},
		{
			"all of it", object(append(path, "mode", text("spill"), "max_bytes", text("65536"), "segment_bytes", text("4096"), "on_full", text("wait"),
				"max_age", text("60"), "dead_letter", text("false"), "locked", text("memory"), "headers", object("id", text("x-spool-id")))...),
			with(func(c *producer.SpoolConfig) {
				*c = producer.SpoolConfig{
					Path: "/s", Spill: true, MaxBytes: 65536, SegmentBytes: 4096, OnFull: producer.Wait,
					MaxAge: time.Minute, LockedMemory: true, IDHeader: "x-spool-id",
				}
			}), "",
		},
		{"drop_oldest", object(append(path, "on_full", text("drop_oldest"))...), with(func(c *producer.SpoolConfig) { c.OnFull = producer.DropOldest }), ""},
		{"empty headers", object(append(path, "headers", &Node{})...), &plain, ""},
		{"no object", text("/s"), nil, "q: spool: it must be an object with a path"},
		{"an empty object", &Node{}, nil, "q: spool: path: it is missing, name a folder of this queue's own"},
		{"an empty path", object("path", text("")), nil, "q: spool: path: it is empty, name a folder of this queue's own"},
		{"a list as path", object("path", list(text("/s"))), nil, "q: spool: path: it must be one value"},
		{"a property that does not exist", object(append(path, "max_size", text("1G"))...), nil, `q: spool: max_size: there is no such property, its value is "1G"`},
		{"a mode that does not exist", object("mode", text("fast")), nil, `q: spool: mode: "fast" must be durable or spill`},
		{"an answer that does not exist", object("on_full", text("block")), nil, `q: spool: on_full: "block" must be error, wait or drop_oldest`},
		{"locked in other words", object("locked", text("no")), nil, `q: spool: locked: "no" must be error or memory`},
		{"dead letters perhaps", object("dead_letter", text("maybe")), nil, `q: spool: dead_letter: "maybe" must be true or false`},
		{"a size with a unit", object("max_bytes", text("10G")), nil, `q: spool: max_bytes: "10G" must be a whole number from 65536 to 9223372036854775807`},
		{"a size that is too small", object("max_bytes", text("65535")), nil, `q: spool: max_bytes: "65535" must be a whole number from 65536 to 9223372036854775807`},
		{"a segment that is too small", object("segment_bytes", text("0")), nil, `q: spool: segment_bytes: "0" must be a whole number from 4096 to 4294967295`},
		{"an age before now", object("max_age", text("-1")), nil, `q: spool: max_age: "-1" must be a whole number from 0 to 9223372036`},
		{"headers as text", object("headers", text("x")), nil, "q: spool: headers: it must be an object with the name of a header as id"},
		{"another header", object("headers", object("key", text("x"))), nil, "q: spool: headers: key: there is no such header, only id"},
		{"a header without a name", object("headers", object("id", text(""))), nil, "q: spool: headers: id: it must be the name of a header"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			got, err := ReadConfig(object("queues", list(withSpool("q", test.spool))))
			switch {
			case err != nil && err.Error() != test.err:
				t.Errorf("refused with %q, want %q", err, test.err)
			case err == nil && test.err != "":
				t.Errorf("accepted, want %q", test.err)
			case err == nil:
				if diff := cmp.Diff(test.want, got[0].Spool); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestTwoQueuesWithOneFolderAreRefused(t *testing.T) {
	spool := object("path", text("/s"))
	_, err := ReadConfig(object("queues", list(withSpool("a", spool), withSpool("b", spool))))
	if want := `b: spool: path: "/s" is the folder of queue a, give each its own`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestASpoolThatIsInUse(t *testing.T) {
	spool := func(locked string) *Node {
		return object("queues", list(withSpool("q", object("path", text(filepath.Join(t.TempDir(), "s")), "locked", text(locked)))))
	}
	config := spool("error")
	first := New(discard(), nil)
	if err := first.Start(config); err != nil {
		t.Fatal(err)
	}
	defer first.Stop()
	second := New(discard(), nil)
	if err := second.Start(config); err == nil {
		second.Stop()
		t.Error("two starts on one folder")
	}
	member := config.Get("queues").List[0].Get("spool")
	member.Object[1].Value = text("memory")
	if err := second.Start(config); err != nil {
		t.Fatal(err)
	}
	if second.Find([]byte("q")).Spooled() || !first.Find([]byte("q")).Spooled() {
		t.Error("the second one should work in memory, the first one on the disk")
	}
	second.Stop()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

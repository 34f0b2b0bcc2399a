package queueconf

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func text(s string) *Node { return &Node{Scalar: true, Text: s} }

func object(pairs ...any) *Node {
	n := &Node{}
	for i := 0; i < len(pairs); i += 2 {
		n.Object = append(n.Object, Field{pairs[i].(string), pairs[i+1].(*Node)})
	}
	return n
}

func list(ns ...*Node) *Node { return &Node{List: ns} }

func withSpool(id string, spool *Node) *Node {
	return object("id", text(id), "config", object(), "spool", spool)
}

func one() int { return 1 }

func TestASpoolIsReadOrRefusedWithItsProperty(t *testing.T) {
	const gib = 1 << 30
	dir := t.TempDir()
	plain := Spool{Path: dir, MaxBytes: 10 * gib, SegmentBytes: 64 << 20, DeadLetter: true}
	with := func(change func(*Spool)) *Spool {
		c := plain
		change(&c)
		return &c
	}
	path := []any{"path", text(dir)}
	for _, test := range []struct {
		sentence string
		spool    *Node
		want     *Spool
		err      string
	}{
		{"no spool", nil, nil, ""},
		{"a path is enough", object(path...), &plain, ""},
		{"a path is tidied", object("path", text(dir+"/a/../")), &plain, ""},
		{
			"all of it", object(append(path, "mode", text("spill"), "max_bytes", text("65536"), "segment_bytes", text("4096"), "on_full", text("wait"),
				"max_age", text("60"), "dead_letter", text("false"), "locked", text("memory"), "headers", object("id", text("x-spool-id")))...),
			with(func(c *Spool) {
				*c = Spool{
					Path: dir, Spill: true, MaxBytes: 65536, SegmentBytes: 4096, OnFull: Wait,
					MaxAge: time.Minute, LockedMemory: true, IDHeader: "x-spool-id",
				}
			}), "",
		},
		{"drop_oldest", object(append(path, "on_full", text("drop_oldest"))...), with(func(c *Spool) { c.OnFull = DropOldest }), ""},
		{"empty headers", object(append(path, "headers", &Node{})...), &plain, ""},
		{"no object", text("/s"), nil, "q: spool: it must be an object with a path"},
		{"an empty object", &Node{}, nil, "q: spool: path: it is missing, name a folder of this queue's own"},
		{"an empty path", object("path", text("")), nil, "q: spool: path: it is empty, name a folder of this queue's own"},
		{"a list as path", object("path", list(text("/s"))), nil, "q: spool: path: it must be one value"},
		{"a property that does not exist", object(append(path, "max_size", text("1G"))...), nil, `q: spool: max_size: there is no such property`},
		{"a mode that does not exist", object("mode", text("fast")), nil, `q: spool: mode: "fast" must be durable or spill`},
		{"an answer that does not exist", object("on_full", text("block")), nil, `q: spool: on_full: "block" must be error, wait or drop_oldest`},
		{"locked in other words", object("locked", text("no")), nil, `q: spool: locked: "no" must be error or memory`},
		{"dead letters perhaps", object("dead_letter", text("maybe")), nil, `q: spool: dead_letter: "maybe" must be true or false`},
		{"a relative path", object("path", text("spool")), nil, `q: spool: path: "spool" is relative to wherever the process starts, write the whole path`},
		{"the root", object("path", text("/a/..")), nil, `q: spool: path: "/a/.." is the root of the file system, name a folder of this queue's own`},
		{"a slip", object(append(path, "max_byte", text("1"))...), nil, `q: spool: max_byte: there is no such property (is max_bytes meant?)`},
		{"a size with another unit", object("max_bytes", text("10G")), nil, `q: spool: max_bytes: "10G" must be a whole number of bytes, or one with B, KiB, MiB, GiB or TiB, from 65536 to 9223372036854775807`},
		{"a size that is too small", object("max_bytes", text("65535")), nil, `q: spool: max_bytes: "65535" must be a whole number of bytes, or one with B, KiB, MiB, GiB or TiB, from 65536 to 9223372036854775807`},
		{"a segment that is too small", object("segment_bytes", text("0")), nil, `q: spool: segment_bytes: "0" must be a whole number of bytes, or one with B, KiB, MiB, GiB or TiB, from 4096 to 4294967295`},
		{"an age before now", object("max_age", text("-1")), nil, `q: spool: max_age: "-1" must be a whole number of seconds, or days, hours, minutes and seconds such as 5d or 1h30m, from 0 to 9223372036 seconds`},
		{"headers as text", object("headers", text("x")), nil, "q: spool: headers: it must be an object with the name of a header as id"},
		{"another header", object("headers", object("key", text("x"))), nil, "q: spool: headers: key: there is no such header, only id"},
		{"a header without a name", object("headers", object("id", text(""))), nil, "q: spool: headers: id: it must be the name of a header"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			got, found := Read(object("queues", list(withSpool("q", test.spool))), one)
			err := found.Refusal()
			switch {
			case err != nil && err.Error() != test.err:
				t.Errorf("refused with %q, want %q", err, test.err)
			case err == nil && test.err != "":
				t.Errorf("accepted, want %q", test.err)
			case err == nil:
				if diff := cmp.Diff(test.want, got.Queues[0].Spool, cmpopts.IgnoreUnexported(Spool{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestFoldersOfSpools(t *testing.T) {
	dir := t.TempDir()
	in := func(path string) *Node { return object("path", text(filepath.Join(dir, path))) }
	for _, link := range [][2]string{{"/", "root"}, {dir, "self"}, {"nowhere", "dangling"}} {
		if err := os.Symlink(link[0], filepath.Join(dir, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{"odd", "letters", "one", "two"} {
		if err := os.MkdirAll(filepath.Join(dir, made), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, of := range []string{"one", "two"} {
		if err := os.Symlink(filepath.Join(dir, "letters"), filepath.Join(dir, of, "dead")); err != nil {
			t.Fatal(err)
		}
	}
	without := func(n *Node) *Node {
		n.Object = append(n.Object, Field{Key: "dead_letter", Value: text("false")})
		return n
	}
	if err := os.WriteFile(filepath.Join(dir, "odd", "dead"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		sentence string
		spools   []*Node
		want     string // with D for the folder
	}{
		{"a missing folder is made at the start", []*Node{in("new/a/b")}, ""},
		{"two folders", []*Node{in("a"), in("b")}, ""},
		{"one folder twice", []*Node{in("a"), in("a")}, `b: spool: path: "D/a" is the folder of queue a, give each its own`},
		{"one folder by two ways", []*Node{in("x"), in("self/x")}, `b: spool: path: "D/self/x" is the folder of queue a, give each its own`},
		{"a spool where another one has its dead letters", []*Node{in("a"), in("a/dead")}, `b: spool: path: "D/a/dead" and "D/a" of queue a: one holds the dead letters of the other, give each its own`},
		{"the same, the other way round", []*Node{in("a/dead"), in("a")}, `b: spool: path: "D/a" and "D/a/dead" of queue a: one holds the dead letters of the other, give each its own`},
		{"a queue where another one would have dead letters", []*Node{without(in("a")), in("a/dead")}, `b: spool: path: "D/a/dead" and "D/a" of queue a: one holds the dead letters of the other, give each its own`},
		{"the same, the other way round", []*Node{in("a/dead"), without(in("a"))}, `b: spool: path: "D/a" and "D/a/dead" of queue a: one holds the dead letters of the other, give each its own`},
		{"dead letters of two queues in one folder", []*Node{in("one"), in("two")}, `b: spool: path: "D/two" and "D/one" of queue a have the same folder D/letters, give each its own`},
		{"a spool in a folder that is linked as that of dead letters", []*Node{in("letters"), in("one")}, `b: spool: path: "D/one" and "D/letters" of queue a: one holds the dead letters of the other, give each its own`},
		{"a file", []*Node{in("file")}, `a: spool: path: "D/file" is a file, name a folder`},
		{"below a file", []*Node{in("file/a")}, `a: spool: path: "D/file/a" cannot be made: D/file is not a folder`},
		{"a file in place of the dead letters", []*Node{in("odd")}, `a: spool: path: "D/odd/dead", where dead letters go, is a file, name a folder`},
		{"a link to nothing", []*Node{in("dangling")}, `a: spool: path: "D/dangling" is a symbolic link to nothing, remove it or make what it names`},
		{"below a link to nothing", []*Node{in("dangling/a")}, `a: spool: path: "D/dangling/a" cannot be made: D/dangling is not a folder`},
	} {
		var queues []*Node
		for i, spool := range test.spools {
			queues = append(queues, withSpool(string(rune('a'+i)), spool))
		}
		_, found := Read(object("queues", list(queues...)), one)
		got := ""
		if err := found.Refusal(); err != nil {
			got = strings.ReplaceAll(err.Error(), dir, "D")
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.sentence, got, test.want)
		}
	}
}

func TestAFolderWithoutTheRightToWrite(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                     "cannot be read and written: permission denied",
		filepath.Join(dir, "a"): "does not exist and cannot be made in " + dir + ": permission denied",
	} {
		if err := usable(path); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// Whoever may write the folder of a spool can remove and replace what is in it: the start and check say so, and take it.
func TestAFolderThatOthersMayWriteIsWarnedAbout(t *testing.T) {
	for _, test := range []struct {
		name string
		mode os.FileMode
		of   int // the user that owns it; -1 is this one
		want string
	}{
		{"one's own", 0o700, -1, ""},
		{"others may read", 0o755, -1, ""},
		{"its group may write", 0o770, -1, `"D" may be written by others (mode 0770), who can remove and replace its files: chmod it to 0700`},
		{"everybody may write", 0o777 | os.ModeSticky, -1, `"D" may be written by others (mode 0777), who can remove and replace its files: chmod it to 0700`},
		{"another user's", 0o777, 65534, `"D" belongs to user 65534, who can remove and replace its files, and the mail server is user ME: chown it to that one`},
	} {
		if test.of >= 0 && os.Getuid() != 0 {
			continue // only root gives files away
		}
		for _, dead := range []bool{false, true} {
			dir := t.TempDir()
			odd := dir
			if dead {
				if odd = filepath.Join(dir, "dead"); os.Mkdir(odd, 0o700) != nil {
					t.Fatal("no folder")
				}
			}
			if err := errors.Join(os.Chown(odd, test.of, -1), os.Chmod(odd, test.mode)); err != nil {
				t.Fatal(err)
			}
			_, found := Read(object("queues", list(withSpool("a", object("path", text(dir))))), one)
			if err := found.Refusal(); err != nil {
				t.Errorf("%s: refused: %v", test.name, err)
			}
			got := ""
			for _, f := range found {
				if f.Grade == Warning && f.Log {
					got += f.Line()
				}
			}
			want := test.want
			if want != "" {
				want = "a: spool: path: " + strings.NewReplacer(`"D"`, strconv.Quote(odd), "ME", strconv.Itoa(os.Geteuid())).Replace(want)
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", test.name, got, want)
			}
		}
	}
}

func TestHalonsUnits(t *testing.T) {
	for text, want := range map[string]int64{
		"65536": 65536, "10GiB": 10 << 30, "64KiB": 65536, "1TiB": 1 << 40, "70000B": 70000, "5MiB": 5 << 20,
		"": -1, "GiB": -1, "10GB": -1, "10 GiB": -1, "10gib": -1, "1.5GiB": -1, "-1GiB": -1, "+1GiB": -1, "0x10000": -1, "65_536": -1,
		"9999999TiB": -1, "99999999999999999999": -1, "8388608TiB": -1,
	} {
		got, err := size(text, 65536, 1<<62)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("size %q: %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"0": 0, "60": time.Minute, "5d": 120 * time.Hour, "1h30m": 90 * time.Minute, "1d2h3m4s": 26*time.Hour + 3*time.Minute + 4*time.Second, "0s": 0,
		"": -1, "d": -1, "5": 5 * time.Second, "5 d": -1, "5D": -1, "1m1h": -1, "1m1m": -1, "5w": -1, "500ms": -1, "-5d": -1, "5d4": -1, "1.5h": -1, "200000d": -1,
		"99999999999999999999d": -1, "106751d24h": -1,
	} {
		got, err := age(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("age %q: %v, want %v", text, got, want)
		}
	}
}

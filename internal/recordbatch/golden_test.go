package recordbatch

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/halon-extras/kafka/internal/record"
)

var update = flag.Bool("update", false, "let librdkafka and the Java client write the batches of testdata/golden again")

// exactly takes null and empty for different.
var exactly = cmp.Options{cmp.AllowUnexported(rec{}), cmp.Comparer(same)}

// A golden is a file of testdata/golden: the configuration and the records of a case, and the batches of them that other clients wrote.
//
// A record is its timestamp, key, value and headers (name=value). Bytes are null or quoted as in Go, and *N repeats them; `N x` in front
// of a record or a header is N of them; `flush` ends a batch.
type golden struct {
	file        string
	archive     *txtar.Archive
	codec       string
	idempotence string
	batches     [][]rec
}

func readGolden(t *testing.T, file string) golden {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := golden{file: file, archive: archive, codec: "none", idempotence: "false"}
	for line := range strings.Lines(string(archive.Comment)) {
		if codec, ok := strings.CutPrefix(line, "compression.codec="); ok {
			g.codec = strings.TrimSpace(codec)
		}
		if idempotence, ok := strings.CutPrefix(line, "enable.idempotence="); ok {
			g.idempotence = strings.TrimSpace(idempotence)
		}
	}
	if len(archive.Files) == 0 || archive.Files[0].Name != "records" {
		t.Fatalf("%s: no records", file)
	}
	g.batches = [][]rec{nil}
	for line := range strings.Lines(string(archive.Files[0].Data)) {
		if line == "flush\n" {
			g.batches = append(g.batches, nil)
			continue
		}
		w := words{rest: strings.TrimSpace(line)}
		n, last := w.times(), &g.batches[len(g.batches)-1]
		r := w.rec()
		if w.err != nil {
			t.Fatalf("%s: %s: %v", file, line, w.err)
		}
		for range n {
			*last = append(*last, r)
		}
	}
	return g
}

// words are what is left of a line.
type words struct {
	rest string
	err  error
}

func (w *words) rec() (r rec) {
	stamp, rest, _ := strings.Cut(w.rest, " ")
	r.timestamp, w.err = strconv.ParseInt(stamp, 10, 64)
	w.rest = rest
	r.key, r.value = w.bytes(), w.bytes()
	for w.err == nil && w.rest != "" {
		n := w.times()
		h := Header{Key: string(w.bytes()), Value: w.bytes()}
		for range n {
			r.headers = append(r.headers, h)
		}
	}
	return r
}

// times reads `N x`, if that is there.
func (w *words) times() int {
	count, rest, ok := strings.Cut(w.rest, " x ")
	n, err := strconv.Atoi(count)
	if !ok || err != nil {
		return 1
	}
	w.rest = rest
	return n
}

func (w *words) bytes() []byte {
	if w.err != nil {
		return nil
	}
	if rest, ok := strings.CutPrefix(w.rest, "null"); ok {
		w.skip(rest)
		return nil
	}
	quoted, err := strconv.QuotedPrefix(w.rest)
	if err != nil {
		w.err = fmt.Errorf("%q is neither null nor quoted", w.rest)
		return nil
	}
	text, _ := strconv.Unquote(quoted)
	rest, n := w.rest[len(quoted):], 1
	if star, ok := strings.CutPrefix(rest, "*"); ok {
		digits, _, _ := strings.Cut(star, " ")
		n, w.err = strconv.Atoi(digits)
		rest = star[len(digits):]
	}
	w.skip(rest)
	return bytes.Repeat([]byte(text), n)
}

// skip goes on behind the separator.
func (w *words) skip(rest string) { w.rest = strings.TrimLeft(rest, " =") }

// client is one of the sections with the batches that a client wrote: a line for each, in hexadecimal digits.
func (g *golden) client(t *testing.T, data []byte) (batches [][]byte) {
	for line := range strings.Lines(string(data)) {
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", g.file, err)
		}
		batches = append(batches, b)
	}
	return batches
}

// TestWhatOtherClientsWrite holds batches against those of librdkafka and of the Java client for the same records. Without
// compression they are the same bytes; with it, they are read.
//
// `go test ./internal/recordbatch -run TestWhatOtherClientsWrite -update` writes them again. It needs build/venv, build/kafka-jars
// (make test-kafka makes both) and Java.
func TestWhatOtherClientsWrite(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			g := readGolden(t, file)
			if *update {
				g.update(t)
			}
			if len(g.archive.Files) != 3 {
				t.Fatalf("want the records, and the batches of two clients")
			}
			for _, section := range g.archive.Files[1:] {
				theirs := g.client(t, section.Data)
				if len(theirs) != len(g.batches) {
					t.Fatalf("%s: %d batches, want %d", section.Name, len(theirs), len(g.batches))
				}
				for i, their := range theirs {
					g.compare(t, section.Name, their, g.batches[i])
				}
			}
		})
	}
}

func (g *golden) compare(t *testing.T, client string, theirs []byte, records []rec) {
	h, got := decodeAll(t, theirs)
	if diff := cmp.Diff(records, got, exactly); diff != "" {
		t.Errorf("%s, read (-want +got):\n%s", client, diff)
	}
	if (h.ProducerID >= 0) != (g.idempotence == "true") {
		t.Errorf("%s: head %+v", client, h)
	}
	codec, err := NewCodec(g.codec, -1)
	if err != nil {
		t.Fatal(err)
	}
	ours := encode(h, codec, records...)
	if h2, again := decodeAll(t, ours); h2 != h || !cmp.Equal(again, records, exactly) {
		t.Errorf("%s: our own batch of the same is read as %+v, %+v", client, h2, again)
	}
	java := strings.HasPrefix(client, "kafka-clients")
	if !java && ours[atAttributes+1] != theirs[atAttributes+1] {
		t.Errorf("%s: attributes %#x, ours %#x", client, theirs[atAttributes+1], ours[atAttributes+1])
	}
	if g.codec != "none" {
		return
	}
	if java {
		// The leader epoch is the broker's, and no CRC covers it.
		theirs = bytes.Clone(theirs)
		if binary.BigEndian.Uint32(theirs[atEpoch:]) != 1<<32-1 {
			t.Errorf("%s: the leader epoch is not -1", client)
		}
		binary.BigEndian.PutUint32(theirs[atEpoch:], 0)
	}
	if !bytes.Equal(ours, theirs) {
		t.Errorf("%s wrote\n%x\nand we\n%x", client, theirs, ours)
	}
}

// decodeAll reads a batch with Decode, and keeps what it hands over.
func decodeAll(t testing.TB, batch []byte) (Head, []rec) {
	t.Helper()
	var got []rec
	h, err := Decode(batch, func(r *record.Record) { got = append(got, kept(r)) })
	if err != nil {
		t.Fatal(err)
	}
	return h, got
}

func kept(r *record.Record) rec {
	out := rec{key: bytes.Clone(r.Key), value: bytes.Clone(r.Value), timestamp: r.Timestamp}
	for _, h := range r.Headers {
		out.headers = append(out.headers, Header{Key: h.Key, Value: bytes.Clone(h.Value)})
	}
	return out
}

func (g *golden) write(t *testing.T, client string, batches [][]byte) {
	var text []byte
	for _, b := range batches {
		text = append(hex.AppendEncode(text, b), '\n')
	}
	g.archive.Files = append(g.archive.Files, txtar.File{Name: client, Data: text})
	if err := os.WriteFile(g.file, txtar.Format(g.archive), 0o666); err != nil {
		t.Fatal(err)
	}
}

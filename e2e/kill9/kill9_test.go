package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/spool"
)

// TestMain is the hosts' main too: the program that starts them is this one.
func TestMain(m *testing.M) {
	if text := os.Getenv(lifeVariable); text != "" {
		os.Exit(beHost(text))
	}
	os.Exit(m.Run())
}

func runSome(t *testing.T, r *run) (ok bool, out string) {
	t.Helper()
	var text strings.Builder
	r.out, r.random = &text, rand.New(rand.NewPCG(1, 9))
	r.Dir, r.Workers = filepath.Join(t.TempDir(), "spool"), 8
	ok, err := r.all(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, &text)
	}
	t.Log(text.String())
	return ok, text.String()
}

var closing = regexp.MustCompile(`(?m)^kill9: ([0-9]+) kills, [1-9][0-9]* acknowledged, ([0-9]+) lost, [0-9]+ duplicates \(bound [0-9]+\), order kept$`)

// kills reads their number: a machine that is slow needs some more until it has come to each point.
func kills(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestASpoolKeepsWhatItAnsweredThroughKills(t *testing.T) {
	ok, out := runSome(t, &run{life: life{Host: "spool"}, kills: 16})
	if got := closing.FindStringSubmatch(out); !ok || got == nil || kills(t, got[1]) < 16 || got[2] != "0" {
		t.Errorf("%v, %q", ok, got)
	}
}

func TestAPluginKeepsWhatItAnsweredThroughKills(t *testing.T) {
	plugin := filepath.Join(t.TempDir(), "kafka.so")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "faultinject", "-buildmode=c-shared", "-o", plugin, "../../cmd/kafka")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	b, err := startEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	ok, out := runSome(t, &run{life: life{Host: "plugin", Plugin: plugin}, kills: 16, broker: b})
	if got := closing.FindStringSubmatch(out); !ok || got == nil || kills(t, got[1]) < 16 || got[2] != "0" {
		t.Errorf("%v, %q", ok, got)
	}
	// Every point of the spool was reached in the plugin: a build without them would only be killed at random.
	for _, point := range spool.Points() {
		if !strings.Contains(out, point+" 1") {
			t.Errorf("no kill at %s", point)
		}
	}
}

// A host that answers before it stores loses records in a kill, and the journal sees it.
func TestAHostThatLiesIsFound(t *testing.T) {
	ok, out := runSome(t, &run{life: life{Host: "spool", Lie: true}, kills: 12})
	if got := closing.FindStringSubmatch(out); ok || got == nil || got[2] == "0" {
		t.Errorf("%v, %q", ok, got)
	}
}

func TestTheReaderHandsOverEachRecordOnce(t *testing.T) {
	b, err := startEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	r, err := newReader(b)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for round := range 3 {
		var sent []string
		for n := range 20 {
			i := id{n % 5, round, n}
			sent = append(sent, i.String())
			produceTo(t, b, i)
		}
		b.slow.Store(50)
		got := 0
		if err := r.catchUp(context.Background(), func(record *kgo.Record) {
			value := record.Value
			if i, err := recognise(value); err != nil || i.life != round {
				t.Errorf("%v, %v", i, err)
			}
			got++
		}); err != nil || got != len(sent) {
			t.Fatalf("%d of %d records, %v", got, len(sent), err)
		}
	}
}

func produceTo(t *testing.T, b *embedded, i id) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address()), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte{byte(i.worker)}, Value: i.value()}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

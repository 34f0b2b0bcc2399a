package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The scripts are worth what the broker under them is worth: this holds both brokers to the same promises.
func TestBothBrokersHangCutStopAndComeBackWithTheirData(t *testing.T) {
	if under.broker == apache {
		under.pool.require(t)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	b, err := obtain(ctx, false, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.release(); err != nil {
			t.Error(err)
		}
	})
	if err := createTopics(ctx, b.address(), 2, "promise"); err != nil {
		t.Fatal(err)
	}
	client, err := dial(b.address(), kgo.DefaultProduceTopic("promise"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	sent := 0
	send := func(when string) {
		t.Helper()
		if err := client.ProduceSync(ctx, &kgo.Record{Value: []byte(when)}).FirstErr(); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		sent++
		if err := awaitCount(b.address(), "promise", sent); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	send("first")

	if err := b.hang(); err != nil {
		t.Fatal(err)
	}
	reported := make(chan error, 1)
	client.Produce(ctx, &kgo.Record{Value: []byte("hung")}, func(_ *kgo.Record, err error) { reported <- err })
	quiet, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	select {
	case err := <-reported:
		t.Fatalf("a broker that hangs reported %v", err)
	case <-quiet.Done():
	}
	if err := b.resume(); err != nil {
		t.Fatal(err)
	}
	if err := <-reported; err != nil {
		t.Fatalf("after resume: %v", err)
	}
	sent++
	b.cut()
	send("after the cut")

	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	if err := b.start(ctx); err != nil {
		t.Fatal(err)
	}
	send("after the restart")

	lines, err := readTopic(b.address(), "promise", sent)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"first", "hung", "after the cut", "after the restart"} {
		if !strings.Contains(lines[i], `"value":"`+want+`"`) || !strings.Contains(lines[i], `"partition":0`) {
			t.Errorf("record %d is %s, want %q in partition 0", i, lines[i], want)
		}
	}
	if err := awaitCount(b.address(), "promise", sent-1); err == nil {
		t.Error("more records than asked for were no error")
	}
}

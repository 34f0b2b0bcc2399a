package realkafka

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// patience bounds one wait of a test. A busy machine makes everything ten times as slow.
const patience = time.Minute

// start gives a test its broker. Without KAFKA_E2E=1 the test is skipped: two seconds of Java are no unit test.
func start(t *testing.T, options Options) *Broker {
	t.Helper()
	if os.Getenv("KAFKA_E2E") != "1" {
		t.Skip("starts Apache Kafka: run `make test-kafka`, or set KAFKA_E2E=1")
	}
	b, err := Start(t.Context(), options)
	Require(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the broker's log:\n%s", b.Log())
		}
		if err := b.Close(); err != nil {
			t.Errorf("close the broker: %v", err)
		}
	})
	return b
}

func client(t *testing.T, address string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(address)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func createTopic(t *testing.T, c *kgo.Client, topic string, partitions int32) {
	t.Helper()
	created, err := kadm.NewClient(c).CreateTopics(t.Context(), partitions, 1, nil, topic)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		t.Fatalf("create topic %s: %v", topic, err)
	}
}

// consume returns the values of the first n records of topic.
func consume(t *testing.T, address, topic string, n int) []string {
	t.Helper()
	c := client(t, address, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var values []string
	for len(values) < n {
		fetched := c.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			t.Fatalf("%d of %d records of %s: %v", len(values), n, topic, err)
		}
		fetched.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func TestBrokerKeepsWhatItAcknowledgedThroughHangKillAndRestart(t *testing.T) {
	b := start(t, Options{})
	c := client(t, b.Addr(), kgo.DefaultProduceTopic("mail"))
	createTopic(t, c, "mail", 1)

	var want []string
	begun := time.Now()
	phase := func(what string) {
		t.Helper()
		t.Logf("%s after %v", what, time.Since(begun).Round(time.Millisecond))
	}
	produce := func(n int) {
		t.Helper()
		defer phase("produced")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for range n {
			value := fmt.Sprintf("value %d", len(want))
			want = append(want, value)
			if err := c.ProduceSync(ctx, kgo.StringRecord(value)).FirstErr(); err != nil {
				t.Fatalf("%s: %v", value, err)
			}
		}
	}
	expect := func(when string) {
		t.Helper()
		got := consume(t, b.Addr(), "mail", len(want))
		phase("consumed " + when)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: got %q, want %q", when, got, want)
		}
	}

	produce(3)
	expect("at first")

	if err := b.Pause(); err != nil {
		t.Fatal(err)
	}
	reported := make(chan error, 1)
	quiet, stopQuiet := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stopQuiet()
	want = append(want, "sent while it hung")
	c.Produce(t.Context(), kgo.StringRecord("sent while it hung"), func(_ *kgo.Record, err error) { reported <- err })
	select {
	case err := <-reported:
		t.Fatalf("a paused broker acknowledged: %v", err)
	case <-quiet.Done():
	}
	if err := b.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := <-reported; err != nil {
		t.Fatalf("after resume: %v", err)
	}
	expect("after resume")

	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	phase("restarted")
	produce(1)
	expect("after an orderly restart")

	// A killed broker keeps what it wrote: the machine did not go down, so the page cache is still there.
	if err := b.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	phase("started after the kill")
	produce(1)
	expect("after a kill")
}

func TestBrokerMisuseIsAnErrorThatNamesTheBroker(t *testing.T) {
	b := start(t, Options{AutoCreateTopics: true, Properties: map[string]string{"num.partitions": "3"}})
	if err := b.Start(t.Context()); err == nil {
		t.Error("a second start of a running broker was no error")
	}
	c := client(t, b.Addr(), kgo.AllowAutoTopicCreation())
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "made", Value: []byte("v")}).FirstErr(); err != nil {
		t.Errorf("auto.create.topics.enable=true: %v", err)
	}
	topics, err := kadm.NewClient(c).ListTopics(t.Context(), "made")
	if err != nil || len(topics["made"].Partitions) != 3 {
		t.Errorf("num.partitions=3 of Options.Properties: %d partitions, %v", len(topics["made"].Partitions), err)
	}
	pid := b.process.child.Pid
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there after Stop: %v", pid, err)
	}
	if err := b.Stop(); err != nil {
		t.Errorf("a second stop: %v", err)
	}
	if err := b.Pause(); err == nil {
		t.Error("a stopped broker was paused without an error")
	}
}

func TestBadPropertyIsReportedWithTheBrokersOwnWords(t *testing.T) {
	if os.Getenv("KAFKA_E2E") != "1" {
		t.Skip("starts Apache Kafka: run `make test-kafka`, or set KAFKA_E2E=1")
	}
	b, err := Start(t.Context(), Options{Properties: map[string]string{"num.io.threads": "none"}})
	if errors.Is(err, ErrUnavailable) {
		Require(t, err)
	}
	if err == nil {
		t.Fatal("the broker started", b.Close())
	}
	if !strings.Contains(err.Error(), "num.io.threads") {
		t.Errorf("the error does not name the property: %v", err)
	}
}

// The broker must not outlive a test that is killed, as `go test -timeout` and a developer's ctrl-C do.
func TestBrokerDiesWithItsParent(t *testing.T) {
	const marker = "REALKAFKA_TEST_CHILD"
	if os.Getenv(marker) == "1" {
		b := start(t, Options{})
		fmt.Printf("broker %d\n", b.process.child.Pid)
		select {} // until killed by the test below
	}
	if os.Getenv("KAFKA_E2E") != "1" {
		t.Skip("starts Apache Kafka: run `make test-kafka`, or set KAFKA_E2E=1")
	}
	if _, err := findJava(t.Context()); err != nil {
		Require(t, err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child of its parent's death")
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestBrokerDiesWithItsParent$", "-test.v")
	parent.Env = append(os.Environ(), marker+"=1", "TMPDIR="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		// The line may stand behind what the test program itself printed.
		if _, number, ok := strings.Cut(lines.Text(), "broker "); ok {
			pid, _ = strconv.Atoi(number)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := parent.Wait(); err == nil {
		t.Fatal("the parent was not killed")
	}
	if pid == 0 {
		t.Fatal("the parent did not start a broker")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for running(pid) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("the broker, process %d, outlived its parent", pid)
		}
	}
}

// running is false for a zombie too: in a container nobody may be there to reap an orphan.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

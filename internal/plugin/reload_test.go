package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

func config(queues ...*Node) *Node { return object("queues", list(queues...)) }

// stored is a queue with a spool, and properties after its folder.
func stored(id, folder string, properties ...any) *Node {
	return object("id", text(id), "config", object(properties...), "spool", object("path", text(folder), "dead_letter", text("false")))
}

// call makes the call that the border makes, and waits for its answer. NoError-1 stands for the exception No such id.
func call(p *Plugin, id, value string) resperr.Code {
	const noSuchID = resperr.NoError - 1
	answer := make(chan resperr.Code, 1)
	done := func(code resperr.Code) { answer <- code }
	attempt := func(q *producer.Producer) bool {
		r := &record.Record{Topic: "mail", Partition: -1, Value: []byte(value)}
		parked, code := false, resperr.FS
		switch {
		case q == nil:
		case q.Spooled():
			parked, code = q.Store(r, false, done)
		default:
			code = q.Offer(r)
		}
		if !parked && code != resperr.Destroy {
			done(code)
		}
		return parked || code != resperr.Destroy
	}
	var elsewhere func(tried *producer.Producer)
	elsewhere = func(tried *producer.Producer) {
		for {
			q, later := p.Later([]byte(id), tried, func(q *producer.Producer) {
				if !attempt(q) {
					elsewhere(q)
				}
			})
			switch {
			case later:
				return
			case q == nil && tried == nil:
				done(noSuchID)
				return
			case q == nil:
				done(resperr.Destroy)
				return
			case attempt(q):
				return
			}
			tried = q
		}
	}
	if q := p.Find([]byte(id)); q == nil || !attempt(q) {
		elsewhere(q)
	}
	return <-answer
}

// broker is one with the topic mail.
func broker(t *testing.T) (*kfake.Cluster, string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, c.ListenAddrs()[0]
}

// arrived returns the sorted values of the first n records of mail, and fails when there are more.
func arrived(t *testing.T, address string, n int) []string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics("mail"), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var values []string
	poll := func(limit time.Duration) int {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		before := len(values)
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
		return len(values) - before
	}
	for len(values) < n && poll(time.Minute) > 0 {
	}
	for poll(300*time.Millisecond) > 0 { // what is too much
	}
	slices.Sort(values)
	return values
}

func reload(t *testing.T, p *Plugin, app *Node) {
	t.Helper()
	if err := p.Reload(app); err != nil {
		t.Fatal(err)
	}
}

func TestReloadKeepsWhatIsWrittenAsBefore(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := New(discard(), nil)
	if err := p.Reload(nil); err == nil {
		t.Error("a plugin that does not run reloads")
	}
	down := []any{"bootstrap.servers", text("127.0.0.1:1"), "message.timeout.ms", text("300")}
	fixed := config(queue("fixed", down...))
	if err := p.Start(fixed, config(queue("a", down...), queue("b", down...))); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	find := func(id string) *producer.Producer { return p.Find([]byte(id)) }
	ids := func() string {
		var all []string
		for _, q := range p.queues.Load().asked {
			all = append(all, q.ID())
		}
		return strings.Join(all, " ")
	}
	first, a, b := find("fixed"), find("a"), find("b")
	reload(t, p, config(queue("b", "message.timeout.ms", text("300"), "bootstrap.servers", text("127.0.0.1:1")), queue("a", down...)))
	if find("fixed") != first || find("a") != a || find("b") != b {
		t.Error("a queue that is written as before was touched")
	}
	reload(t, p, config(queue("a", down...), queue("b", append(down, "linger.ms", text("7"))...), queue("c", down...)))
	if find("fixed") != first || find("a") != a || find("b") == b || find("c") == nil || ids() != "fixed a b c" {
		t.Errorf("the queues are %s", ids())
	}
	reload(t, p, nil)
	await(t, func() bool { return ids() == "fixed" })
	if find("a") != nil || call(p, "a", "v") != resperr.NoError-1 {
		t.Error("a removed queue that is empty is found")
	}
	reload(t, p, config(queue("a", down...)))
	if code := call(p, "a", "v"); code != resperr.NoError || find("a") == a {
		t.Errorf("a queue that is there again answers %v", code)
	}
}

func TestABadConfigurationChangesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	folder := filepath.Join(t.TempDir(), "taken")
	other := New(discard(), nil)
	if err := other.Start(config(stored("q", folder)), nil); err != nil {
		t.Fatal(err)
	}
	defer other.Stop()
	p := New(discard(), nil)
	mine := t.TempDir()
	if err := p.Start(nil, config(queue("a", "message.timeout.ms", text("300")), stored("s", mine))); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	before := p.queues.Load()
	for name, test := range map[string]struct {
		app  *Node
		want string
	}{
		"an unknown property":                 {config(queue("a", "linger.ms", text("7")), queue("b", "nosuch", text("1"))), `b: No such configuration property: "nosuch"`},
		"no list":                             {object("queues", text("a")), "queues: it must be a list of queues"},
		"the metrics":                         {object("metrics", object("listen", text("127.0.0.1:9184"))), "metrics: it is read at the start only, move it to smtpd.yaml"},
		"one folder twice":                    {config(stored("s", mine), stored("t", mine)), fmt.Sprintf("t: spool: path: %q is the folder of queue s, give each its own", mine)},
		"a folder that another process has":   {config(queue("a", "linger.ms", text("7")), stored("z", t.TempDir()), stored("b", folder)), "b: spool " + folder + ": it is in use by process"},
		"and a queue with what is left there": {config(stored("a", t.TempDir()), stored("b", folder)), "b: spool " + folder + ": it is in use by process"},
	} {
		if err := p.Reload(test.app); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if p.queues.Load() != before {
			t.Errorf("%s: something has changed", name)
		}
	}
	for _, id := range []string{"a", "s"} {
		if code := call(p, id, "v"); code != resperr.NoError {
			t.Errorf("%s answers %v", id, code)
		}
	}
}

// Twenty reloads while messages come: a queue in memory, and one whose folder goes to the next one each time.
func TestNothingIsLostOrSentTwiceByAReload(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cluster, address := broker(t)
	defer cluster.Close()
	p := New(discard(), nil)
	folder := t.TempDir()
	app := func(n int) *Node {
		properties := []any{"bootstrap.servers", text(address), "linger.ms", text(fmt.Sprint(1 + n%5)), "client.id", text(fmt.Sprint(n))}
		return config(queue("memory", properties...), stored("disk", folder, properties...))
	}
	if err := p.Start(nil, app(0)); err != nil {
		t.Fatal(err)
	}
	var made atomic.Int64
	over := make(chan struct{})
	answered := map[string]chan struct{}{"memory": make(chan struct{}), "disk": make(chan struct{})}
	var callers sync.WaitGroup
	for i := range 4 {
		id := []string{"memory", "disk"}[i%2]
		callers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				if code := call(p, id, fmt.Sprintf("%s %d %06d", id, i, n)); code != resperr.NoError {
					t.Errorf("%s: call %d is answered %v", id, n, code)
				} else {
					made.Add(1)
				}
				select {
				case answered[id] <- struct{}{}:
				default:
				}
				if id == "memory" {
					time.Sleep(100 * time.Microsecond) // so that it does not fill up; nothing is judged by it
				}
			}
		})
	}
	for n := 1; n <= 20; n++ {
		for range 10 { // calls to the queues of the reload before
			<-answered["memory"]
			<-answered["disk"]
		}
		reload(t, p, app(n))
	}
	close(over)
	callers.Wait()
	p.Stop()
	want := int(made.Load())
	got := arrived(t, address, want)
	var twice []string
	for i := 1; i < len(got); i++ {
		if got[i] == got[i-1] {
			twice = append(twice, got[i])
		}
	}
	if len(got) != want || len(twice) > 0 {
		t.Errorf("%d calls were accepted, %d messages arrived, twice: %q", want, len(got), twice)
	}
}

// Two queues change their folders, and a third takes that of one that is removed: what is on disk goes with the folder.
func TestFoldersGoToOtherQueues(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cluster, address := broker(t)
	defer cluster.Close()
	p := New(discard(), nil)
	x, y, z := t.TempDir(), t.TempDir(), t.TempDir()
	if err := p.Start(nil, config(stored("a", x), stored("b", y), stored("c", z))); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		if code := call(p, id, id); code != resperr.NoError {
			t.Fatal(code)
		}
	}
	servers := []any{"bootstrap.servers", text(address)}
	reload(t, p, config(stored("a", y, servers...), stored("b", x, servers...), stored("d", z, servers...)))
	for _, id := range []string{"a", "b", "d"} {
		if code := call(p, id, id+" again"); code != resperr.NoError {
			t.Errorf("%s answers %v", id, code)
		}
	}
	if code := call(p, "c", "v"); code != resperr.NoError-1 {
		t.Errorf("c answers %v", code)
	}
	want := []string{"a", "a again", "b", "b again", "c", "d again"}
	if got := arrived(t, address, len(want)); !slices.Equal(got, want) {
		t.Errorf("arrived: %q, want %q", got, want)
	}
	p.Stop()
}

// A folder of which a part cannot be opened after it was handed over: calls are answered, and the queue is opened as soon as it can be.
func TestAFolderThatCannotBeOpenedAgain(t *testing.T) {
	t.Run("what is in the way goes away", func(t *testing.T) { cannotBeOpened(t, false) })
	t.Run("another reload", func(t *testing.T) { cannotBeOpened(t, true) })
}

func cannotBeOpened(t *testing.T, again bool) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cluster, address := broker(t)
	defer cluster.Close()
	out := &output{}
	p := New(slog.New(slog.NewTextHandler(out, nil)), nil)
	folder := t.TempDir()
	app := func(dead string, properties ...any) *Node {
		return config(object("id", text("q"), "config", object(properties...), "spool", object("path", text(folder), "dead_letter", text(dead))))
	}
	first := app("false")
	if again {
		first = app("false", "bootstrap.servers", text(address))
	}
	if err := p.Start(nil, first); err != nil {
		t.Fatal(err)
	}
	if code := call(p, "q", "1"); code != resperr.NoError {
		t.Fatal(code)
	}
	other := New(discard(), nil)
	if err := other.Start(config(stored("o", filepath.Join(folder, "dead"))), nil); err != nil {
		t.Fatal(err)
	}
	reload(t, p, app("true", "bootstrap.servers", text(address)))
	await(t, func() bool {
		return strings.Contains(out.String(), "calls are answered with -189 until it can be opened")
	})
	if code := call(p, "q", "2"); code != resperr.FS {
		t.Errorf("while it cannot be opened a call is answered %v", code)
	}
	if text, ok := p.Command([]string{"status", "q"}); !ok || !strings.HasPrefix(text, "q: failed since ") || !strings.Contains(text, "calls are answered with -189") {
		t.Errorf("the status is %q", text)
	}
	if err := p.Reload(object("queues", text("bad"))); err == nil {
		t.Error("a bad configuration is taken")
	}
	// The same as at the start: its folder can be opened, and nothing of the queue before is there to be kept.
	if again {
		reload(t, p, app("false", "bootstrap.servers", text(address)))
	} else {
		other.Stop()
	}
	await(t, func() bool { return call(p, "q", "3") == resperr.NoError })
	if got := arrived(t, address, 2); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("arrived: %q", got)
	}
	if text, ok := p.Command([]string{"status", "q"}); !ok || !strings.HasPrefix(text, "q: ok since ") {
		t.Errorf("the status is %q", text)
	}
	p.Stop()
	if again {
		other.Stop()
	}
}

// A removed queue that still holds messages: it says that it has gone, is seen, and what it holds goes with the next queue of its name.
func TestARemovedQueueIsThereAgainBeforeItIsEmpty(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cluster, address := broker(t)
	defer cluster.Close()
	p := New(discard(), nil)
	wrong, right := []any{"bootstrap.servers", text("127.0.0.1:1")}, []any{"bootstrap.servers", text(address)}
	folder := t.TempDir()
	if err := p.Start(nil, config(queue("memory", wrong...), stored("disk", folder, wrong...))); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"memory", "disk"} {
		if code := call(p, id, id); code != resperr.NoError {
			t.Fatal(code)
		}
	}
	reload(t, p, nil)
	for _, id := range []string{"memory", "disk"} {
		if code := call(p, id, "late"); code != resperr.Destroy {
			t.Errorf("%s, which is removed and not empty, answers %v", id, code)
		}
	}
	if text, ok := p.Command([]string{"list"}); !ok || strings.TrimSpace(text) != `queue   storage  state   queued  on disk  delivered  failed  refused  brokers
memory  memory   failed  1       0        0          0       1        127.0.0.1:1
disk    durable  failed  0       1        0          0       1        127.0.0.1:1` {
		t.Errorf("list says\n%s", text)
	}
	if text, ok := p.Command([]string{"status", "disk"}); !ok || !strings.Contains(text, "the queue is not in the running configuration any more") {
		t.Errorf("status says\n%s", text)
	}
	reload(t, p, config(queue("memory", right...), stored("disk", folder, right...)))
	for _, id := range []string{"memory", "disk"} {
		if code := call(p, id, id+" again"); code != resperr.NoError {
			t.Errorf("%s, which is there again, answers %v", id, code)
		}
	}
	want := []string{"disk", "disk again", "memory", "memory again"}
	if got := arrived(t, address, len(want)); !slices.Equal(got, want) {
		t.Errorf("arrived: %q, want %q", got, want)
	}
	await(t, func() bool {
		s := p.Find([]byte("memory")).Snapshot()
		return s.In == 2 && s.Delivered == 2
	})
	p.Stop()
}

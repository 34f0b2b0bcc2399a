package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// fake is a queue that says what a test wants.
type fake struct {
	id     string
	set    *conf.Settings
	counts report.Queue
	topics []report.Topic
	spool  *report.Spool
	health report.Health
	stats  report.Statistics
	paused bool
}

func (f *fake) ID() string               { return f.id }
func (f *fake) Settings() *conf.Settings { return f.set }
func (f *fake) Snapshot() report.Snapshot {
	s := f.counts.Snapshot()
	if f.spool != nil {
		s.Stored(f.spool.Pending)
	}
	return s
}
func (f *fake) Bytes() int64           { return 30 }
func (f *fake) Health() *report.Health { return &f.health }
func (f *fake) Describe(context.Context, []string) (report.Cluster, error) {
	if f.id == "disk" {
		return report.Cluster{}, errors.New("disk: the cluster does not answer: x")
	}
	return report.Cluster{ID: "c", Controller: 1, Took: 0.002, Brokers: []report.ClusterBroker{{ID: 1, Address: "kafka:9092"}}, Topics: []report.ClusterTopic{
		{Name: "mail", Partitions: []report.ClusterPartition{{ID: 0, Leader: 1, Replicas: 3, InSync: 3}}},
	}}, nil
}

func (f *fake) Head(context.Context) (record.Record, bool, error) {
	return record.Record{Topic: "mail", Partition: -1, Value: []byte("oldest")}, f.id == "kafka1", nil
}

func (f *fake) Letters(most int) ([]report.Letter, int64, error) {
	if f.spool == nil {
		return nil, 0, errors.New("no letters")
	}
	return []report.Letter{{Record: record.Record{Topic: "late", Partition: -1, Value: []byte("dead")}, Seq: 7, Time: time.UnixMilli(0), Code: 3, Reason: "Broker: Unknown topic"}}[:min(most, 1)], 2, nil
}

func (f *fake) Pause() bool {
	f.paused = !f.paused
	return f.paused
}
func (f *fake) Resume(context.Context) (time.Duration, error) { return time.Minute, nil }
func (f *fake) Flush(ctx context.Context) bool { // takes a second
	end, _ := ctx.Deadline()
	return !f.health.Has(report.Paused) && time.Until(end) > time.Second
}
func (f *fake) Purge(context.Context) (int64, error) { return 1204, nil }
func (f *fake) Requeue(_ context.Context, topic string) (report.Requeue, error) {
	if topic == "late" {
		return report.Requeue{Moved: 1, Kept: 1, Done: true, Reason: "Local: Queue full"}, nil
	}
	return report.Requeue{Moved: 2, Done: true}, nil
}

func (f *fake) Brokers() []report.BrokerStatistics {
	return []report.BrokerStatistics{{Name: f.id + ":9092/1", State: "UP", RTT: report.Average{Avg: 1500}}}
}
func (f *fake) Times() *report.Times { return report.NewTimes() }
func (f *fake) Statistics(context.Context) (report.Statistics, error) {
	return f.stats, nil
}
func (f *fake) Parked() int            { return 2 }
func (f *fake) Topics() []report.Topic { return f.topics }
func (f *fake) Spool() *report.Spool   { return f.spool }

func newFake(t *testing.T, id string, settings ...string) *fake {
	t.Helper()
	t.Setenv("ADMIN_TEST_USER", "hunter2-user")
	c := conf.New()
	for i := 0; i < len(settings); i += 2 {
		if err := c.Set(settings[i], settings[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.SetSecret("sasl.username", conf.Source{Env: "ADMIN_TEST_USER"}); err != nil {
		t.Fatal(err)
	}
	set, _, err := c.Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{id: id, set: set}
	for range 5 {
		f.counts.Admit(10)
	}
	f.counts.Deliver()
	f.counts.Fail(resperr.MsgTimedOut)
	f.counts.Refuse()
	return f
}

func depsOf(queues ...Queue) Deps {
	return Deps{
		Queues: func() []Queue { return queues },
		Spool:  func(string) *queueconf.Spool { return nil },
		Recent: func(string) []logsink.Entry { return nil },
		Level:  new(slog.LevelVar), Scrape: report.NewHistogram(time.Second), Start: time.UnixMilli(1500),
	}
}

func TestCommands(t *testing.T) {
	one := newFake(t, "kafka1", "bootstrap.servers", "kafka:9092", "enable.idempotence", "true", "sasl.password", "hunter2", "client.id", "a\nb")
	one.topics = []report.Topic{{Name: "mail\x1b", Partitions: 3, InClient: 1, Waiting: 1, Stalled: true}}
	disk := newFake(t, "disk")
	disk.spool = &report.Spool{
		Path: "/s", Mode: "durable", Bytes: 100, MaxBytes: 1000, Segments: 1, Pending: 3, Oldest: time.UnixMilli(0), Syncs: 7, SyncMax: time.Millisecond, Degraded: "no space",
	}
	one.health = report.Health{
		State: report.Degraded, Since: time.UnixMilli(1000), InFlight: 1, Oldest: time.UnixMilli(1000),
		Problems: []report.Problem{
			{Kind: report.Disconnected, State: report.Degraded, Text: "kafka:9092: cannot connect\x1b", Since: time.UnixMilli(1000)},
			{Kind: report.Paused, State: report.Degraded, Text: "paused", Since: time.UnixMilli(2000)},
		},
		Error: &report.LastError{Time: time.UnixMilli(0), Text: "Local: Message timed out", Topic: "mail", Code: -192},
	}
	one.stats = report.Statistics{
		Name: "rdkafka#producer-1", Queue: "kafka1", TxMsgs: 1,
		Brokers: map[string]report.BrokerStatistics{"kafka:9092/1": {State: "UP", StateAge: 5e6, RTT: report.Average{Avg: 1500}, Tx: 3, TxRetries: 1, TopparCnt: 1}},
		Topics:  map[string]report.TopicStatistics{"mail": {PartitionCnt: 1, MsgqCnt: 2, Partitions: map[string]report.PartitionStatistics{"0": {State: "open", Leader: 1, TxMsgs: 1}}}},
	}
	d := depsOf(one, disk)
	d.Now = func() time.Time { return time.UnixMilli(35000) }
	d.Recent = func(queue string) []logsink.Entry {
		all := []logsink.Entry{
			{First: time.UnixMilli(0), Last: time.UnixMilli(60000), Count: 12, Priority: logsink.Err, Queue: "kafka1", Text: "cannot connect (queue kafka1)"},
			{First: time.UnixMilli(0), Last: time.UnixMilli(0), Count: 1, Priority: logsink.Warning, Queue: "disk", Text: "slow (queue disk)"},
		}
		if queue == "disk" {
			return all[1:]
		}
		return all
	}
	for _, test := range []struct {
		command string
		ok      bool
		want    string
	}{
		{"list", true, `queue   storage  state     queued  on disk  delivered  failed  refused  brokers
kafka1  memory   degraded  3       0        1          1       1        kafka:9092
disk    durable  ok        0       3        1          1       1        
`},
		{"list --json", true, `{"queues":[{"id":"kafka1","client":"a\nb#producer-1","storage":"memory","brokers":["kafka:9092"],"state":"degraded","queued":3,"on_disk":0,"in":5,"delivered":1,"failed":1,"refused":1},` +
			`{"id":"disk","client":"rdkafka#producer-1","storage":"durable","brokers":[],"state":"ok","queued":0,"on_disk":3,"in":5,"delivered":1,"failed":1,"refused":1}]}
`},
		{"status", true, `kafka1: degraded since 1970-01-01T00:00:01Z (34 s): kafka:9092: cannot connect\x1b
  also paused since 1970-01-01T00:00:02Z: paused
  queued 3, on disk 0, in flight 1, oldest 34 s, waiting calls 2
  in 0.0/s, delivered 0.0/s over 10 s
  in 5 = delivered 1 + failed 0 + dropped 0 + expired 1 + dead 0 + queued 3 + on disk 0; refused 1
  memory: 30 of 1,073,741,824 bytes, at most 100,000 messages
  last error 1970-01-01T00:00:00Z: Local: Message timed out (topic mail)

disk: ok since 0001-01-01T00:00:00Z (106751 days)
  queued 0, on disk 3, in flight 0, oldest 0.0 s, waiting calls 2
  in 0.0/s, delivered 0.0/s over 10 s
  in 5 = delivered 1 + failed 0 + dropped 0 + expired 1 + dead 0 + queued 0 + on disk 3; refused 1
  memory: 30 of 1,073,741,824 bytes, at most 100,000 messages
  spool (durable): 100 of 1,000 bytes, dead letters 0
`},
		{"status kafka1 --json", true, `{"started":"1970-01-01T00:00:01.5Z","version":"development","queues":[{"queue":"kafka1","state":"degraded","reason":"kafka:9092: cannot connect\u001b","since":"1970-01-01T00:00:01Z",` +
			`"problems":[{"kind":"disconnected","state":"degraded","text":"kafka:9092: cannot connect\u001b","since":"1970-01-01T00:00:01Z"},` +
			`{"kind":"paused","state":"degraded","text":"paused","since":"1970-01-01T00:00:02Z"}],"paused":true,"storage":"memory",` +
			`"in":5,"delivered":1,"failed":0,"dropped":0,"expired":1,"dead":0,"queued":3,"on_disk":0,"in_flight":1,"parked":2,"refused":1,"oldest_age_seconds":34,` +
			`"in_rate":0,"delivered_rate":0,"limit_messages":100000,"bytes":30,"limit_bytes":1073741824,"spool_bytes":0,"spool_limit_bytes":0,"dead_pending":0,` +
			`"last_error":{"time":"1970-01-01T00:00:00Z","text":"Local: Message timed out","topic":"mail","code":-192}}]}
`},
		{"stats kafka1", true, `queue kafka1: rdkafka#producer-1
 messages 0, 0 bytes; delivered 1; requests 0, 0 bytes; answers 0, 0 bytes
 broker        state  for    rtt     in flight  waiting  tx  txretries  timeouts  connects  disconnects  partitions  last error
 kafka:9092/1  UP     5.0 s  1.5 ms  0          0        3   1          0         0         0            1           
 topic  partition  state  leader  waiting  in flight  delivered
 mail   all 1                     2        0          
        0          open   1       0        0          1
`},
		{"count", true, "kafka1 3\ndisk 3\n"},
		{"count disk", true, "3\n"},
		{"head kafka1", true, `{"topic":"mail","partition":-1,"seq":0,"timestamp":0,"key":null,"value":"oldest","headers":[]}
`},
		{"head disk", true, ""},
		{"head disk --json", true, "null\n"},
		{"metadata kafka1", true, `queue kafka1:
 cluster c, controller 1, answered in 2.0 ms
 broker 1 at kafka:9092
 topic mail with 1 partitions
  partition 0, leader 1, 3 of 3 replicas in sync
`},
		{"metadata kafka1 mail --json", true, `{"queues":[{"queue":"kafka1","cluster":{"cluster_id":"c","controller":1,"took_seconds":0.002,"brokers":[{"id":1,"address":"kafka:9092"}],` +
			`"topics":[{"name":"mail","partitions":[{"id":0,"leader":1,"replicas":3,"in_sync":3}]}]}}]}
`},
		{"metadata disk", false, `queue disk:
 disk: the cluster does not answer: x
`},
		{"metadata kafka2 mail", false, `No such id
there is no queue "kafka2" (is kafka1 meant?), the queues are: kafka1, disk`},
		{"check kafka1", false, `kafka1: disconnected: kafka:9092: cannot connect\x1b
kafka1: paused: paused
`},
		{"check disk --json", false, `{"queues":[{"queue":"disk","problems":["disk: the cluster does not answer: x"]}]}
`},
		{"flush disk 0.5", false, "disk: 3 are still queued: see status\n"},
		{"flush disk", true, "disk: what was queued is delivered or reported as failed, 3 came meanwhile\n"},
		{"flush disk --json", true, `{"queues":[{"queue":"disk","paused":false,"queued":3,"flushed":true}]}
`},
		{"flush kafka1 0", false, "kafka1: 3 are queued, and it is paused: see resume\n"},
		{"flush 61", false, "61 seconds: it must be 0 to 60"},
		{"flush kafka2 5", false, `there is no queue "kafka2" (is kafka1 meant?), the queues are: disk, kafka1`},
		{"pause disk", true, "OK: disk is paused: nothing is sent until resume, 3 queued\n"},
		{"stop disk", true, "OK: disk is paused already, 3 queued\n"},
		{"start disk --json", true, `{"queues":[{"queue":"disk","paused":false,"paused_seconds":60,"queued":3}]}
`},
		{"resume disk", true, "OK: disk goes on after 60 s, 3 queued\n"},
		{"purge disk", false, "nothing was purged: disk has 3 messages queued; to give them up, name the queue twice: purge disk disk"},
		{"purge disk kafka1", false, "nothing was purged: disk has 3 messages queued; to give them up, name the queue twice: purge disk disk"},
		{"purge dsk dsk", false, `No such id
there is no queue "dsk" (is disk meant?), the queues are: kafka1, disk`},
		{"clear disk disk", true, "OK: 1,204 messages of disk are given up, 3 are on their way or new\n"},
		{"dead list disk", true, `1970-01-01T00:00:00Z  late  Broker: Unknown topic (3)  4 bytes
disk: 1 of 2 dead letters
`},
		{"dead list disk 1 --json", true, `{"queue":"disk","pending":2,"letters":[{"topic":"late","partition":-1,"seq":7,"timestamp":0,"key":null,"value":"dead","headers":[],"errno":3,"reason":"Broker: Unknown topic"}]}
`},
		{"dead list disk many", false, `"many" is no number from 1 to 1000`},
		{"dead list kafka1", false, "kafka1: no letters"},
		{"dead lsit disk", false, `dead knows no "lsit" (is list meant?): it is dead list <id> or dead requeue <id>`},
		{"dead requeue disk", true, "disk: 2 dead letters are back in the queue, 0 stay\n"},
		{"dead requeue disk late", false, "disk: 1 dead letters are back in the queue, 1 stay: Local: Queue full\n"},
		{"dead requeue disk --json", true, `{"queue":"disk","moved":2,"kept":0,"done":true}
`},
		{"last-error disk", true, `1970-01-01T00:00:00Z  warning: slow (queue disk)
`},
		{"stats nosuch", false, `No such id
there is no queue "nosuch", the queues are: kafka1, disk`},
		{"dump kafka1", true, `queue kafka1: a\x0ab#producer-1
 producer.msg_cnt 3 (2 parked)
 brokers: kafka:9092
 in 5 (50 bytes of values) = delivered 1 + failed 0 + dropped 0 + expired 1 + dead 0 + queued 3 + on disk 0; refused 1
  expired 1: Local: Message timed out (-192)
 topic mail\x1b: partitions 3, in the client 1, waiting outside 1, stalled
`},
		{"config kafka1", true, `queue kafka1: a\x0ab#producer-1
 client.id                                             a\x0ab      config
 metadata.broker.list, bootstrap.servers               kafka:9092  config
 max.in.flight.requests.per.connection, max.in.flight  5           derived
`},
		{"config nosuch", false, `No such id
there is no queue "nosuch", the queues are: kafka1, disk`},
		{"dump kafka2", false, `No such id
there is no queue "kafka2" (is kafka1 meant?), the queues are: kafka1, disk`},
		{"dump kafka2 --json", false, `{"error":"No such id\nthere is no queue \"kafka2\" (is kafka1 meant?), the queues are: kafka1, disk"}
`},
		{"last-errors", true, `1970-01-01T00:01:00Z  err: cannot connect (queue kafka1) (12 times since 1970-01-01T00:00:00Z)
1970-01-01T00:00:00Z  warning: slow (queue disk)
`},
		{"last-errors disk --json", true, `{"errors":[{"first":"1970-01-01T00:00:00Z","last":"1970-01-01T00:00:00Z","count":1,"level":"warning","queue":"disk","text":"slow (queue disk)"}]}
`},
		{"last-errors diks", false, `No such id
there is no queue "diks" (is disk meant?), the queues are: kafka1, disk`},
		{"log", true, "lines are logged from info on\n"},
		{"log warn", true, "OK: lines are logged from warning on\n"},
		{"log", true, "lines are logged from warning on\n"},
		{"log notise", false, `there is no level "notise" (is notice meant?), the levels are: crit, err, warning, notice, info, debug`},
		{"log err warn", false, "usage: log [level]"},
		{"list --all", false, "list knows no \"--all\"\nusage: list"},
		{"help log", true, `log [level]
from which level on lines are logged; with a level, sets it
Levels: crit, err, warning, notice, info, debug. It counts until the next start. What a queue's own log_level and debug leave out
is not logged at any level.
`},
		{"help list --json", true, `{"name":"list","usage":"list","short":"the queues, with how much is in each"}
`},
	} {
		got, ok := Run(d, strings.Fields(test.command))
		if strings.HasPrefix(test.command, "config kafka1") {
			got = withLines(got, "queue ", " metadata", " client.id", " max.in.flight")
		}
		if ok != test.ok || got != test.want {
			t.Errorf("%s: %t (-want +got)\n%s", test.command, ok, cmp.Diff(test.want, got))
		}
	}
	for _, row := range commands() {
		for _, flags := range []string{"", " --json"} {
			args := strings.Fields(row.name + flags)
			for range row.least {
				args = append(args, "kafka1")
			}
			got, _ := Run(d, args)
			if strings.Contains(got, "hunter2") {
				t.Errorf("%q shows a secret:\n%s", args, got)
			}
			if flags != "" && (!json.Valid([]byte(got)) || strings.Count(got, "\n") != 1) {
				t.Errorf("%q is no line of JSON: %s", args, got)
			}
			if flags == "" && strings.ContainsAny(got, "\x1b\x00") {
				t.Errorf("%q lets a terminal be steered: %q", args, got)
			}
		}
	}
}

// withLines keeps the lines that begin with one of the prefixes: the table of properties is librdkafka's.
func withLines(text string, prefixes ...string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				kept.WriteString(line)
			}
		}
	}
	return kept.String()
}

func TestTyposAndHelpComeFromTheTable(t *testing.T) {
	d := depsOf()
	overview, ok := Run(d, []string{"help"})
	if !ok {
		t.Fatal(overview)
	}
	for _, row := range commands() {
		if !strings.Contains(overview, row.usage()+" ") || !strings.Contains(overview, row.short) {
			t.Errorf("help does not list %s", row.name)
		}
		if got, ok := Run(d, []string{row.name[:len(row.name)-1] + "x"}); ok || !strings.HasPrefix(got, "there is no command ") ||
			!strings.Contains(got, "(is "+row.name) || !strings.HasSuffix(got, overview) {
			t.Errorf("%sx: %s", row.name, got)
		}
	}
	for _, args := range [][]string{nil, {}, {"help", "nosuch"}, {""}} {
		if got, ok := Run(d, args); ok || !strings.HasSuffix(got, overview) {
			t.Errorf("%q: %t %s", args, ok, got)
		}
	}
	if got, ok := Run(d, []string{"dump", "kafka1"}); ok || got != "No such id\nthere are no queues" {
		t.Errorf("without queues: %s", got)
	}
}

func TestConfigShowsWhereValuesComeFrom(t *testing.T) {
	q := newFake(t, "kafka1", "bootstrap.servers", "kafka:9092", "sasl.password", "hunter2", "enable.idempotence", "true")
	d := depsOf(q)
	config := &queueconf.Node{Object: []queueconf.Field{
		{Key: "id", Value: &queueconf.Node{Scalar: true, Text: "kafka1"}},
		{Key: "config", Value: &queueconf.Node{}},
		{Key: "spool", Value: &queueconf.Node{Object: []queueconf.Field{
			{Key: "path", Value: &queueconf.Node{Scalar: true, Text: t.TempDir()}},
			{Key: "max_bytes", Value: &queueconf.Node{Scalar: true, Text: "1GiB"}},
		}}},
	}}
	read, found := queueconf.Read(&queueconf.Node{Object: []queueconf.Field{{Key: "queues", Value: &queueconf.Node{List: []*queueconf.Node{config}}}}}, func() int { return 1 })
	if err := found.Refusal(); err != nil {
		t.Fatal(err)
	}
	d.Spool = func(string) *queueconf.Spool { return read.Queues[0].Spool }
	got, _ := Run(d, []string{"config", "kafka1"})
	for _, want := range []string{
		"sasl.username *** secrets: the environment variable ADMIN_TEST_USER", "sasl.password *** config", "enable.idempotence true config",
		"retries 2147483647 default", "max.in.flight.requests.per.connection, max.in.flight 5 derived", "spool.max_bytes 1073741824 config", "spool.on_full error default",
	} {
		has := false
		for line := range strings.Lines(got) {
			has = has || strings.Join(strings.Fields(line), " ") == want
		}
		if has != !strings.HasPrefix(want, "retries") {
			t.Errorf("%q in\n%s", want, got)
		}
	}
	all, _ := Run(d, []string{"config", "--all", "kafka1"})
	if strings.Count(all, "\n") < 80 || !strings.Contains(all, " statistics.interval.ms ") {
		t.Errorf("with --all:\n%s", all)
	}
}

// A faulty queue panics at what is asked side by side.
type faulty struct{ *fake }

func (*faulty) Describe(context.Context, []string) (report.Cluster, error) {
	panic("a fault of ours")
}

func (*faulty) Flush(context.Context) bool { panic("a fault of ours") }

// A command that fails inside says so: a panic on a goroutine of its own would end the mail server.
func TestAPanicInACommandIsItsAnswer(t *testing.T) {
	set, _, err := conf.New().Finalize(1)
	if err != nil {
		t.Fatal(err)
	}
	deps := Deps{Queues: func() []Queue { return []Queue{&faulty{&fake{id: "kafka1", set: set}}, &fake{id: "kafka2", set: set}} }}
	for _, command := range []string{"check", "metadata", "flush"} {
		text, ok := Run(deps, []string{command})
		if ok || !strings.Contains(text, "internal error, please report it: a fault of ours") {
			t.Errorf("%s: %v, %q", command, ok, text)
		}
	}
}
